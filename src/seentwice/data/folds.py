"""Folds: several splits, which together test every photo, or every pair of photos, once."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from seentwice.data.splits import (
    FEWEST_GROUPS,
    Across,
    Assign,
    Split,
    SplitRule,
    check_number,
    deal_groups,
    groups_of,
    name_groups,
    order_groups,
)
from seentwice.errors import UserError
from seentwice.records import Photo


def fold_photos(
    photos: Sequence[Photo], folds: int, rule: SplitRule, all_pairs: bool = False
) -> tuple[Split, ...]:
    """Deal the groups out to `folds` parts, and return the splits that test them.

    One split a part: fold f tests on part f, chooses its threshold on part f + 1, and trains on
    the rest, so every photo is tested once, and pairs across two parts are not. Or, with
    `all_pairs`, one split for every two parts, folds · (folds - 1) / 2: it tests the pairs across
    the two, and one of the splits of part f those inside it, so every pair of photos is tested
    once, by a detector that has learned from neither. A split that the data set names itself is
    not used.

    Raises:
        UserError: fewer than 3 folds, or 4 for all pairs; or fewer groups than folds.
    """
    if rule.assign is Assign.OWN:
        raise UserError("split.assign=own is one split: choose folds=null, or another split.assign")
    group_names = groups_of(photos, rule.by)
    groups = len(set(group_names))
    check_number(photos, rule.by, groups, has_tests=False)
    fewest = FEWEST_GROUPS + all_pairs
    if not fewest <= folds <= groups:
        raise UserError(
            f"folds={folds}: choose {fewest} to {groups}, the number of groups by "
            f"{rule.by}, or folds=null for one split"
            if groups >= fewest
            else f"split.all_pairs=true: {name_groups(photos, groups, rule.by)}, where {fewest} "
            "are needed"
        )
    if rule.assign is Assign.BALANCED:
        part_of = {g: n % folds for n, g in enumerate(order_groups(group_names, rule.seed))}
    else:
        room_types = [photo.room_type or "" for photo in photos]
        part_of = deal_groups(group_names, room_types, [1 / folds] * folds, rule)
    parts = np.array([part_of[group] for group in group_names])
    if all_pairs:
        return tuple(
            _test_two(parts, low, high, folds) for low, high in combinations(range(folds), 2)
        )
    return tuple(_test_parts(parts, (fold,), (fold + 1) % folds) for fold in range(folds))


def parts_of_folds(splits: Sequence[Split]) -> list[NDArray[np.int64]]:
    """Return the photos of each part that folds test, each photo in one of them."""
    return [
        split.across.first if split.across else split.test
        for split in splits
        if split.across is None or split.across.tests_inside
    ]


def _test_two(parts: NDArray[np.int64], low: int, high: int, folds: int) -> Split:
    """Return the split that tests two parts, low < high."""
    # Part f is tested inside where it meets part f + 1, so one time.
    first, second = (high, low) if (low, high) == (0, folds - 1) else (low, high)
    free = (number % folds for number in range(second + 1, second + folds))
    validation = next(number for number in free if number != first)
    split = _test_parts(parts, (first, second), validation)
    inside = second == (first + 1) % folds
    return replace(split, across=Across(np.flatnonzero(parts == first), inside))


def _test_parts(parts: NDArray[np.int64], tested: Sequence[int], validation: int) -> Split:
    """Return the split that tests some parts and validates one; the others train."""
    is_tested = np.isin(parts, tested)
    validates = parts == validation
    return Split(
        np.flatnonzero(~is_tested & ~validates),
        np.flatnonzero(validates),
        np.flatnonzero(is_tested),
    )


def most_folds(photos: Sequence[Photo], rule: SplitRule) -> int:
    """Return the largest number of folds that `fold_photos` can make; 0 where it makes none.

    Raises:
        UserError: by city, and a photo names none.
    """
    if rule.assign is Assign.OWN:
        return 0
    groups = len(set(groups_of(photos, rule.by)))
    return groups if groups >= FEWEST_GROUPS else 0

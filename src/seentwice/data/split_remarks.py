"""What to know of a split before its numbers are believed, each in one line."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seentwice.data.folds import fold_photos, parts_of_folds
from seentwice.data.source import PhotoSet
from seentwice.data.splits import Assign, Split, SplitBy, SplitRule, groups_of, split_photos

MANY_GROUPS = 40
"""From so many on the shares that names give come out near enough."""


def remark_on_homes(photo_set: PhotoSet) -> list[str]:
    """Say how many photos name no home, if any, and what would name it."""
    photos = len(photo_set.photos)
    homeless = sum(not photo.property for photo in photo_set.photos)
    if not homeless:
        return []
    home, _ = photo_set.home
    hint = f"; {photo_set.homes_hint}" if photo_set.homes_hint else ""
    if homeless == photos:
        return [
            f"No {home} is known, so places are split and intervals are drawn over places{hint}"
        ]
    return [
        f"Of {photos:,} photos {homeless:,} name no {home}; where no photo of a place does, the "
        f"place is split, and drawn for intervals, as a {home} of its own{hint}"
    ]


def remark_on_split(
    photo_set: PhotoSet,
    splits: Sequence[Split],
    rule: SplitRule,
    validation_share: float,
    test_share: float,
) -> list[str]:
    """Return what to tell the user of one split, or of the splits of several folds.

    Of few groups their names may give a split four times as many as it asks for, or one alone:
    that is told where equal numbers are nearer by half of what they are. A data set's own split
    validates on what it tests, and may part groups: both are told.

    Args:
        photo_set: what was split.
        splits: of its photos.
        rule: by which they were.
        validation_share: asked for, of the groups.
        test_share: asked for, of the groups.
    """
    lines = remark_on_homes(photo_set) if rule.by is SplitBy.PROPERTY else []
    if rule.assign is Assign.OWN:
        return lines + _tell_of_own(photo_set, splits[0], rule.by)
    if rule.assign is not Assign.NAME:
        return lines
    group_names = groups_of(photo_set.photos, rule.by)
    if len(set(group_names)) >= MANY_GROUPS:
        return lines
    shares = {"test": test_share, "validation": validation_share}
    off = (
        _judge_split(photo_set, group_names, splits[0], rule, shares)
        if len(splits) == 1
        else _judge_folds(photo_set, group_names, splits, rule)
    )
    if off:
        lines.append(
            f"split.assign=name gave {' and '.join(off)}; split.assign=balanced deals out equal "
            "numbers"
        )
    return lines


def _tell_of_own(photo_set: PhotoSet, split: Split, by: SplitBy) -> list[str]:
    lines = [
        "split.assign=own: the test photos validate, too: epochs, calibration, threshold and knn's "
        "k are chosen on what is measured"
    ]
    group_names = groups_of(photo_set.photos, by)
    parted = {group_names[n] for n in split.train} & {group_names[n] for n in split.test}
    if parted:
        lines.append(
            f"split.assign=own: {len(parted):,} of {_name_groups(photo_set, group_names, by)} have "
            "photos that train and photos that are tested"
        )
    return lines


def _judge_split(
    photo_set: PhotoSet,
    group_names: Sequence[str],
    split: Split,
    rule: SplitRule,
    shares: Mapping[str, float],
) -> list[str]:
    photos = photo_set.photos
    equal = split_photos(
        photos, shares["validation"], shares["test"], replace(rule, assign=Assign.BALANCED)
    )
    # Tests that the data set names itself are equal in both, and no share is asked of them.
    tested = {
        name for name, photo in zip(group_names, photos, strict=True) if photo.split == "test"
    }
    free = len(set(group_names) - tested)
    off = []
    for part, share in shares.items():
        given = _count(group_names, getattr(split, part))
        if _is_off(given, _count(group_names, getattr(equal, part)), share * free):
            off.append(
                f"{given} of {_name_groups(photo_set, group_names, rule.by)} to {part} where "
                f"{part}_share={share} asks for {_to_whole(share * free)}"
            )
    return off


def _judge_folds(
    photo_set: PhotoSet, group_names: Sequence[str], splits: Sequence[Split], rule: SplitRule
) -> list[str]:
    tested = parts_of_folds(splits)
    folds = len(tested)
    equal = fold_photos(photo_set.photos, folds, replace(rule, assign=Assign.BALANCED))
    given, equals = (
        sorted(_count(group_names, part) for part in some)
        for some in (tested, parts_of_folds(equal))
    )
    exact = len(set(group_names)) / folds
    if not any(map(_is_off, given, equals, [exact] * folds)):
        return []
    return [
        f"{given[0]} to {given[-1]} of {_name_groups(photo_set, group_names, rule.by)} to a fold "
        f"where folds={folds} asks for {_to_whole(exact)}"
    ]


def _count(group_names: Sequence[str], photos: NDArray[np.int64]) -> int:
    return len({group_names[number] for number in photos})


def _is_off(given: int, equal: int, exact: float) -> bool:
    """Whether a number of groups is wrong by half or more, and that of equal splits is nearer."""
    asked = _to_whole(exact)
    return 2 * abs(given - asked) >= asked and abs(equal - exact) < abs(given - exact)


def _to_whole(exact: float) -> int:
    return max(1, round(exact))


def _name_groups(photo_set: PhotoSet, group_names: Sequence[str], by: SplitBy) -> str:
    is_known = by is SplitBy.PROPERTY and any(photo.property for photo in photo_set.photos)
    what = "cities" if by is SplitBy.CITY else photo_set.home[1] if is_known else "places"
    return f"{len(set(group_names))} {what}"

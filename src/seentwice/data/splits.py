"""Splits by what hangs together: no property and no place is ever in two splits.

But for a split that the data set itself makes (`Assign.OWN`): that one is taken as it is.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from seentwice.data.components import name_components
from seentwice.display import name_count
from seentwice.errors import UserError
from seentwice.records import Photo

# What comes first gives a group its name, which more photos of a home or open plan do not change.
_CITY, _PROPERTY, _ZONE, _PLACE = range(4)

FEWEST_GROUPS = 3
"""Each split needs a group of its own; of folds, one tests, the next validates, others train."""


class SplitBy(StrEnum):
    """What is never in two splits, but by `Assign.OWN`; places and open-plan zones never are."""

    CITY = "city"  # with all of its properties
    PROPERTY = "property"  # or the place, where no property is known
    PLACE = "place"


class Assign(StrEnum):
    """How groups of photos are given to splits."""

    NAME = "name"  # each by its own name: more photos, or more groups, move none
    BALANCED = "balanced"  # as many groups as the shares say; a new one may move one at a border
    STRATIFIED = "stratified"  # each room type in the shares of the whole; a new one may move any
    OWN = "own"  # as the data set says: what it does not test trains, and its tests validate, too


@dataclass(frozen=True, slots=True)
class SplitRule:
    """Which photos stay together, and how the groups are dealt out."""

    by: SplitBy
    assign: Assign
    seed: int


@dataclass(frozen=True, slots=True)
class Split:
    """Indices into one list of photos, sorted and disjoint; by `Assign.OWN` two are the same."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    across: "Across | None" = None  # which pairs of the test photos are tested; None: all


@dataclass(frozen=True, slots=True)
class Across:
    """Of two tested parts: pairs of the one with the other, and perhaps those inside the first.

    So that every pair of photos is tested in one of the folds, whichever parts it joins.
    """

    first: NDArray[np.int64]  # photos of the first part, among those that are tested
    tests_inside: bool  # whether pairs of the first part's own photos are tested in this fold


def groups_of(photos: Sequence[Photo], by: SplitBy = SplitBy.PROPERTY) -> list[str]:
    """Return what must stay in one split with each photo: the name of its group.

    A photo links its place with its zone and, as `by` says, with its property and its city;
    whatever is linked, over any number of photos, is one group, so a place whose photos name two
    properties joins them. A group is named after its smallest city, else property, zone or place.
    Should the name of a place also be that of a property elsewhere, both are one group.

    Raises:
        UserError: by city, and a photo names none.
    """
    links = []
    for photo in photos:
        place = (_PLACE, photo.place)
        links.append((place, (_ZONE, photo.zone) if photo.zone else place))
        if photo.property and by is not SplitBy.PLACE:
            links.append((place, (_PROPERTY, photo.property)))
        if by is SplitBy.CITY:
            if not photo.city:
                raise UserError(
                    f"split.by=city: {photo.key!r} names no city; give data that names them, or "
                    "split.by=property"
                )
            links.append((place, (_CITY, photo.city)))
    named = name_components(links)
    return [named[_PLACE, photo.place][1] for photo in photos]


def name_groups(photos: Sequence[Photo], count: int, by: SplitBy) -> str:
    """Say in a user's words how many groups there are: "1 home", "2 places"."""
    return name_count(count, *words_of(photos, by))


def words_of(photos: Sequence[Photo], by: SplitBy) -> tuple[str, str]:
    """Return what a user calls one group, and several: "home", "homes"."""
    if by is SplitBy.CITY:
        return "city", "cities"
    is_known = by is SplitBy.PROPERTY and any(photo.property for photo in photos)
    return ("home", "homes") if is_known else ("place", "places")


def check_number(photos: Sequence[Photo], by: SplitBy, count: int, has_tests: bool) -> None:
    """Refuse to deal out too few groups.

    Args:
        photos: all of them.
        by: what a group is.
        count: of the groups to deal out.
        has_tests: whether those that the data set tests are not among them.

    Raises:
        UserError: there are too few; it says what would give more.
    """
    wanted = FEWEST_GROUPS - has_tests
    if count >= wanted:
        return
    finer = (SplitBy.PROPERTY, SplitBy.PLACE) if by is SplitBy.CITY else (SplitBy.PLACE,)
    enough = next((o for o in finer if _count_groups(photos, o, has_tests) >= wanted), None)
    hint = f", or choose split.by={enough}" if enough else ""
    where = " beside what the data set tests" if has_tests else ""
    raise UserError(
        f"{name_groups(photos, count, by)}{where}, where {wanted} or more are needed: add "
        f"{words_of(photos, by)[1]}{hint}"
    )


def can_split(photos: Sequence[Photo], rule: SplitRule) -> bool:
    """Say whether there are enough groups for every split to get one."""
    if rule.assign is Assign.OWN:
        return True
    has_tests = any(photo.split == "test" for photo in photos)
    return _count_groups(photos, rule.by, has_tests) >= FEWEST_GROUPS - has_tests


def leave_whole(photos: Sequence[Photo]) -> Split:
    """Return all photos as the training split, beside two that are empty."""
    none = np.empty(0, np.int64)
    return Split(np.arange(len(photos)), none, none)


def _count_groups(photos: Sequence[Photo], by: SplitBy, has_tests: bool) -> int:
    names = groups_of(photos, by)
    tested = {name for name, photo in zip(names, photos, strict=True) if photo.split == "test"}
    return len(set(names) - tested if has_tests else set(names))


def split_photos(
    photos: Sequence[Photo], validation_share: float, test_share: float, rule: SplitRule
) -> Split:
    """Split once: groups in the order of their names' hashes, the first ones are tested.

    Where the data set names its own split (`Photo.split`), every group with a test photo is
    tested and `test_share` is not used. Each split gets at least one group: where few groups
    leave one without, it takes the next in that order, whatever `Assign` says. `Assign.OWN` goes
    by each photo's own split, even where that parts a group, and validates on the test photos, as
    SameSpace does, so its test results are chosen on themselves.

    Args:
        photos: to split.
        validation_share: of the groups, tested ones left out where the data set names them.
        test_share: of the groups.
        rule: which photos stay together, and how the groups are dealt out.

    Raises:
        UserError: the shares do not leave a training split, or there are too few groups.
    """
    if not (validation_share > 0 and test_share > 0 and validation_share + test_share < 1):
        raise UserError(
            "split: validation_share and test_share must be above 0 and their sum below 1, "
            f"not {validation_share} and {test_share}"
        )
    if rule.assign is Assign.OWN:
        return _as_the_data_says(photos)
    group_names = groups_of(photos, rule.by)
    tested = {
        group for group, photo in zip(group_names, photos, strict=True) if photo.split == "test"
    }
    free = [number for number, group in enumerate(group_names) if group not in tested]
    shares = {"test": 0.0 if tested else test_share, "validation": validation_share}
    shares["train"] = 1 - sum(shares.values())
    to_deal = len({group_names[number] for number in free})
    check_number(photos, rule.by, to_deal, has_tests=bool(tested))
    part_of = deal_groups(
        [group_names[number] for number in free],
        [photos[number].room_type or "" for number in free],
        list(shares.values()),
        rule,
    )
    names = list(shares)
    return _indices_of(
        ["test" if group in tested else names[part_of[group]] for group in group_names]
    )


def _as_the_data_says(photos: Sequence[Photo]) -> Split:
    is_tested = np.array([photo.split == "test" for photo in photos], dtype=bool)
    test = np.flatnonzero(is_tested)
    if len(test) in (0, len(is_tested)):
        raise UserError(
            "split.assign=own: the data set does not say which photos train and which are tested "
            "(folders 'Training Data' and 'Test Data' do); choose name, balanced or stratified"
        )
    return Split(np.flatnonzero(~is_tested), test, test)


def deal_groups(
    group_names: Sequence[str], room_types: Sequence[str], shares: Sequence[float], rule: SplitRule
) -> dict[str, int]:
    """Give each group to one of the parts: the part's number by the group's name.

    Args:
        group_names: of each photo.
        room_types: of each photo.
        shares: of the parts; a part with a share of 0 gets no group.
        rule: how.
    """
    ordered = order_groups(group_names, rule.seed)
    if rule.assign is Assign.STRATIFIED:
        return _stratify(ordered, group_names, room_types, np.array(shares))
    borders = np.cumsum(shares)[:-1]
    if rule.assign is Assign.NAME:
        ends = np.searchsorted([_position(group, rule.seed) for group in ordered], borders)
    else:
        # Cut off only what float arithmetic adds, so that 0.1 + 0.2 of 10 groups are 3.
        ends = np.rint(np.round(borders * len(ordered), 9)).astype(int)
    wanted = np.array(shares) > 0
    # Every part needs a group: it takes the next one, and leaves one to each part after it.
    for number in range(len(ends)):
        start = ends[number - 1] if number else 0
        least, most = start + wanted[number], len(ordered) - wanted[number + 1 :].sum()
        ends[number] = max(start, min(max(ends[number], least), most))
    parts = np.searchsorted(ends, np.arange(len(ordered)), side="right")
    return {group: int(part) for group, part in zip(ordered, parts, strict=True)}


def _stratify(
    ordered: Sequence[str],
    group_names: Sequence[str],
    room_types: Sequence[str],
    shares: NDArray[np.float64],
) -> dict[str, int]:
    """Deal out the groups, large ones first, each to the part that lacks its room types most.

    Sechidis et al. 2011, "On the stratification of multi-label data", section 3.2, deal out
    examples so; here whole groups are.
    """
    types = {name: number for number, name in enumerate(sorted(set(room_types)))}
    # Of each group only the room types that it has: a catalogue has thousands of categories.
    held: dict[str, dict[int, int]] = {group: {} for group in ordered}
    total = np.zeros(len(types))
    for (group, room_type), photos in Counter(zip(group_names, room_types, strict=True)).items():
        held[group][types[room_type]] = photos
        total[types[room_type]] += photos
    lacking = shares[:, None] * total
    part_of: dict[str, int] = {}
    empty = shares > 0
    # Sorting keeps the order of equals: the seed's.
    largest_first = sorted(ordered, key=lambda name: -sum(held[name].values()))
    for number, group in enumerate(largest_first):
        own = np.array(list(held[group]))
        count = np.array(list(held[group].values()), dtype=np.float64)
        lack = lacking[:, own] @ (count / total[own])
        # The last groups go to the parts that have none yet.
        allowed = empty if len(ordered) - number <= empty.sum() else shares > 0
        part = int(np.argmax(np.where(allowed, lack, -np.inf)))
        lacking[part, own] -= count
        empty[part] = False
        part_of[group] = part
    return part_of


def order_groups(names: Sequence[str], seed: int) -> list[str]:
    """Return the distinct names in an order that looks random and depends on them and the seed."""
    return sorted(set(names), key=lambda group: (_position(group, seed), group))


def _position(group: str, seed: int) -> float:
    """Return a number from 0 to 1 that looks random and depends on the name and the seed."""
    digest = hashlib.sha256(f"{seed}/{group}".encode(errors="surrogateescape")).digest()
    return int.from_bytes(digest[:8]) / 2**64


def _indices_of(assigned: Sequence[str]) -> Split:
    names = np.array(assigned)
    train, validation, test = (
        np.flatnonzero(names == name) for name in ("train", "validation", "test")
    )
    return Split(train, validation, test)

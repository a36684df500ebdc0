"""Splits by what hangs together: no property and no place is ever in two splits."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.data.components import name_components
from seentwice.errors import UserError
from seentwice.records import Photo

# Properties sort before places, so that a group with a property is named after one.
_PROPERTY, _PLACE = 0, 1


@dataclass(frozen=True, slots=True)
class Split:
    """Indices into one list of photos, sorted and disjoint."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def groups_of(photos: Sequence[Photo]) -> list[str]:
    """Return what must stay in one split with each photo: the name of its group.

    A photo links its place with its property; whatever is linked, over any number of photos, is
    one group, so a place whose photos name two properties joins them. A group is named after its
    smallest property, or after its place where no property is known. Should the name of a place
    also be that of a property elsewhere, both are one group.
    """
    links = [
        (
            (_PLACE, photo.place),
            (_PROPERTY, photo.property) if photo.property else (_PLACE, photo.place),
        )
        for photo in photos
    ]
    named = name_components(links)
    return [named[place][1] for place, _ in links]


def split_photos(
    photos: Sequence[Photo], validation_share: float, test_share: float, seed: int
) -> Split:
    """Split once: groups in the order of their names' hashes, the first ones are tested.

    The order depends on the seed and the names alone, so adding photos to a group moves nothing
    and adding a group moves at most one group at each border. Where the data set names its own
    split (`Photo.split`), every group with a test photo is tested and `test_share` is not used.

    Args:
        photos: to split.
        validation_share: of the groups, tested ones left out where the data set names them.
        test_share: of the groups. Each share is at least one group.
        seed: of the order.

    Raises:
        UserError: the shares do not leave a training split, or there are too few groups.
    """
    if not (validation_share > 0 and test_share > 0 and validation_share + test_share < 1):
        raise UserError(
            "split: validation_share and test_share must be above 0 and their sum below 1, "
            f"not {validation_share} and {test_share}"
        )
    group_names = groups_of(photos)
    tested = {
        group for group, photo in zip(group_names, photos, strict=True) if photo.split == "test"
    }
    groups = [group for group in _order_groups(group_names, seed) if group not in tested]
    test_count = 0 if tested else max(1, round(test_share * len(groups)))
    validation_count = max(1, round(validation_share * len(groups)))
    tested |= set(groups[:test_count])
    validated = set(groups[test_count : test_count + validation_count])

    def split_of(group: str) -> str:
        return "test" if group in tested else "validation" if group in validated else "train"

    return _indices_of([split_of(group) for group in group_names])


def fold_photos(photos: Sequence[Photo], folds: int, seed: int) -> tuple[Split, ...]:
    """Return `folds` splits; each group is tested in exactly one of them.

    Groups are ordered by the hash of their name and dealt out in turn, so folds differ by at
    most one group. Fold f tests on part f, chooses its threshold on part f + 1, and trains on the
    rest. A split that the data set names itself is not used: every photo is tested once.

    Raises:
        UserError: fewer than 3 folds, or fewer groups than folds.
    """
    group_names = groups_of(photos)
    groups = _order_groups(group_names, seed)
    if not 3 <= folds <= len(groups):
        raise UserError(
            f"folds={folds}: choose 3 to {len(groups)}, the number of properties or places, "
            "or folds=null for one split"
        )
    part_of = {group: number % folds for number, group in enumerate(groups)}
    parts = [part_of[group] for group in group_names]
    return tuple(
        _indices_of(
            [
                "test" if p == fold else "validation" if p == (fold + 1) % folds else "train"
                for p in parts
            ]
        )
        for fold in range(folds)
    )


def _order_groups(names: Sequence[str], seed: int) -> list[str]:
    """Return the distinct names in an order that looks random and depends on them and the seed."""

    def digest(group: str) -> bytes:
        return hashlib.sha256(f"{seed}/{group}".encode(errors="surrogateescape")).digest()

    return sorted(set(names), key=lambda group: (digest(group), group))


def _indices_of(assigned: Sequence[str]) -> Split:
    names = np.array(assigned)
    train, validation, test = (
        np.flatnonzero(names == name) for name in ("train", "validation", "test")
    )
    for name, indices in (("train", train), ("validation", validation), ("test", test)):
        if len(indices) == 0:
            raise UserError(
                f"the {name} split came out empty: too few properties or places "
                "(at least 3 are needed); add photos or change the shares"
            )
    return Split(train, validation, test)

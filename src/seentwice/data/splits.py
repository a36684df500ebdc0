"""Splits by property, or by place where no property is known: neither is ever in two splits."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.errors import UserError
from seentwice.records import Photo


@dataclass(frozen=True, slots=True)
class Split:
    """Indices into one list of photos, sorted and disjoint."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def group_of(photo: Photo) -> str:
    """Return what must stay in one split: the photo's property, or its place if none is known."""
    return photo.property or photo.place


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
    groups = _ordered_groups(photos, seed)
    tested = {group_of(photo) for photo in photos if photo.split == "test"}
    groups = [group for group in groups if group not in tested]
    test_count = 0 if tested else max(1, round(test_share * len(groups)))
    validation_count = max(1, round(validation_share * len(groups)))
    tested |= set(groups[:test_count])
    validated = set(groups[test_count : test_count + validation_count])

    def split_of(photo: Photo) -> str:
        group = group_of(photo)
        return "test" if group in tested else "validation" if group in validated else "train"

    return _indices_of([split_of(photo) for photo in photos])


def fold_photos(photos: Sequence[Photo], folds: int, seed: int) -> tuple[Split, ...]:
    """Return `folds` splits; each group is tested in exactly one of them.

    Groups are ordered by the hash of their name and dealt out in turn, so folds differ by at
    most one group. Fold f tests on part f, chooses its threshold on part f + 1, and trains on the
    rest. A split that the data set names itself is not used: every photo is tested once.

    Raises:
        UserError: fewer than 3 folds, or fewer groups than folds.
    """
    groups = _ordered_groups(photos, seed)
    if not 3 <= folds <= len(groups):
        raise UserError(
            f"folds={folds}: choose 3 to {len(groups)}, the number of properties or places, "
            "or folds=null for one split"
        )
    part_of = {group: number % folds for number, group in enumerate(groups)}
    parts = [part_of[group_of(photo)] for photo in photos]
    return tuple(
        _indices_of(
            [
                "test" if p == fold else "validation" if p == (fold + 1) % folds else "train"
                for p in parts
            ]
        )
        for fold in range(folds)
    )


def _ordered_groups(photos: Sequence[Photo], seed: int) -> list[str]:
    """Return all groups in an order that looks random and depends on seed and names alone."""

    def digest(group: str) -> bytes:
        return hashlib.sha256(f"{seed}/{group}".encode(errors="surrogateescape")).digest()

    return sorted({group_of(photo) for photo in photos}, key=lambda group: (digest(group), group))


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

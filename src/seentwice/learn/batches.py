"""Batches of pairs as indices: the views of a batch once each, and pairs of those.

The rows themselves stay where they are, on the graphics card if there is room: no batch carries
them, and no loop goes over its pairs.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from seentwice.data.pairs import PairTable
from seentwice.data.sampling.items import codes_of
from seentwice.errors import UserError


class PairBatch(NamedTuple):
    """What one step of training or validation sees."""

    views: Tensor  # (b,) int64 indices into the rows
    left: Tensor  # (n,) int64 indices into views
    right: Tensor  # (n,) int64 indices into views
    label: Tensor  # (n,) bool


def gather_pairs(
    left: NDArray[np.int64], right: NDArray[np.int64], label: NDArray[np.bool_]
) -> PairBatch:
    """Collect the views that the pairs name, each once."""
    used, place = np.unique(np.concatenate([left, right]), return_inverse=True)
    return PairBatch(
        torch.from_numpy(used),
        torch.from_numpy(place[: len(left)]),
        torch.from_numpy(place[len(left) :]),
        torch.from_numpy(label),
    )


class BalancedTableBatches(IterableDataset[PairBatch]):
    """One epoch over a pair table: every positive once, as many negatives, drawn anew.

    The draw follows from the seed and the epoch alone, so an epoch that is run again after an
    interruption sees the same batches.
    """

    def __init__(self, pairs: PairTable, batch_size: int, seed: int, epoch: int) -> None:
        super().__init__()
        self.pairs = pairs
        self.batch_size = batch_size
        generator = np.random.default_rng([seed, epoch])
        positive, negative = np.flatnonzero(pairs.label), np.flatnonzero(~pairs.label)
        drawn = generator.choice(negative, min(len(positive), len(negative)), replace=False)
        self.order = generator.permutation(np.concatenate([positive, drawn]))

    def __iter__(self) -> Iterator[PairBatch]:
        for start in range(0, len(self.order), self.batch_size):
            chosen = self.order[start : start + self.batch_size]
            pairs = self.pairs
            yield gather_pairs(pairs.left[chosen], pairs.right[chosen], pairs.label[chosen])


class PlaceBatches(IterableDataset[PairBatch]):
    """One epoch over the places of a pair table: P places of K views, every pair among them.

    A view that passes the trunk meets all the others of its batch (Hermans et al. 2017,
    arXiv:1703.07737, section 2), where a batch of table rows would show it only one. Pairs that
    share a zone or all their pixels but no place are left out.

    A share of the batches holds places of one room type, and others only where there are too few:
    two bathrooms are harder to tell apart than a bathroom and a kitchen.

    `epoch` may be set anew: what is known of the photos is collected once.
    """

    def __init__(
        self,
        pairs: PairTable,
        places_per_batch: int,
        views_per_place: int,
        same_type_share: float,
        batches: int,
        seed: int,
        epoch: int,
    ) -> None:
        super().__init__()
        self.places_per_batch = places_per_batch
        self.views_per_place = views_per_place
        self.same_type_share = same_type_share
        self.batches = batches
        self.seed = seed
        self.epoch = epoch
        self.members = np.unique(np.concatenate([pairs.left, pairs.right]))
        photos = [pairs.views[index].photo for index in self.members]
        self.place = codes_of([photo.place for photo in photos])
        self.zone = codes_of([photo.zone or photo.place for photo in photos])
        self.room_type = codes_of([photo.room_type or "" for photo in photos])
        self.content = pairs.contents_of(self.members)

    def __iter__(self) -> Iterator[PairBatch]:
        generator = np.random.default_rng([self.seed, self.epoch])
        order = np.argsort(self.place, kind="stable")
        of_place = np.split(order, np.cumsum(np.bincount(self.place))[:-1])
        room_type = self.room_type[[views[0] for views in of_place]]
        for _ in range(self.batches):
            places = generator.permutation(len(of_place))
            if generator.random() < self.same_type_share:
                other = room_type[places] != room_type[places[0]]
                places = places[np.argsort(other, kind="stable")]
            chosen = np.concatenate(
                [
                    generator.permutation(of_place[p])[: self.views_per_place]
                    for p in places[: self.places_per_batch]
                ]
            )
            left, right = np.triu_indices(len(chosen), k=1)
            one, other = chosen[left], chosen[right]
            same = self.place[one] == self.place[other]
            apart = (self.zone[one] != self.zone[other]) & (
                self.content[one] != self.content[other]
            )
            keep = same | apart
            view = self.members[chosen]
            yield gather_pairs(view[left[keep]], view[right[keep]], same[keep])


class CopyBatches(IterableDataset[PairBatch]):
    """One epoch over the photos of a pair table: each as it is beside one of its edited copies.

    The pair is the label: no place is asked for, and a positive pair is two views of one photo.
    Other photos are negatives but for those that share its place, zone or all its pixels, which are
    left out. `epoch` may be set anew.
    """

    def __init__(
        self, pairs: PairTable, photos_per_batch: int, batches: int, seed: int, epoch: int
    ) -> None:
        """Take the photos that the table shows both as they are and edited.

        Raises:
            UserError: there is none.
        """
        super().__init__()
        self.photos_per_batch = photos_per_batch
        self.batches = batches
        self.seed = seed
        self.epoch = epoch
        members = np.unique(np.concatenate([pairs.left, pairs.right]))
        views = [pairs.views[index] for index in members]
        keys = [view.photo.key for view in views]
        _, shown, photo = np.unique(
            np.array(keys, dtype=object).astype(str), return_index=True, return_inverse=True
        )
        edited = np.array([view.edit != "" for view in views])
        self.plain = np.full(len(shown), -1)  # of each photo
        self.plain[photo[~edited]] = members[~edited]
        order = np.argsort(photo[edited], kind="stable")
        self.copies = members[edited][order]  # those of one photo side by side
        self.count = np.bincount(photo[edited], minlength=len(shown))  # of each photo
        self.first = np.cumsum(self.count) - self.count
        self.usable = np.flatnonzero((self.plain >= 0) & (self.count > 0))
        if not len(self.usable):
            raise UserError(
                "no training photo has an edited copy: give edits=mls, or edits.train=[NAMES]"
            )
        photos = [views[index].photo for index in shown]
        self.place = codes_of([photo.place for photo in photos])
        self.zone = codes_of([photo.zone or photo.place for photo in photos])
        self.content = pairs.contents_of(members[shown])

    def __iter__(self) -> Iterator[PairBatch]:
        generator = np.random.default_rng([self.seed, self.epoch])
        for _ in range(self.batches):
            chosen = generator.permutation(self.usable)[: self.photos_per_batch]
            copy = self.first[chosen] + generator.integers(self.count[chosen])
            view = np.concatenate([self.plain[chosen], self.copies[copy]])
            photo = np.tile(chosen, 2)
            left, right = np.triu_indices(len(view), k=1)
            one, other = photo[left], photo[right]
            same = one == other
            apart = (
                (self.place[one] != self.place[other])
                & (self.zone[one] != self.zone[other])
                & (self.content[one] != self.content[other])
            )
            keep = same | apart
            yield gather_pairs(view[left[keep]], view[right[keep]], same[keep])


class GrowingBatches(IterableDataset[PairBatch]):
    """Every view that a table names once, and every pair with the batch that completes it.

    A batch's views are the next ones alone; its pairs are indices into the views of all batches
    so far. So each view passes the trunk once, and few at a time, however many pairs name it.
    """

    def __init__(self, pairs: PairTable, views_per_batch: int) -> None:
        super().__init__()
        self.pairs = pairs
        self.views_per_batch = views_per_batch

    def __iter__(self) -> Iterator[PairBatch]:
        pairs = self.pairs
        used, place = np.unique(np.concatenate([pairs.left, pairs.right]), return_inverse=True)
        left, right = place[: len(pairs)], place[len(pairs) :]
        batch = np.maximum(left, right) // self.views_per_batch
        for number, start in enumerate(range(0, len(used), self.views_per_batch)):
            complete = np.flatnonzero(batch == number)
            yield PairBatch(
                torch.from_numpy(used[start : start + self.views_per_batch]),
                torch.from_numpy(left[complete]),
                torch.from_numpy(right[complete]),
                torch.from_numpy(pairs.label[complete]),
            )

"""The pair table: which two views are compared, whether they show the same place, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seentwice.data.sampling.items import codes_of, describe_items
from seentwice.data.sampling.mix import (
    MixedPolicy,
    NegativeMix,
    PositiveMix,
    draw_negatives,
    draw_positives,
)
from seentwice.data.sampling.ranks import pairs_at
from seentwice.display import name_count
from seentwice.errors import UserError
from seentwice.records import Kind, Photo, View

KINDS: tuple[Kind, ...] = tuple(Kind)
_OF_KINDS = " of the kinds that sampling asks for"
COLUMNS = ("left", "right", "label", "left_edit", "right_edit", "kind")


@dataclass(frozen=True, slots=True)
class PairTable:
    """Pairs as columns of one length n, over views that several tables share.

    Rows computed once per view serve every table: `rows[pairs.left]` are the left sides.
    """

    views: tuple[View, ...]
    left: NDArray[np.int64]  # (n,) index into views
    right: NDArray[np.int64]  # (n,) index into views
    label: NDArray[np.bool_]  # (n,) the same place?
    kind: NDArray[np.int8]  # (n,) index into KINDS
    contents: NDArray[np.uint64] | None = None  # (v,) see `make_pairs`; None: all differ

    def __len__(self) -> int:
        return len(self.left)

    def take(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> "PairTable":
        """Return the chosen pairs, by index or by mask."""
        return PairTable(
            self.views,
            self.left[chosen],
            self.right[chosen],
            self.label[chosen],
            self.kind[chosen],
            self.contents,
        )

    def contents_of(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number what some views hold before their edits, (m,): the same for the same pixels."""
        if self.contents is None:
            return codes_of([self.views[index].photo.key for index in chosen])
        return np.unique(self.contents[chosen], return_inverse=True)[1]

    def to_frame(self) -> pd.DataFrame:
        """Return the table with the columns `COLUMNS`; photos by key.

        Bytes of a key that are not UTF-8, which pandas cannot hold, are escaped: `\\udcff`.
        """
        # A view is in many pairs: its texts are made once and then taken by index.
        key = np.array([escape_key(view.photo.key) for view in self.views], dtype=object)
        edit = np.array([view.edit for view in self.views], dtype=object)
        kind = np.array([kind.value for kind in KINDS], dtype=object)
        return pd.DataFrame(
            {
                "left": key[self.left],
                "right": key[self.right],
                "label": self.label.astype(np.int8),
                "left_edit": edit[self.left],
                "right_edit": edit[self.right],
                "kind": kind[self.kind],
            },
            columns=list(COLUMNS),
        )


def make_pairs(
    views: tuple[View, ...],
    members: NDArray[np.int64],
    contents: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
    policy: MixedPolicy,
    nearest: NDArray[np.int64] | None,
    threads: int,
    seed: Sequence[int],
) -> PairTable:
    """Make the pair table of one split from its views.

    Positives are pairs of views of one place; negatives share neither place, zone nor pixels.
    No view meets itself and no pair is repeated. The same seed gives the same table.

    Args:
        views: the v views of the whole comparison.
        members: (m,) the indices of this split's views.
        contents: (v,) a digest of each view's photo, the same for the same pixels.
        hashes: (v,) one perceptual hash a view.
        policy: how many pairs, and of which kinds.
        nearest: (m, k) the nearest ones of each member to a trained model, as indices into
            `members`, for hard negatives; None without them.
        threads: how many compute hash distances; the table does not depend on it.
        seed: of the samples; any integers.

    Raises:
        UserError: hard negatives have a weight, and `nearest` is None.
    """
    generator = np.random.default_rng(seed)
    items = describe_items([views[index] for index in members], contents[members], hashes[members])
    positive = draw_positives(items, policy, generator)
    negative = draw_negatives(items, policy, nearest, threads, generator)
    counts = {kind: len(ranks) for kind, ranks in (*positive.items(), *negative.items())}
    low, high = pairs_at(np.concatenate([*positive.values(), *negative.values()]))
    return PairTable(
        views,
        members[low],
        members[high],
        np.arange(len(low)) < sum(map(len, positive.values())),
        np.repeat([KINDS.index(kind) for kind in counts], list(counts.values())).astype(np.int8),
        contents,
    )


def require_both_labels(pairs: PairTable, photos: Sequence[Photo], split: str) -> None:
    """Refuse a table that nothing can be learned from or measured on.

    Args:
        pairs: of one split.
        photos: that it was made of.
        split: its name.

    Raises:
        UserError: it holds no duplicate or no negative pair.
    """
    places = len({photo.place for photo in photos})
    of = f"{name_count(len(photos), 'photo', 'photos')} of {name_count(places, 'place', 'places')}"
    for name, advice, count in (
        ("duplicate", "add photos of the same places, or let edits=mls make copies", pairs.label),
        ("negative", "add photos of more places", ~pairs.label),
    ):
        if count.any():
            continue
        # One place alone has no negative of any kind.
        kinds = ("", "") if name == "negative" and places == 1 else (_OF_KINDS, "other kinds, ")
        raise UserError(
            f"the {split} split, {of}, has no {name} pair{kinds[0]}: {advice}; or choose "
            f"{kinds[1]}another split.seed or split.assign"
        )


def list_pairs(views: tuple[View, ...]) -> PairTable:
    """Return every pair of few views: positives of a place, and negatives that are all uniform.

    Views of one photo are told by its key alone; pairs that share a zone and no place are left out.
    """
    every = len(views) ** 2
    keys = codes_of([view.photo.key for view in views]).astype(np.uint64)
    policy = MixedPolicy(
        every,
        every,
        PositiveMix(edited=1.0, same_place=1.0, exact_copy=1.0),
        NegativeMix(
            uniform=1.0, hash_weighted=0.0, same_property=0.0, same_room_type=0.0, hard=0.0
        ),
    )
    return make_pairs(views, np.arange(len(views)), keys, keys, policy, None, 1, [0])


def join_tables(tables: Sequence[PairTable]) -> PairTable:
    """Return the pairs of several tables over the same views, one table after another."""
    return PairTable(
        tables[0].views,
        np.concatenate([table.left for table in tables]),
        np.concatenate([table.right for table in tables]),
        np.concatenate([table.label for table in tables]),
        np.concatenate([table.kind for table in tables]),
        tables[0].contents,
    )


def escape_key(text: str) -> str:
    r"""Return a photo's key as pandas can hold it: a byte that is not UTF-8 becomes `\udcff`."""
    return text.encode("utf-8", "backslashreplace").decode()

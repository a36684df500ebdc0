"""The pair table: which two views are compared, whether they show the same place, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seentwice.data.sampling import draw_negatives, draw_positives
from seentwice.errors import UserError
from seentwice.hamming import hamming_bits
from seentwice.records import Kind, View

KINDS: tuple[Kind, ...] = tuple(Kind)
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
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the table with the columns `COLUMNS`; photos by key.

        Bytes of a key that are not UTF-8, which pandas cannot hold, are escaped: `\\udcff`.
        """
        # A view is in many pairs: its texts are made once and then taken by index.
        key = np.array([_escape(view.photo.key) for view in self.views], dtype=object)
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


@dataclass(frozen=True, slots=True)
class PairPolicy:
    """How many pairs of a split's views make its table, and which.

    Raises:
        UserError: a number is out of its range.
    """

    max_positives: int  # all pairs of one place up to this many, a uniform sample beyond
    max_negatives: int  # all other pairs up to this many, a sample beyond
    hash_hard_share: float  # of a sample of negatives: drawn with weight exp(-hash distance)
    hash_hard_bits: int  # a negative whose hashes differ by at most this is of kind hash_hard

    def __post_init__(self) -> None:
        """Refuse what would silently make another table than the one asked for."""
        for name, is_valid, valid in (
            ("max_positives", self.max_positives >= 1, "1 or more"),
            ("max_negatives", self.max_negatives >= 1, "1 or more"),
            ("hash_hard_share", 0 <= self.hash_hard_share <= 1, "from 0 to 1"),
            ("hash_hard_bits", 0 <= self.hash_hard_bits <= 64, "from 0 to 64"),
        ):
            if not is_valid:
                raise UserError(f"pairs.{name}={getattr(self, name)}: must be {valid}")


def make_pairs(
    views: tuple[View, ...],
    members: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    policy: PairPolicy,
    seed: Sequence[int],
) -> PairTable:
    """Make the pair table of one split from its views.

    Positives are pairs of views of one place, negatives pairs that share neither place nor zone.
    No view meets itself and no pair is repeated. The same seed gives the same table.

    Args:
        views: the v views of the whole comparison.
        members: (m,) the indices of this split's views.
        hashes: (v,) one perceptual hash a view.
        policy: how many pairs, and which.
        seed: of the samples; any integers.

    Raises:
        UserError: the views hold no positive or no negative pair.
    """
    generator = np.random.default_rng(seed)
    place = codes_of([views[index].photo.place for index in members])
    zone = codes_of([views[index].photo.zone or views[index].photo.place for index in members])
    positive = members[draw_positives(place, policy.max_positives, generator)]
    negative = members[
        draw_negatives(
            place,
            zone,
            hashes[members],
            policy.max_negatives,
            policy.hash_hard_share,
            generator,
        )
    ]
    for name, pairs in (("duplicate", positive), ("negative", negative)):
        if len(pairs) == 0:
            raise UserError(
                f"a split of {len(members)} views has no {name} pair: add photos of more places, "
                "choose edits (edits=mls makes copies) or another split.seed"
            )
    left, right = np.concatenate([positive, negative]).T
    photo = codes_of([view.photo.key for view in views])
    label = np.arange(len(left)) < len(positive)
    near = hamming_bits(hashes[left], hashes[right]) <= policy.hash_hard_bits
    kind = np.select(
        [label & (photo[left] == photo[right]), label, near],
        [KINDS.index(Kind.EDITED), KINDS.index(Kind.SAME_PLACE), KINDS.index(Kind.HASH_HARD)],
        KINDS.index(Kind.NEGATIVE),
    )
    return PairTable(views, left, right, label, kind.astype(np.int8))


def join_tables(tables: Sequence[PairTable]) -> PairTable:
    """Return the pairs of several tables over the same views, one table after another."""
    return PairTable(
        tables[0].views,
        np.concatenate([table.left for table in tables]),
        np.concatenate([table.right for table in tables]),
        np.concatenate([table.label for table in tables]),
        np.concatenate([table.kind for table in tables]),
    )


def codes_of(names: Sequence[str]) -> NDArray[np.int64]:
    """Number the distinct names from 0 in their sorted order: (n,)."""
    return np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)[1]


def _escape(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()

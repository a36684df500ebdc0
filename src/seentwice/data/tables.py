"""The pair tables of a split: training, validation and test."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.data.pairs import PairPolicy, PairTable, make_pairs
from seentwice.data.splits import Split
from seentwice.data.views import EditChoice, ViewPlan


@dataclass(frozen=True, slots=True)
class FoldTables:
    """The three pair tables of one split; no place or property is in two of them."""

    train: PairTable
    validation: PairTable
    test: PairTable


def make_tables(
    plan: ViewPlan,
    splits: Sequence[Split],
    readable: NDArray[np.bool_],
    hashes: NDArray[np.uint64],
    edits: EditChoice,
    train_policy: PairPolicy,
    evaluation_policy: PairPolicy,
    seed: int,
) -> tuple[FoldTables, ...]:
    """Make the pair tables of every split.

    Args:
        plan: the v views.
        splits: one a fold.
        readable: (v,) views without rows are in no table.
        hashes: (v,) one perceptual hash a view, for hash-hard negatives.
        edits: which copies each table holds.
        train_policy: how many training pairs, and which.
        evaluation_policy: the same for validation and test.
        seed: of the samples.

    Raises:
        UserError: a table would hold no positive or no negative pair.
    """

    def table(
        photos: NDArray[np.int64], names: tuple[str, ...], policy: PairPolicy, stream: int
    ) -> PairTable:
        members = plan.members(photos, names, readable)
        return make_pairs(plan.views, members, hashes, policy, [seed, stream])

    return tuple(
        FoldTables(
            table(split.train, edits.train, train_policy, 3 * fold),
            table(split.validation, edits.evaluation, evaluation_policy, 3 * fold + 1),
            table(split.test, edits.evaluation, evaluation_policy, 3 * fold + 2),
        )
        for fold, split in enumerate(splits)
    )

"""The pair tables of a split: training, validation and test."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seentwice.data.pairs import PairTable, make_pairs, require_both_labels
from seentwice.data.samespace import make_samespace_pairs
from seentwice.data.sampling.mix import MixedPolicy
from seentwice.data.splits import Split
from seentwice.data.views import EditChoice, ViewPlan
from seentwice.errors import UserError
from seentwice.records import Photo


@dataclass(frozen=True, slots=True)
class MixedSampling:
    """Unordered pairs in a mix of kinds."""

    table: Literal["mixed"]
    train: MixedPolicy
    # Of the validation and test tables; None is SameSpace's own, to stand beside what it measured.
    evaluation: MixedPolicy | None

    def __post_init__(self) -> None:
        """Refuse test pairs that a model chose: they would measure the others."""
        _check_evaluation(self.evaluation)


@dataclass(frozen=True, slots=True)
class SamespaceSampling:
    """SameSpace's own table, for training and, unless a mix is given, for evaluation alike."""

    table: Literal["samespace"]
    evaluation: MixedPolicy | None = None

    def __post_init__(self) -> None:
        """Refuse test pairs that a model chose: they would measure the others."""
        _check_evaluation(self.evaluation)


Sampling = MixedSampling | SamespaceSampling


def has_own_tables(sampling: Sampling) -> bool:
    """Say whether a table is SameSpace's own, which weighs negatives by another hash."""
    return isinstance(sampling, SamespaceSampling) or sampling.evaluation is None


def _check_evaluation(policy: MixedPolicy | None) -> None:
    if policy is not None and policy.negatives.hard > 0:
        raise UserError(
            "sampling.evaluation.negatives.hard: must be 0: pairs that one model chose measure "
            "the others unfairly; give it to sampling.train"
        )


@dataclass(frozen=True, slots=True)
class FoldTables:
    """The three pair tables of one split; no place or property is in two of them.

    But where the data set made the split (`Assign.OWN`), whose test photos validate, too.
    """

    train: PairTable
    validation: PairTable
    test: PairTable


@dataclass(frozen=True, slots=True, eq=False)
class ViewDigests:
    """What pair tables need to know of the pixels of all v views."""

    readable: NDArray[np.bool_]  # (v,) views without rows are in no table
    content: NDArray[np.uint64]  # (v,) of the photo before its edit
    hashes: NDArray[np.uint64]  # (v,) one perceptual hash a view


def make_tables(
    plan: ViewPlan,
    splits: Sequence[Split],
    digests: ViewDigests,
    edits: EditChoice,
    sampling: Sampling,
    nearest: Sequence[NDArray[np.int64]] | None,
    threads: int,
    seed: int,
    needs_both_labels: bool,
) -> tuple[FoldTables, ...]:
    """Make the pair tables of every split.

    Args:
        plan: the v views.
        splits: one a fold.
        digests: of the views.
        edits: which copies each table holds.
        sampling: how many pairs, and which.
        nearest: one a fold, (m, k) the nearest ones of each of its m training views to a trained
            model, as indices into `train_members`; None without hard negatives.
        threads: how many compute hash distances; the tables do not depend on it.
        seed: of the samples.
        needs_both_labels: whether a table without duplicates or without negatives is an error.

    Raises:
        UserError: a table holds no duplicate or no negative pair where it should.
    """
    folds = tuple(
        FoldTables(
            _make_table(
                plan,
                train_members(plan, split, edits, digests.readable),
                digests,
                sampling.train if isinstance(sampling, MixedSampling) else None,
                nearest[fold] if nearest is not None else None,
                threads,
                [seed, 3 * fold],
            ),
            _make_evaluation_table(
                plan, split.validation, digests, edits, sampling, threads, [seed, 3 * fold + 1]
            ),
            _keep_tested(
                _make_evaluation_table(
                    plan, split.test, digests, edits, sampling, threads, [seed, 3 * fold + 2]
                ),
                plan,
                split,
            ),
        )
        for fold, split in enumerate(splits)
    )
    if needs_both_labels:
        for tables, split in zip(folds, splits, strict=True):
            # Two parts of which only pairs across are tested may share no place.
            may_lack = split.across is not None and not split.across.tests_inside
            for part in ("train", "validation") if may_lack else ("train", "validation", "test"):
                photos = _photos_of(plan, getattr(split, part))
                require_both_labels(getattr(tables, part), photos, part)
    return folds


def make_test_table(
    plan: ViewPlan,
    split: Split,
    digests: ViewDigests,
    edits: EditChoice,
    sampling: Sampling,
    threads: int,
    seed: int,
) -> PairTable:
    """Make the test table alone: the pairs that `make_tables` makes of the only split.

    Args:
        plan: the v views, of tested photos at least.
        split: whose test photos.
        digests: of the views.
        edits: which copies the table holds.
        sampling: how many pairs, and which.
        threads: how many compute hash distances; the table does not depend on it.
        seed: of the samples.

    Raises:
        UserError: the table would hold no positive or no negative pair.
    """
    table = _make_evaluation_table(plan, split.test, digests, edits, sampling, threads, [seed, 2])
    require_both_labels(table, _photos_of(plan, split.test), "test")
    return table


def train_members(
    plan: ViewPlan, split: Split, edits: EditChoice, readable: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return the indices of the views that a split's training table is made of: (m,)."""
    return plan.members(split.train, edits.train, readable)


def _photos_of(plan: ViewPlan, numbers: NDArray[np.int64]) -> list[Photo]:
    chosen = (plan.edit_name == "") & np.isin(plan.photo, numbers)
    return [plan.views[index].photo for index in np.flatnonzero(chosen)]


def _make_evaluation_table(
    plan: ViewPlan,
    photos: NDArray[np.int64],
    digests: ViewDigests,
    edits: EditChoice,
    sampling: Sampling,
    threads: int,
    seed: Sequence[int],
) -> PairTable:
    members = plan.members(photos, edits.evaluation, digests.readable)
    return _make_table(plan, members, digests, sampling.evaluation, None, threads, seed)


def _keep_tested(table: PairTable, plan: ViewPlan, split: Split) -> PairTable:
    """Return the pairs of the test photos that this split tests, of several folds."""
    if split.across is None:
        return table
    first = split.across.first
    left, right = (np.isin(plan.photo[side], first) for side in (table.left, table.right))
    return table.take((left != right) | (left & right & split.across.tests_inside))


def _make_table(
    plan: ViewPlan,
    members: NDArray[np.int64],
    digests: ViewDigests,
    policy: MixedPolicy | None,
    nearest: NDArray[np.int64] | None,
    threads: int,
    seed: Sequence[int],
) -> PairTable:
    """Make one table; SameSpace's has no policy."""
    if policy is None:
        pairs = make_samespace_pairs(plan.views, members, digests.hashes, threads, seed)
        return replace(pairs, contents=digests.content)
    return make_pairs(
        plan.views, members, digests.content, digests.hashes, policy, nearest, threads, seed
    )

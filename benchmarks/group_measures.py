"""How well pairs and groups that were found agree with the true ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Labels = NDArray[np.int64]
"""(n,) the group of each photo, by number; one that is alone has a number of its own."""
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PairQuality:
    """Pairs that were found beside the true ones."""

    precision: float  # share of the found ones that are true; 1 where none was found
    recall: float  # share of the true ones that were found; 1 where there is none
    found: int
    true: int
    wrong: int  # found, but not true

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True, slots=True)
class GroupQuality:
    """Groups that were found beside the true ones; groups are of two photos or more."""

    bcubed_precision: float  # mean over photos: share of its found group that is truly of its own
    bcubed_recall: float  # mean over photos: share of its true group that was put with it
    whole: float  # share of the true groups that are a found group, no photo more or less
    pure: float  # share of the found groups that hold photos of one true group alone
    found: int
    true: int
    largest: int  # photos of the largest found group


def count_pairs(true: int, found: int, right: int) -> PairQuality:
    """Return the quality of so many pairs, of which `right` are found and true."""
    return PairQuality(
        precision=right / found if found else 1.0,
        recall=right / true if true else 1.0,
        found=found,
        true=true,
        wrong=found - right,
    )


def measure_pairs(truth: Labels, left: Indices, right: Indices) -> PairQuality:
    """Measure pairs (m,), (m,) of photos, each listed once."""
    agreeing = int(np.count_nonzero(truth[left] == truth[right]))
    return count_pairs(count_within(truth), len(left), agreeing)


def measure_pairs_within(truth: Labels, groups: Labels) -> PairQuality:
    """Measure all pairs of photos of one found group."""
    return count_pairs(
        count_within(truth), count_within(groups), count_within(_cells(truth, groups))
    )


def measure_groups(truth: Labels, groups: Labels) -> GroupQuality:
    """Measure groups by photos (BCubed, Bagga & Baldwin 1998) and by whole groups."""
    cells = _cells(truth, groups)
    in_truth, in_group, in_both = (_sizes(labels)[labels] for labels in (truth, groups, cells))
    is_true, is_found = in_truth > 1, in_group > 1
    true, found = (
        len(np.unique(labels[some])) for labels, some in ((truth, is_true), (groups, is_found))
    )
    whole = len(np.unique(truth[is_true & (in_both == in_truth) & (in_both == in_group)]))
    mixed = len(np.unique(groups[is_found & (in_both < in_group)]))
    return GroupQuality(
        bcubed_precision=float((in_both / in_group).mean()),
        bcubed_recall=float((in_both / in_truth).mean()),
        whole=whole / true if true else 1.0,
        pure=1 - mixed / found if found else 1.0,
        found=found,
        true=true,
        largest=int(in_group.max()) if found else 0,
    )


def join_pairs(count: int, left: Indices, right: Indices) -> Labels:
    """Return the groups of photos that pairs connect, over however many others."""
    pairs = coo_array((np.ones(len(left), bool), (left, right)), shape=(count, count))
    _, label = connected_components(pairs, directed=False)
    return label.astype(np.int64)


def count_within(labels: Labels) -> int:
    """Count the pairs of photos of one group."""
    sizes = _sizes(labels)
    return int((sizes * (sizes - 1) // 2).sum())


def _cells(truth: Labels, groups: Labels) -> Labels:
    """Return what true and found group each photo is of, as one number."""
    both = np.stack([truth, groups], axis=1)
    _, cell = np.unique(both, axis=0, return_inverse=True)
    return cell.astype(np.int64).ravel()


def _sizes(labels: Labels) -> Indices:
    return np.bincount(labels).astype(np.int64)

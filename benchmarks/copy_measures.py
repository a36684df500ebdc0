"""How many copies are found among all pairs of a copy and an original, at one threshold for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.curves import Floats, rank_pairs
from seentwice.data.sampling.items import codes_of
from seentwice.data.views import ViewPlan
from seentwice.records import Interval, Photo
from seentwice.resampling import draw_metrics, make_interval, measure_all, plan_resampling

LEAST_PRECISION = 0.999
LEVEL = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class CrossPairs:
    """Every edited copy of some photos beside every one of these photos as it is."""

    query: NDArray[np.int64]  # (q,) views that are copies
    reference: NDArray[np.int64]  # (r,) views that are photos as they are
    is_true: NDArray[np.bool_]  # (q, r): one place
    counts: NDArray[np.bool_]  # (q, r): not of one zone without being of one place
    home: NDArray[np.int64]  # (q,) of the copy
    edit: NDArray[np.str_]  # (q,) its name


def pair_views(
    plan: ViewPlan, photos: Sequence[Photo], homes: Sequence[str], start: int
) -> CrossPairs:
    """List the pairs of a plan.

    Args:
        plan: the views, each photo as it is among them.
        photos: that the plan numbers.
        homes: of the photos, likewise.
        start: number of the plan's first view.
    """
    query, reference = np.flatnonzero(plan.edit_name != ""), np.flatnonzero(plan.edit_name == "")
    place = codes_of([photo.place for photo in photos])[plan.photo]
    zone = codes_of([photo.zone or photo.place for photo in photos])[plan.photo]
    is_true = place[query][:, np.newaxis] == place[reference]
    may_share = zone[query][:, np.newaxis] == zone[reference]
    home = codes_of(homes)[plan.photo[query]]
    edit = plan.edit_name[query]
    return CrossPairs(query + start, reference + start, is_true, is_true | ~may_share, home, edit)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What one detector finds of the cross pairs, and how that varies with the homes."""

    recall: Interval  # highest at any threshold whose precision is at least `LEAST_PRECISION`
    micro_average_precision: Interval  # of one ranking of all pairs, ties worst first
    recall_at_1: float  # share of the copies whose best original is a true one, ties worst first
    by_edit: Mapping[str, float]  # recall at that threshold of the copies of each edit
    draws: Floats  # (resamples,) of `recall`, the same homes for every detector


def measure_copies(scores: NDArray[np.float32], pairs: CrossPairs, resamples: int) -> Found:
    """Measure one detector.

    A resample draws the homes of the copies; what they are compared with stays as it is, as in
    `seentwice.retrieval.bootstrap_retrieval`.

    Args:
        scores: (q, r), higher is more surely a copy; pairs that do not count may hold anything.
        pairs: what was scored.
        resamples: of the homes.
    """
    counted = np.nonzero(pairs.counts)
    label, score = pairs.is_true[counted], scores[counted]
    plan = plan_resampling(pairs.home, pairs.home, resamples=resamples)
    steps = rank_pairs(label, score).sum_steps(plan.group[counted[0]], plan.groups)

    def measure(weight: Floats) -> dict[str, Floats]:
        weighed = steps.weigh(weight)
        return {
            "recall": weighed.recall_at_precision(LEAST_PRECISION),
            "micro": weighed.average_precision_worst_first(weighed.found[-1]),
        }

    [draws] = draw_metrics(plan, [measure], steps.floats)
    value = measure_all(plan, measure)
    intervals = {name: make_interval(plan, value[name], draws[name], LEVEL) for name in value}
    best_true = np.where(pairs.is_true, scores, -np.inf).max(axis=1)
    best_false = np.where(pairs.counts & ~pairs.is_true, scores, -np.inf).max(axis=1)
    is_found = pairs.is_true & (scores >= find_threshold(score[label], value["recall"]))
    return Found(
        recall=intervals["recall"],
        micro_average_precision=intervals["micro"],
        recall_at_1=float((best_true > best_false).mean()),
        by_edit={
            name: float(is_found[of_edit].sum() / pairs.is_true[of_edit].sum())
            for name in dict.fromkeys(pairs.edit.tolist())
            for of_edit in [pairs.edit == name]
        },
        draws=draws["recall"],
    )


def find_threshold(true_scores: NDArray[np.float32], recall: float) -> float:
    """Return the score that the share `recall` of true pairs reach; infinite for none."""
    found = round(recall * len(true_scores))
    return float(np.sort(true_scores)[-found]) if found else float("inf")


def measure_gain(found: Found, other: Found) -> Interval:
    """Return by how much more one recalls than another, resample by resample."""
    gain = found.draws - other.draws
    low, high = np.quantile(gain, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(found.recall.value - other.recall.value, float(low), float(high))

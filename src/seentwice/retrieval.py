"""How well a search finds the photos it should: every query ranks candidates by their scores.

Ties are ranked as badly as can be, the wrong candidates first: a score that is the same for all
finds nothing. True candidates that were not retrieved count as not found.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seentwice.curves import Bools, Floats, Ints, StepSums, divide, rank_pairs, sum_by_group
from seentwice.records import Interval
from seentwice.resampling import (
    draw_metrics,
    make_interval,
    measure_all,
    plan_resampling,
    require_length,
)

NOT_FOUND = np.iinfo(np.int64).max  # a rank behind every other


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The m candidates that q queries retrieved, in any order, none twice for one query."""

    query: Ints  # (m,): in 0..q-1
    is_true: Bools  # (m,): whether the candidate shows what the query shows
    score: Floats  # (m,): any finite values, higher for more surely true
    true: Ints  # (q,): how many true candidates there are for each query, retrieved or not

    def __post_init__(self) -> None:
        """Refuse answers that contradict each other.

        Raises:
            ValueError: If lengths differ, a query is not among the q, or a query retrieved more
                true candidates than there are.
        """
        lengths = {len(self.query), len(self.is_true), len(self.score)}
        if len(lengths) > 1:
            raise ValueError(f"query, is_true and score differ in length: {sorted(lengths)}")
        if len(self.query) and not 0 <= self.query.min() <= self.query.max() < len(self.true):
            raise ValueError(f"queries must lie in 0 to {len(self.true) - 1}")
        if (np.bincount(self.query[self.is_true], minlength=len(self.true)) > self.true).any():
            raise ValueError("a query has retrieved more true candidates than there are")


def rank_queries(answers: Answers) -> tuple[Ints, Floats]:
    """Rank each query's candidates by itself.

    Returns:
        The rank (q,) of the first true candidate of each query, 0 for the best of all and
        `NOT_FOUND` where none was retrieved; and average precision (q,), the mean over a query's
        true candidates of the precision at their ranks, 0 for those not retrieved, and nan for a
        query without any.
    """
    queries = len(answers.true)
    order = np.lexsort((answers.is_true, -answers.score, answers.query))
    query, is_true = answers.query[order], answers.is_true[order]
    rank = np.arange(len(order)) - np.searchsorted(query, np.arange(queries))[query]
    asked, rank = query[is_true], rank[is_true]
    found = np.arange(len(asked)) - np.searchsorted(asked, np.arange(queries))[asked]
    first = np.full(queries, NOT_FOUND)
    first[asked[found == 0]] = rank[found == 0]
    precision = sum_by_group(asked, (found + 1) / (rank + 1), queries)
    return first, divide(precision, answers.true.astype(np.float64))


def retrieval_metrics(answers: Answers) -> dict[str, float]:
    """Every metric of `bootstrap_retrieval` by name, without its interval.

    Raises:
        ValueError: If nothing was retrieved or a score is not finite.
    """
    queries = len(answers.true)
    measured = _measure_by(answers, np.arange(queries), queries).measure(np.ones((queries, 1)))
    return {name: float(values[0]) for name, values in measured.items()}


def bootstrap_retrieval(
    answers: Answers,
    cluster: ArrayLike,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Interval]:
    """How well queries are answered, with confidence intervals over the homes that ask.

    A resample draws the clusters of the queries; what they are compared with stays as it is.

    Args:
        answers: of q queries.
        cluster: (q,) int, the home or place of each query.
        resamples: How many times the clusters are drawn.
        seed: Equal seeds and clusters give equal resamples.
        level: Coverage of the intervals, in (0, 1).

    Returns:
        `recall_at_1` and `recall_at_10`, the share of queries that have a true candidate among
        their first one or ten (Jégou et al., PAMI 2011; where a query has one true candidate, also
        the Image Similarity Challenge's); `mean_average_precision` over queries; and
        `micro_average_precision`, that of one ranking of the candidates of all queries, by which
        copy detection is measured (Douze et al. 2021, The 2021 Image Similarity Dataset and
        Challenge; Pizzi et al. 2022, SSCD): scores must mean the same for every query, and
        candidates of a query that has no true one are false alarms. The others leave those queries
        out. nan where no query has a true candidate.

    Raises:
        ValueError: If nothing was retrieved, a score is not finite, the lengths differ or there is
            no resample.
    """
    plan = plan_resampling(cluster, cluster, resamples=resamples, seed=seed)
    require_length(plan, len(answers.true))
    ranked = _measure_by(answers, plan.group, plan.groups)
    [draws] = draw_metrics(plan, [ranked.measure], ranked.steps.floats)
    return {
        name: make_interval(plan, value, draws[name], level)
        for name, value in measure_all(plan, ranked.measure).items()
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Ranked:
    """Ranked answers of the queries of g groups, which always weigh alike."""

    steps: StepSums
    sums: Mapping[str, Floats]  # (g,) each: over the queries of a group that have a true candidate
    asked: Floats  # (g,): how many these are
    true: Floats  # (g,): true candidates of all of them

    def measure(self, weight: Floats) -> dict[str, Floats]:
        """Every metric under every weighting (g, weightings)."""
        asked = self.asked @ weight
        measured = {name: divide(sums @ weight, asked) for name, sums in self.sums.items()}
        micro = self.steps.weigh(weight).average_precision_worst_first(self.true @ weight)
        return {**measured, "micro_average_precision": micro}


def _measure_by(answers: Answers, group: Ints, groups: int) -> _Ranked:
    """Rank once what does not depend on weights; `group` is of each query, (q,)."""
    first, precision = rank_queries(answers)
    asked = answers.true > 0

    def add_up(values: NDArray[np.generic]) -> Floats:
        return sum_by_group(group[asked], values[asked], groups)

    ranking = rank_pairs(answers.is_true, answers.score)
    return _Ranked(
        ranking.sum_steps(group[answers.query], groups),
        {
            "recall_at_1": add_up(first < 1),
            "recall_at_10": add_up(first < 10),
            "mean_average_precision": add_up(precision),
        },
        add_up(asked),
        add_up(answers.true),
    )

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from seentwice.metrics import average_precision
from seentwice.retrieval import (
    NOT_FOUND,
    Answers,
    bootstrap_retrieval,
    rank_queries,
    retrieval_metrics,
)

METRICS = (
    "recall_at_1",
    "recall_at_10",
    "mean_average_precision",
    "micro_average_precision",
)


def make_answers(seed: int, *, queries: int = 30, ties: bool = False) -> Answers:
    """A few candidates of each query; some true ones are not retrieved, some queries have none."""
    rng = np.random.default_rng(seed)
    query = rng.permutation(np.repeat(np.arange(queries), rng.integers(0, 25, size=queries)))
    is_true = (rng.random(len(query)) < 0.2) & (query % 5 > 0)
    score = 0.3 * is_true + rng.normal(size=len(query))
    score = np.round(score, 0) if ties else score
    missed = rng.integers(0, 3, size=queries) * (np.arange(queries) % 5 > 0)
    return Answers(query, is_true, score, np.bincount(query[is_true], minlength=queries) + missed)


CASES = [make_answers(seed, ties=ties) for seed in range(3) for ties in (False, True)]


def rank_slowly(is_true: list[bool], score: list[float]) -> list[bool]:
    """Whether each candidate is true, best first, with the wrong ones before the true of a tie."""
    return [true for _, true in sorted(zip([-s for s in score], is_true, strict=True))]


def sum_precision(ranked: list[bool]) -> float:
    return sum(sum(ranked[: n + 1]) / (n + 1) for n, true in enumerate(ranked) if true)


def measure_slowly(answers: Answers) -> dict[str, float]:
    first, tenth, mean = [], [], []
    for query, true in enumerate(answers.true.tolist()):
        mine = answers.query == query
        ranked = rank_slowly(answers.is_true[mine].tolist(), answers.score[mine].tolist())
        if true:
            first.append(any(ranked[:1]))
            tenth.append(any(ranked[:10]))
            mean.append(sum_precision(ranked) / true)
    ranked = rank_slowly(answers.is_true.tolist(), answers.score.tolist())
    micro = sum_precision(ranked) / answers.true.sum()
    return dict(zip(METRICS, (np.mean(first), np.mean(tenth), np.mean(mean), micro), strict=True))


@pytest.mark.parametrize("answers", CASES)
def test_every_metric_agrees_with_a_slow_recomputation(answers: Answers) -> None:
    assert retrieval_metrics(answers) == pytest.approx(measure_slowly(answers), abs=1e-12)


def test_without_ties_and_with_all_retrieved_average_precision_is_sklearns() -> None:
    answers = make_answers(0)
    query, is_true, score = answers.query, answers.is_true, answers.score
    every = Answers(query, is_true, score, np.bincount(query[is_true], minlength=30))
    found = retrieval_metrics(every)
    assert found["micro_average_precision"] == pytest.approx(
        average_precision_score(is_true, score)
    )
    asked = np.flatnonzero(every.true)
    of_each = [average_precision_score(is_true[query == q], score[query == q]) for q in asked]
    assert found["mean_average_precision"] == pytest.approx(np.mean(of_each))


def test_ties_are_ranked_as_badly_as_can_be() -> None:
    query, is_true = np.zeros(4, int), np.array([True, False, True, False])
    tied = Answers(query, is_true, np.full(4, 0.7), np.array([2]))
    found = retrieval_metrics(tied)
    expected = (1 / 3 + 2 / 4) / 2
    assert found == pytest.approx(dict(zip(METRICS, (0, 1, expected, expected), strict=True)))
    # Where ties are one step, as for pairs, the same scores gain more.
    assert average_precision(is_true, np.full(4, 0.7)) == 0.5


def test_what_was_not_retrieved_counts_in_the_denominator() -> None:
    answers = Answers(np.array([0]), np.array([True]), np.array([0.9]), np.array([4, 1]))
    found = retrieval_metrics(answers)
    assert found["recall_at_1"] == found["recall_at_10"] == 0.5
    assert found["mean_average_precision"] == pytest.approx(1 / 4 / 2)
    assert found["micro_average_precision"] == pytest.approx(1 / 5)


def test_a_query_without_a_true_candidate_costs_the_one_ranking_of_all_alone() -> None:
    asked = Answers(np.array([0]), np.array([True]), np.array([0.5]), np.array([1]))
    query, score = np.array([0, 1]), np.array([0.5, 0.8])
    both = Answers(query, np.array([True, False]), score, np.array([1, 0]))
    assert set(retrieval_metrics(asked).values()) == {1.0}
    assert retrieval_metrics(both) == dict.fromkeys(METRICS, 1.0) | {"micro_average_precision": 0.5}
    first, precision = rank_queries(both)
    assert first.tolist() == [0, NOT_FOUND]
    assert precision[0] == 1
    assert math.isnan(precision[1])


def test_without_any_true_candidate_nothing_is_defined() -> None:
    answers = Answers(np.array([0, 1]), np.zeros(2, bool), np.array([0.1, 0.2]), np.zeros(2, int))
    assert all(math.isnan(value) for value in retrieval_metrics(answers).values())
    never = Answers(np.array([0, 1]), np.zeros(2, bool), np.array([0.1, 0.2]), np.array([3, 0]))
    assert set(retrieval_metrics(never).values()) == {0.0}


candidates = st.lists(
    st.tuples(st.integers(0, 4), st.booleans(), st.integers(-3, 3)), min_size=1, max_size=40
)


@settings(max_examples=80, deadline=None)
@given(candidates, st.randoms(use_true_random=False))
def test_neither_order_nor_a_rising_transform_changes_anything(drawn, random) -> None:
    def measure(rows, transform):
        query, is_true, score = (np.array(column) for column in zip(*rows, strict=True))
        true = np.bincount(query[is_true], minlength=5) + 1
        return retrieval_metrics(Answers(query, is_true, transform(score.astype(float)), true))

    expected = measure(drawn, np.asarray)
    assert measure(random.sample(drawn, len(drawn)), np.exp) == pytest.approx(expected)
    assert all(0 <= value <= 1 for value in expected.values())


@pytest.mark.parametrize("answers", CASES)
def test_a_resample_is_its_queries_asked_so_often(answers: Answers) -> None:
    """Each copy of a query asks by itself, and ties with the others."""
    home = np.arange(30) % 7
    found = bootstrap_retrieval(answers, home, resamples=25, seed=4)
    draws = []
    for drawn in np.random.default_rng(4).integers(7, size=(25, 7)):
        asked = np.concatenate([np.flatnonzero(home == number) for number in drawn])
        of = [np.flatnonzero(answers.query == query) for query in asked]
        rows = np.concatenate(of)
        again = Answers(
            np.repeat(np.arange(len(asked)), [len(each) for each in of]),
            answers.is_true[rows],
            answers.score[rows],
            answers.true[asked],
        )
        draws.append(measure_slowly(again))
    plain = retrieval_metrics(answers)
    for name in METRICS:
        low, high = np.percentile([draw[name] for draw in draws], [2.5, 97.5])
        assert (found[name].low, found[name].high) == pytest.approx((low, high), abs=1e-10)
        assert found[name].value == pytest.approx(plain[name])


def test_answers_that_contradict_each_other_are_refused() -> None:
    one, true, score = np.array([0]), np.array([True]), np.array([0.5])
    with pytest.raises(ValueError, match=r"differ in length: \[1, 2\]"):
        Answers(np.array([0, 0]), true, score, np.array([1]))
    with pytest.raises(ValueError, match="queries must lie in 0 to 0"):
        Answers(np.array([1]), true, score, np.array([1]))
    with pytest.raises(ValueError, match="more true candidates than there are"):
        Answers(one, true, score, np.array([0]))
    with pytest.raises(ValueError, match="1 pairs have clusters for 2"):
        bootstrap_retrieval(Answers(one, true, score, np.array([1])), [0, 1])

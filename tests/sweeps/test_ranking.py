"""Trials are ranked by their best measurement; what they spent and saved is counted."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.sweeps.brackets import Bracket
from seentwice.sweeps.ranking import (
    Advance,
    Budget,
    count_budget,
    find_best,
    find_best_point,
    follow_best,
    rank_trials,
    reached_rung,
    trained_time,
)
from seentwice.sweeps.trials import Point, Trial

BRACKETS = (Bracket((1, 7, 30), 12, 8), Bracket((7, 30), 4, 8))
STATUSES = ("waiting", "running", "stopped", "finished", "failed", "impossible")


def trial(number, metrics=(), status="stopped", bracket=0, at=100.0):
    """Return a trial that was measured every epoch, ten seconds apart."""
    points = tuple(
        Point(time, metric, at + 10 * time) for time, metric in enumerate(metrics, start=1)
    )
    return Trial(number, bracket, status, {}, points, 0, "", "", "", 0, "", ())


def numbers(trials):
    return [one.number for one in trials]


def test_a_trial_counts_with_the_best_of_its_curve():
    trials = [trial(0, [0.5, 0.4, 0.6]), trial(1, [0.9, 0.3, 0.8]), trial(2, [0.45])]
    assert numbers(rank_trials(trials, smaller_is_better=True)) == [1, 0, 2]
    assert numbers(rank_trials(trials, smaller_is_better=False)) == [1, 0, 2]
    assert find_best_point(trials[1].curve, True) == Point(2, 0.3, 120.0)
    assert find_best_point(trials[1].curve, False) == Point(1, 0.9, 110.0)
    assert find_best_point((), True) is None


def test_of_equals_the_lowest_number_and_the_first_measurement_is_best():
    trials = [trial(2, [0.5]), trial(0, [0.7, 0.5, 0.5]), trial(1, [0.5])]
    assert numbers(rank_trials(trials, True)) == [0, 1, 2]
    assert find_best(trials, True) == trials[1]
    assert find_best_point(trials[1].curve, True) == Point(2, 0.5, 120.0)


def test_failed_and_impossible_trials_never_win_and_come_last():
    trials = [
        trial(0, [0.1], "impossible"),
        trial(1, [0.2], "failed"),
        trial(2, [], "waiting"),
        trial(3, [0.9], "finished"),
        trial(4, [], "running"),
        trial(5, [], "failed"),
    ]
    for order in permutations(trials):
        assert numbers(rank_trials(order, True)) == [3, 2, 4, 1, 5, 0]
        assert find_best(order, True) == trials[3]
    assert find_best(trials[:3], True) is None
    assert find_best([], True) is None


def test_what_stopped_trials_had_left_is_saved():
    trials = [
        trial(0, [0.5] * 30, "finished"),
        trial(1, [0.5], "stopped"),
        trial(2, [0.5] * 7, "stopped", bracket=1),
        trial(3, [0.5] * 3, "failed"),
        trial(4, [0.5] * 2, "impossible"),
        trial(5, [0.5] * 4, "running"),
        trial(6, [], "waiting"),
    ]
    assert trained_time(trials[2]) == 7
    budget = count_budget(trials, BRACKETS, {})
    assert budget == Budget(spent=30 + 1 + 7 + 3 + 2 + 4, saved=29 + 23)
    assert budget.unstopped == 99
    assert budget.share_saved == pytest.approx(52 / 99)
    assert count_budget(trials, (), {}) == Budget(47, 0)
    assert count_budget([], BRACKETS, {}).share_saved == 0
    # One that ends of its own accord saves nothing: nobody stopped it.
    assert count_budget([trial(0, [0.5], "finished")], BRACKETS, {}) == Budget(1, 0)


def test_nothing_is_saved_beyond_what_a_trial_would_have_trained_itself():
    # training.epochs=5 under a last rung of 30: the trial that came there has ended by itself.
    trials = [
        trial(0, [0.5] * 5, "finished"),
        trial(1, [0.5], "stopped"),
        trial(2, [0.5] * 7, "stopped", bracket=1),
    ]
    assert count_budget(trials, BRACKETS, {1: 5, 2: 7}) == Budget(spent=13, saved=4)
    # Nor beyond the last rung, where the searcher stops all.
    assert count_budget(trials, BRACKETS, {1: 40, 2: 40}) == Budget(spent=13, saved=29 + 23)
    assert count_budget(trials, BRACKETS, {2: 3}) == Budget(spent=13, saved=29)


@pytest.mark.parametrize(
    ("status", "epochs", "passed", "reached"),
    [
        ("waiting", 0, 0, 0),
        ("stopped", 1, 0, 1),
        ("running", 1, 1, 1),
        ("running", 6, 1, 1),
        ("stopped", 7, 1, 2),
        ("finished", 30, 2, 3),
        ("finished", 5, 1, 1),  # of its own accord
        ("failed", 3, 1, 1),
    ],
)
def test_the_rung_of_a_trial_is_where_it_was_compared_last(status, epochs, passed, reached):
    one = replace(trial(0, [0.5] * epochs, status), rungs=passed)
    assert reached_rung(one, BRACKETS[0]) == reached


def test_the_best_advances_with_every_measurement_by_the_clock():
    trials = [trial(0, [0.5, 0.3]), trial(1, [0.4], at=105.0), trial(2, [0.1], "failed", at=95.0)]
    assert follow_best(trials, True) == (
        Advance(0.0, 1, None, None),  # the one that failed, at 105
        Advance(5.0, 2, 0, 0.5),
        Advance(10.0, 3, 1, 0.4),
        Advance(15.0, 4, 0, 0.3),
    )
    assert [one.metric for one in follow_best(trials, False)] == [None, 0.5, 0.5, 0.5]
    assert follow_best([], True) == ()


def test_epochs_that_were_not_measured_are_spent_with_the_next_that_was():
    sparse = replace(trial(0), curve=(Point(4, 0.5, 10.0), Point(9, 0.4, 20.0)))
    assert [one.spent for one in follow_best([sparse], True)] == [4, 9]


def test_a_clock_that_goes_back_does_not_turn_a_curve_around():
    moved = replace(trial(0), curve=(Point(1, 0.5, 50.0), Point(2, 0.4, 20.0)))
    assert follow_best([moved], True) == (Advance(0.0, 1, 0, 0.5), Advance(0.0, 2, 0, 0.4))


curves = st.lists(st.integers(0, 3).map(float), max_size=4)


@given(st.lists(st.tuples(curves, st.sampled_from(STATUSES)), max_size=6), st.booleans())
def test_all_agree_on_the_best_and_on_what_was_spent(drawn, smaller_is_better):
    trials = [trial(n, metrics, status) for n, (metrics, status) in enumerate(drawn)]
    ranked, best = rank_trials(trials, smaller_is_better), find_best(trials, smaller_is_better)
    assert sorted(numbers(ranked)) == numbers(trials)
    advances = follow_best(trials, smaller_is_better)
    assert len(advances) == sum(len(one.curve) for one in trials)
    if advances:
        assert advances[-1].spent == count_budget(trials, BRACKETS, {}).spent
        assert advances[-1].best == (None if best is None else best.number)
    if best is not None:
        assert ranked[0] == best
        able = [
            point.metric
            for one in trials
            if one.status not in ("failed", "impossible")
            for point in one.curve
        ]
        point = find_best_point(best.curve, smaller_is_better)
        assert point.metric == (min(able) if smaller_is_better else max(able))

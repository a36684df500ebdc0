"""Which hyperparameters decide: by a forest, among trials that trained equally long."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from seentwice.sweeps.brackets import Bracket
from seentwice.sweeps.report.importance import Importance, measure_importance
from seentwice.sweeps.report.importance_bars import draw_importance
from seentwice.sweeps.results import SweepResults
from seentwice.sweeps.space import Categorical, Const, Double, SearchSpace, Value
from seentwice.sweeps.trials import Point, Trial

SPACE: SearchSpace = {
    "decides": Double(0.0, 1.0),
    "idle": Double(0.0, 1.0),
    "choice": Categorical(["a", ["b"], None]),
    "same": Const(1),
}


def make_results(
    trials: int, metric: Sequence[float] | None = None, times: Sequence[int] = (1,)
) -> SweepResults:
    """Return trials that were measured at the same times; their metric is the value `decides`."""
    generator = np.random.default_rng(3)
    made = []
    for number in range(trials):
        values: dict[str, Value] = {
            "decides": float(generator.random()),
            "idle": float(generator.random()),
            "choice": ["a", ["b"], None][int(generator.integers(3))],  # type: ignore[list-item]
            "same": 1,
        }
        value = float(values["decides"]) if metric is None else metric[number]  # type: ignore[arg-type]
        curve = tuple(Point(time, value / time, 0.0) for time in times)
        made.append(Trial(number, 0, "finished", values, curve, 0, "", "", "", 0, "", ()))
    return SweepResults(
        *("a", "loss", True, "epochs", SPACE, (Bracket(tuple(times), trials, trials),)),
        tuple(made),
        ends={},
    )


def test_what_decides_is_told_from_what_does_not() -> None:
    [found] = measure_importance(make_results(40))
    assert (found.time, found.trials) == (1, 40)
    assert found.explained > 0.8
    assert set(found.shares) == {"decides", "idle", "choice"}
    assert found.shares["decides"] == pytest.approx(1, abs=0.3)  # the only one: its Sobol index
    assert abs(found.shares["idle"]) < 0.05
    assert abs(found.shares["choice"]) < 0.05


def test_it_is_the_same_for_larger_is_better_and_for_any_rising_metric() -> None:
    [found] = measure_importance(make_results(20))
    results = make_results(20)
    cubed = tuple(
        replace(trial, curve=(Point(1, -((10 * trial.curve[0].metric) ** 3), 0.0),))
        for trial in results.trials
    )
    assert measure_importance(replace(results, trials=cubed, smaller_is_better=False)) == (found,)


def test_a_choice_decides_too() -> None:
    results = make_results(30)
    by_choice = tuple(
        replace(trial, curve=(Point(1, float(trial.values["choice"] == "a"), 0.0),))
        for trial in results.trials
    )
    [found] = measure_importance(replace(results, trials=by_choice))
    assert max(found.shares, key=lambda key: found.shares[key]) == "choice"


def test_only_trials_that_came_to_a_rung_are_compared_there_by_what_they_reached_up_to_it() -> None:
    results = make_results(12, times=(1, 3, 9))
    trials = tuple(
        # What is stopped early is the worst at the last rung, whatever its values.
        replace(trial, curve=trial.curve[: 1 if trial.number < 5 else 3])
        for trial in results.trials
    )
    found = measure_importance(replace(results, trials=trials))
    assert [(one.time, one.trials) for one in found] == [(1, 12), (3, 7), (9, 7)]
    early = measure_importance(
        replace(results, trials=tuple(replace(t, curve=t.curve[:1]) for t in results.trials))
    )
    assert found[0] == early[0]


def test_failed_trials_and_those_without_a_measurement_do_not_count() -> None:
    trials = list(make_results(8).trials)
    trials[0] = replace(trials[0], status="failed")
    trials[1] = replace(trials[1], status="impossible")
    trials[2] = replace(trials[2], status="running", curve=())
    [found] = measure_importance(replace(make_results(8), trials=tuple(trials)))
    assert found.trials == 5


def test_where_nothing_stops_the_shortest_training_that_ended_is_compared() -> None:
    results = make_results(6, times=(1, 2, 3))
    trials = list(results.trials)
    trials[0] = replace(trials[0], curve=trials[0].curve[:2])
    trials[1] = replace(trials[1], curve=trials[1].curve[:1], status="running")
    [found] = measure_importance(replace(results, trials=tuple(trials), brackets=()))
    assert (found.time, found.trials) == (2, 5)


@pytest.mark.parametrize(
    "results",
    [
        make_results(0),
        make_results(3),
        make_results(9, metric=[0.5] * 9),
        replace(make_results(9), space={"same": Const(1)}),
        replace(make_results(3), brackets=()),
    ],
)
def test_too_few_or_equal_trials_tell_nothing(results: SweepResults) -> None:
    assert measure_importance(results) == ()
    picture = draw_importance(results, ())
    assert "at least 4 trials are needed that trained equally long" in picture.alt


def test_a_forest_that_learned_nothing_is_not_drawn() -> None:
    chance = [Importance(1, 8, 0.3, {"decides": 0.4}), Importance(7, 4, -1.0, {"decides": 0.4})]
    picture = draw_importance(make_results(8), chance)
    assert picture.alt.startswith("Importance of hyperparameters: 8 trials do not tell it")


def test_bars_are_sorted_and_name_the_trials_they_rest_on() -> None:
    told = [
        Importance(1, 40, 0.9, {"idle": 0.02, "decides": 0.9, "choice": -0.01}),
        Importance(7, 16, 0.6, {"idle": 0.1, "decides": 0.7}),
        Importance(30, 4, -0.6, {"choice": 1.0}),
    ]
    picture = draw_importance(make_results(4), told)
    assert picture.alt == (
        "Importance of hyperparameters, the greatest first: decides, idle, choice; "
        "after 1 epoch of 40 trials, after 7 epochs of 16 trials"
    )

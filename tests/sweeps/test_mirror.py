"""The study that shows a sweep to those who look."""

import optuna
import pytest
from example_plans import SPACE, plan_asha
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from seentwice.errors import UserError
from seentwice.sweeps.events import (
    Began,
    Claimed,
    Concluded,
    Event,
    Failed,
    LoggedEvent,
    Released,
    Reported,
    Withdrawn,
)
from seentwice.sweeps.mirror import open_mirror
from seentwice.sweeps.optuna_trials import list_distributions, to_params, to_values
from seentwice.sweeps.space import Categorical, Double, Log
from seentwice.sweeps.state import SweepState

VALUES = {"optimizer.lr": 1e-3, "head": "l2", "seed": 7, "tower.layers": 2, "dropout": 0.25}


def apply_all(state: SweepState, *events: Event) -> None:
    for event in events:
        state.apply(LoggedEvent(state.applied, 0.0, event))


def read_rows(storage: RDBStorage) -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name="a sweep", storage=storage).trials


def test_follows_a_trial_over_a_restart(storage_url, open_database):
    plan = plan_asha()
    state = SweepState(plan)
    storage = open_database(storage_url)
    mirror = open_mirror(storage, "a sweep", plan)
    mirror.show(state.trials[0])
    assert read_rows(storage) == []
    apply_all(state, Claimed(0, "a"), Began(0, "a", VALUES, "/a/0"), Reported(0, "a", 1, 0.5))
    mirror.show(state.trials[0])
    (row,) = read_rows(storage)
    assert row.state == TrialState.RUNNING
    assert row.params == {key: value for key, value in VALUES.items() if key != "seed"}
    assert row.intermediate_values == {1: 0.5}
    assert row.user_attrs["folder"] == "/a/0"
    assert row.user_attrs["values"] == VALUES

    # Its worker is killed, and another goes on.
    apply_all(state, Released(0, "a", "gone"), Claimed(0, "b"), Reported(0, "b", 2, 0.4))
    again = open_mirror(open_database(storage_url), "a sweep", plan)
    again.show(state.trials[0])
    apply_all(state, Reported(0, "b", 3, 0.6), Reported(0, "b", 4, 0.7))
    again.show(state.trials[0])
    assert [row.state for row in read_rows(storage)] == [TrialState.RUNNING]  # no checkpoint
    apply_all(state, Concluded(0, "b", "/a/0/best.ckpt"))
    again.show(state.trials[0])
    again.show(state.trials[0])
    mirror.show(state.trials[0])  # late, and it knows less
    (row,) = read_rows(storage)
    assert (row.state, row.value) == (TrialState.COMPLETE, 0.4)
    assert row.intermediate_values == {1: 0.5, 2: 0.4, 3: 0.6, 4: 0.7}
    assert row.user_attrs["checkpoint"] == "/a/0/best.ckpt"
    assert row.user_attrs["trial"] == 0


def test_catches_up_at_the_end(sqlite_url, open_database):
    plan = plan_asha(trials=4, concurrent=4, smaller_is_better=False)
    state = SweepState(plan)
    storage = open_database(sqlite_url)
    mirror = open_mirror(storage, "a sweep", plan)
    for number, worker in enumerate("abcd"):
        began = Began(number, worker, VALUES, f"/{number}")
        apply_all(state, Claimed(number, worker), began)
    apply_all(state, Reported(0, "a", 1, 0.5), Reported(1, "b", 1, 0.4))
    mirror.show(state.trials[0])
    apply_all(
        state,
        Concluded(1, "b", "/1/best.ckpt"),
        Reported(0, "a", 4, 0.9),
        Concluded(0, "a", "/0/best.ckpt"),
        Failed(2, "c", "loss is nan"),
        Withdrawn(3, "d", "no such layer"),
    )
    mirror.show_all(state.trials)
    mirror.show_all(state.trials)
    rows = {row.user_attrs["trial"]: row for row in read_rows(storage)}
    assert sorted(rows) == [0, 1, 2, 3]  # the one that was created last has not begun
    assert [rows[number].state.name for number in range(4)] == [
        "COMPLETE",
        "PRUNED",
        "FAIL",
        "FAIL",
    ]
    assert [rows[number].value for number in range(4)] == [0.9, 0.4, None, None]
    assert rows[3].user_attrs["error"] == "no such layer"
    study = optuna.load_study(study_name="a sweep", storage=storage)
    assert study.best_trial.user_attrs["trial"] == 0


def test_rows_that_are_wrong_hurt_nobody(sqlite_url, open_database):
    plan = plan_asha()
    storage = open_database(sqlite_url)
    mirror = open_mirror(storage, "a sweep", plan)
    study = optuna.load_study(study_name="a sweep", storage=storage)
    study.add_trial(optuna.create_trial(value=0.0, user_attrs={"trial": 0}))
    study.add_trial(optuna.create_trial(value=0.0))
    study.add_trial(optuna.create_trial(state=TrialState.RUNNING, user_attrs={"trial": 0}))
    state = SweepState(plan)
    apply_all(state, Claimed(0, "a"), Began(0, "a", VALUES, "/a/0"), Reported(0, "a", 1, 0.5))
    mirror.show(state.trials[0])
    mirror.show_all(state.trials)
    assert [row.intermediate_values for row in read_rows(storage)] == [{}, {}, {}]


def test_a_study_that_is_no_sweep_is_left_alone(sqlite_url, open_database):
    storage = open_database(sqlite_url)
    study = optuna.create_study(study_name="a sweep", storage=storage)
    study.add_trial(optuna.create_trial(value=0.0))
    with pytest.raises(UserError, match=r"another study 'a sweep', which is no sweep; give"):
        open_mirror(storage, "a sweep", plan_asha())


def test_ranges_and_values_are_those_of_the_space():
    assert list_distributions(SPACE) == {
        "optimizer.lr": FloatDistribution(1e-4, 1e-2, log=True),
        "head": CategoricalDistribution(["l1", "l2"]),
        "tower.layers": IntDistribution(1, 3),
        "dropout": FloatDistribution(0.0, 0.5),
    }
    assert to_values(SPACE, to_params(SPACE, VALUES)) == VALUES
    assert list(to_values(SPACE, to_params(SPACE, VALUES))) == list(SPACE)
    # Powers of a base below 1 fall; the last bit of one may lie outside.
    falling = {"x": Log(-2.0, 1.0, 0.1)}
    (range_,) = list_distributions(falling).values()
    assert (range_.low, range_.high) == (0.1, pytest.approx(100.0))
    assert to_params(falling, {"x": 1000.0}) == {"x": range_.high}
    assert to_params({"x": Double(0.1, 0.3)}, {"x": 0.1 + 0.2}) == {"x": 0.3}


@pytest.mark.parametrize("vals", [[1, True, 1.0, "1"], [[64, 32], [64], None], [2, 2, "two"]])
def test_choices_that_optuna_cannot_tell_apart_are_spelled(vals):
    space = {"x": Categorical(vals)}
    (range_,) = list_distributions(space).values()
    for value in vals:
        params = to_params(space, {"x": value})
        range_.to_internal_repr(params["x"])
        found = to_values(space, params)["x"]
        assert (type(found), found) == (type(value), value)

"""What Determined 0.38's master computes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from seentwice.sweeps.brackets import (
    LARGEST_COUNT,
    LARGEST_DIVISOR,
    MOST_RUNGS,
    AshaSettings,
    plan_brackets,
)

SETTINGS = st.builds(
    AshaSettings,
    max_trials=st.integers(1, 200),
    max_time=st.integers(1, 500),
    mode=st.sampled_from(["aggressive", "standard", "conservative"]),
    divisor=st.sampled_from([2.0, 2.5, 3.0, 4.0, 10.0]),
    max_rungs=st.integers(1, 6),
    max_concurrent_trials=st.integers(0, 40),
)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (AshaSettings(64, 64), [((1, 4, 16, 64), 45), ((4, 16, 64), 14), ((16, 64), 5)]),
        (AshaSettings(16, 20), [((1, 5, 20), 12), ((5, 20), 4)]),
        (AshaSettings(16, 30), [((1, 7, 30), 12), ((7, 30), 4)]),
        (AshaSettings(16, 30, "aggressive"), [((1, 7, 30), 16)]),
        (AshaSettings(16, 30, "conservative"), [((1, 7, 30), 12), ((7, 30), 3), ((30,), 1)]),
        (AshaSettings(1, 30), [((30,), 1)]),
    ],
)
def test_rungs_and_trials(settings, expected):
    assert [(bracket.rungs, bracket.trials) for bracket in plan_brackets(settings)] == expected


@pytest.mark.parametrize(
    ("settings", "trials"),
    [
        (AshaSettings(100, 64, bracket_rungs=(4, 3, 2)), [70, 22, 8]),
        (AshaSettings(100, 64, bracket_rungs=(2, 4, 3)), [70, 22, 8]),
        (AshaSettings(20, 64, divisor=3.0, bracket_rungs=(3, 2, 1)), [12, 5, 3]),
    ],
)
def test_brackets_that_are_given(settings, trials):
    assert [bracket.trials for bracket in plan_brackets(settings)] == trials


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (16, [6, 5, 5]),
        (2, [1, 1, 1]),  # no bracket waits for another to end
        (0, [5, 5, 5]),  # as many as the smallest bracket has trials
    ],
)
def test_trials_at_once(most, expected):
    brackets = plan_brackets(AshaSettings(64, 64, max_concurrent_trials=most))
    assert [bracket.concurrent for bracket in brackets] == expected


@given(SETTINGS)
def test_every_plan_holds_what_it_promises(settings):
    brackets = plan_brackets(settings)
    assert sum(bracket.trials for bracket in brackets) == settings.max_trials
    assert len({len(bracket.rungs) for bracket in brackets}) == len(brackets)
    for bracket in brackets:
        assert bracket.rungs[-1] == settings.max_time
        assert bracket.rungs[0] >= 1
        assert list(bracket.rungs) == sorted(set(bracket.rungs))
        assert 1 <= len(bracket.rungs) <= settings.max_rungs
        assert bracket.trials >= 1
        assert bracket.concurrent >= 1


@pytest.mark.parametrize("rungs", [(MOST_RUNGS,) * 9, ()])
def test_the_largest_of_everything_can_be_computed(rungs):
    settings = {
        "max_trials": LARGEST_COUNT,
        "max_time": LARGEST_COUNT,
        "divisor": LARGEST_DIVISOR,
        "max_rungs": MOST_RUNGS,
        "bracket_rungs": rungs,
    }
    brackets = plan_brackets(TypeAdapter(AshaSettings).validate_python(settings))
    assert len(brackets) == (len(rungs) or 4)  # 1000^6 < 2^63 < 1000^7: with 7 rungs down to 4
    assert all(bracket.trials >= 1 for bracket in brackets)


def test_a_whole_number_may_divide():
    read = TypeAdapter(AshaSettings).validate_python({"max_trials": 9, "max_time": 9, "divisor": 3})
    assert read == AshaSettings(9, 9, divisor=3.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_trials": 0, "max_time": 30},
        {"max_trials": 16, "max_time": 0},
        {"max_trials": 16, "max_time": 30, "divisor": 1},
        {"max_trials": 16, "max_time": 30, "mode": "fast"},
        {"max_trials": 16, "max_time": 30, "divisor": LARGEST_DIVISOR + 1},
        {"max_trials": 16, "max_time": 30, "divisor": "4"},
        {"max_trials": 16, "max_time": 30, "divisor": True},
        {"max_trials": 16, "max_time": 30, "divisor": float("nan")},
        {"max_trials": "16", "max_time": 30},
        {"max_trials": True, "max_time": 30},
        {"max_trials": LARGEST_COUNT + 1, "max_time": 30},
        {"max_trials": 16, "max_time": 30.0},
        {"max_trials": 16, "max_time": 30, "max_rungs": MOST_RUNGS + 1},
        {"max_trials": 16, "max_time": 30, "max_concurrent_trials": True},
        {"max_trials": 16, "max_time": 30, "bracket_rungs": [0]},
        {"max_trials": 16, "max_time": 30, "bracket_rungs": [MOST_RUNGS + 1]},
        {"max_trials": 16, "max_time": 30, "bracket_rungs": [True]},
        {"max_trials": 16, "max_time": 30, "stop_once": True},
    ],
)
def test_a_wrong_budget_is_refused(wrong):
    with pytest.raises(ValidationError):
        TypeAdapter(AshaSettings).validate_python(wrong)

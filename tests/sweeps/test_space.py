"""Hyperparameters as Determined 0.38 reads them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.errors import UserError
from seentwice.sweeps.space import (
    Categorical,
    Const,
    Double,
    Int,
    Log,
    read_space,
    sample_values,
)

WRITTEN = {
    "optimizer": {
        "lr": {"type": "log", "minval": -4, "maxval": -2, "base": 10},
        "alpha": {"type": "double", "minval": 0.9, "maxval": 0.99},
    },
    "training": {"batch_size": {"type": "int", "minval": 32, "maxval": 128}, "epochs": 30},
    "head": {"type": "categorical", "vals": ["l1", "l2"]},
    "edits": {"type": "const", "val": "mls"},
    "betas": [0.9, 0.99],
}


def test_paths_are_those_of_the_keys():
    assert read_space(WRITTEN) == {
        "optimizer.lr": Log(-4, -2, 10),
        "optimizer.alpha": Double(0.9, 0.99),
        "training.batch_size": Int(32, 128),
        "training.epochs": Const(30),
        "head": Categorical(["l1", "l2"]),
        "edits": Const("mls"),
        "betas": Const([0.9, 0.99]),
    }


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"lr": {"type": "log", "minval": -4, "maxval": -2}}, "lr: log needs base"),
        (
            {"lr": {"type": "log", "minval": -4, "maxval": -2, "base": 10, "basis": 3}},
            "lr.basis: no such key (did you mean base?); log has type, minval, maxval, base, count",
        ),
        # Told before what is missing, which may be there under that name.
        (
            {"lr": {"type": "int", "minvall": 1, "maxval": 3}},
            "lr.minvall: no such key (did you mean minval?); int has type",
        ),
        ({"a.b": 1, "a": {"b": 2, "c": 3}}, "hyperparameters.a.b is given twice; leave one out"),
        ({"a": {"b": 2, "c": 3}, "a.c": 1}, "hyperparameters.a.c is given twice; leave one out"),
        (
            {"lr": {"type": "loguniform"}},
            "lr.type='loguniform': choose one of const, int, double, log, categorical",
        ),
        ({"lr": {"type": ["log"]}}, "lr.type=['log']: choose one of const, int"),
        ({"n": {"type": "int", "minval": 3, "maxval": 3}}, "n: minval=3 must be below maxval=3"),
        ({"n": {"type": "int", "minval": 0.5, "maxval": 3}}, "n: minval=0.5: "),
        ({"n": {"type": "int", "minval": "1", "maxval": 3}}, "n: minval='1': "),
        ({"n": {"type": "double", "minval": 0, "maxval": float("inf")}}, "n: minval and maxval"),
        ({"n": {"type": "double", "minval": 0, "maxval": 1, "count": 0}}, "n: count=0: at least 1"),
        ({"n": {"type": "log", "minval": 0, "maxval": 1, "base": 0}}, "n: base=0"),
        ({"n": {"type": "log", "minval": 0, "maxval": 1, "base": 1}}, "n: base=1"),
        (
            {"n": {"type": "log", "minval": 0, "maxval": 1000, "base": 10}},
            "n: 1000.0 is an exponent: 10.0 to its power is no number",
        ),
        ({"h": {"type": "categorical", "vals": []}}, "h: categorical needs at least one"),
        ({"h": {"type": "const"}}, "h: const needs val"),
        ({"a": {"b": {"type": "int"}}}, "a.b: int needs minval"),
        ({1: 2}, "1: a name is a text"),
        ([1], ": give names with their ranges"),
        (None, ": give names with their ranges"),
    ],
)
def test_errors_say_where(written, message):
    with pytest.raises(UserError) as error:
        read_space(written)
    assert str(error.value).startswith("hyperparameters")
    assert message in str(error.value)


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_values_are_in_range_and_follow_from_seed_and_trial(seed, trial):
    space = read_space(WRITTEN)
    values = sample_values(space, seed, trial)
    assert 1e-4 <= values["optimizer.lr"] <= 1e-2
    assert 0.9 <= values["optimizer.alpha"] <= 0.99
    assert values["training.batch_size"] in range(32, 129)
    assert values["head"] in ("l1", "l2")
    assert values["edits"] == "mls"
    assert values == sample_values(space, seed, trial)


def test_draws_are_uniform_in_the_exponent_and_both_ends_of_an_int_come():
    space = {"lr": Log(-4, -2, 10.0), "n": Int(1, 3)}
    drawn = [sample_values(space, 0, trial) for trial in range(4000)]
    exponents = np.log10([values["lr"] for values in drawn])
    assert exponents.mean() == pytest.approx(-3, abs=0.03)
    assert exponents.std() == pytest.approx(2 / 12**0.5, abs=0.02)
    counts = np.bincount([values["n"] for values in drawn], minlength=4)
    assert counts[0] == 0
    assert counts[1:] == pytest.approx([4000 / 3] * 3, rel=0.1)


@pytest.mark.parametrize(
    ("parameter", "values"),
    [
        (Int(0, 2, count=10), [0, 1, 2]),
        (Int(0, 5, count=3), [0, 3, 5]),  # 2.5 away from 0
        (Int(0, 5, count=1), [3]),
        (Double(0.0, 1.0, count=3), [0.0, 0.5, 1.0]),
        (Log(-3, -1, 10.0, count=3), [1e-3, 1e-2, 1e-1]),
        (Log(-3, -1, 10.0, count=1), [1e-2]),
    ],
)
def test_values_of_a_grid(parameter, values):
    assert parameter.list_values() == pytest.approx(values)

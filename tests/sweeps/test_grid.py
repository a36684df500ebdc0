"""The trials of a grid, against the product of all its axes."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.errors import UserError
from seentwice.sweeps.grid import count_grid, pick_from_grid
from seentwice.sweeps.space import Categorical, Const, Double, Int, Log

COUNTS = st.integers(1, 4)
PARAMETERS = st.one_of(
    st.builds(Const, st.integers(0, 3)),
    st.builds(lambda values: Categorical(list(values)), st.lists(st.integers(), min_size=1)),
    st.builds(lambda count: Int(0, 2, count), COUNTS),
    st.builds(lambda count: Double(0.0, 1.0, count), COUNTS),
    st.builds(lambda count: Log(-3.0, -1.0, 10.0, count), COUNTS),
)


def test_a_grid_is_every_combination_the_last_fastest():
    space = {"a": Int(0, 10, count=3), "b": Categorical(["x", "y"]), "c": Const(1)}
    picked = [pick_from_grid(space, number) for number in range(count_grid(space))]
    assert picked == [{"a": a, "b": b, "c": 1} for a in (0, 5, 10) for b in ("x", "y")]
    assert list(picked[0]) == ["a", "b", "c"]


@given(st.dictionaries(st.sampled_from("abcd"), PARAMETERS))
def test_it_is_the_product_of_all_values(space):
    axes = [parameter.list_values() for parameter in space.values()]
    product = [dict(zip(space, chosen, strict=True)) for chosen in itertools.product(*axes)]
    assert [pick_from_grid(space, number) for number in range(count_grid(space))] == product


def test_a_grid_of_more_values_than_memory_holds_is_counted():
    space = {"a": Double(0.0, 1.0, 10**12), "b": Int(0, 10**15, 10**14)}
    assert count_grid(space) == 10**26


def test_a_grid_without_count_is_refused():
    with pytest.raises(UserError, match=r"hyperparameters\.lr: a grid needs count"):
        count_grid({"lr": Double(0.0, 1.0)})

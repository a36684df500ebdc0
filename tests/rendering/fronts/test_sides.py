import numpy as np
import pytest
from numpy.random import PCG64, Generator

from seentwice.rendering.fronts.sides import Side, SideDraws


def draw_many(side: Side, seed: int = 0) -> list[float]:
    draws = SideDraws(Generator(PCG64(seed)), side)
    return [draws.between(2.0, 5.0) for _ in range(2000)]


def test_no_number_is_near_one_of_the_other_side() -> None:
    train, test = np.sort(draw_many("train")), np.sort(draw_many("test", seed=1))
    at = np.clip(np.searchsorted(train, test), 1, len(train) - 1)
    nearest = np.minimum(np.abs(train[at] - test), np.abs(train[at - 1] - test))
    assert nearest.min() > 0.09


@pytest.mark.parametrize("side", ["train", "test"])
def test_both_sides_span_the_range(side: Side) -> None:
    drawn = draw_many(side)
    assert 2.0 <= min(drawn) < 2.6
    assert 4.4 < max(drawn) < 5.0


def test_choices_are_the_side_s_own() -> None:
    for side, expected in (("train", {"a", "b"}), ("test", {"c"})):
        draws = SideDraws(Generator(PCG64(0)), side)
        assert {draws.choose(("a", "b"), ("c",)) for _ in range(50)} == expected

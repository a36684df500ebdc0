import itertools
import math

import pytest

from seentwice.learn.siamese_task import WARM_UP_SHARE, one_cycle


def test_one_cycle_rises_to_its_peak_and_falls_to_nothing():
    assert one_cycle(0) == 0
    assert one_cycle(WARM_UP_SHARE) == 1
    assert one_cycle(1) == pytest.approx(0, abs=1e-15)
    shares = [one_cycle(step / 100) for step in range(101)]
    peak = shares.index(1)
    assert peak == round(100 * WARM_UP_SHARE)
    assert all(a < b for a, b in itertools.pairwise(shares[: peak + 1]))
    assert all(a > b for a, b in itertools.pairwise(shares[peak:]))


def test_one_cycle_is_half_way_up_and_down_in_the_middles():
    assert one_cycle(WARM_UP_SHARE / 2) == pytest.approx(0.5)
    assert one_cycle((1 + WARM_UP_SHARE) / 2) == pytest.approx(0.5)
    assert one_cycle(WARM_UP_SHARE / 3) == pytest.approx(0.5 - 0.5 * math.cos(math.pi / 3))

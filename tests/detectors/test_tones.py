import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seentwice.detectors.tones import fit_tones, name_tones


def colours(pixels=3000):
    return np.random.default_rng(0).integers(256, size=(pixels, 3)).astype(np.float32)


@settings(max_examples=20)
@given(st.floats(0.5, 1.8), st.floats(-60, 60))
def test_a_line_is_found_though_ends_are_cut_off_and_a_fifth_shows_something_else(slope, offset):
    left = colours()
    right = np.clip(slope * left + offset, 0, 255)
    right[: len(right) // 5] = (200, 30, 40)
    tones = fit_tones(left, right)
    for tone in (64, 128, 192):
        np.testing.assert_allclose(tones.slope * tone + tones.offset, slope * tone + offset, atol=6)
    assert not tones.lost_colours


def test_the_same_tones_have_no_name():
    assert name_tones(fit_tones(colours(), colours())) == []


@pytest.mark.parametrize("right", [np.zeros((3000, 3)), np.full((3000, 3), 255)])
def test_a_copy_that_is_cut_off_everywhere_tells_nothing_of_its_tones(right):
    tones = fit_tones(colours(), right.astype(np.float32))
    assert tones.slope.tolist() == [1, 1, 1]


def test_no_pixel_and_one_tone_have_no_name():
    none, one = np.empty((0, 3), np.float32), np.full((500, 3), 90, np.float32)
    assert name_tones(fit_tones(none, none)) == []
    assert name_tones(fit_tones(one, one)) == []
    assert name_tones(fit_tones(one, one + 40)) == ["brighter"]

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from seentwice.data.card.counts import BITS, BitCounts, PhotoMeasures
from seentwice.data.card.plots import plot_hamming, plot_sizes


def make_counts(duplicate_bits, other_bits):
    return BitCounts(
        *(
            tuple(np.bincount(bits, minlength=BITS + 1).tolist())
            for bits in (np.array(duplicate_bits, int), np.array(other_bits, int))
        )
    )


def size_of(png):
    with Image.open(BytesIO(png)) as image:
        return image.format, image.size


@pytest.mark.parametrize("names", [["a"], ["a", "b"], ["a", "b", "c", "d"]])
def test_each_hash_has_a_panel(names):
    counts = dict.fromkeys(names, make_counts([0, 3, 64], [30, 31, 32]))
    assert size_of(plot_hamming(counts, counts)) == (
        "PNG",
        (900, 90 + 280 * ((len(names) + 1) // 2)),
    )


def test_other_counts_give_another_picture_and_equal_ones_equal_bytes():
    train = {"a": make_counts([], [20])}
    first, again, other = (
        plot_hamming({"a": make_counts([0, 3, last], [30])}, train) for last in (64, 64, 10)
    )
    assert first == again != other
    assert b"matplotlib" not in first.lower()


def test_a_hash_without_pairs_of_a_label_is_drawn():
    nothing = {"a": make_counts([], [])}
    assert size_of(plot_hamming(nothing, nothing))[0] == "PNG"


@pytest.mark.parametrize("file_bytes", [[0, 0, 0], [800, 800, 800], [1, 10**4, 10**9]])
def test_sizes_of_any_range_are_drawn(file_bytes):
    measures = PhotoMeasures(
        np.array([1, 640, 640]), np.array([1, 480, 480]), np.array(file_bytes), ("JPEG",) * 3
    )
    assert size_of(plot_sizes(measures)) == ("PNG", (900, 430))

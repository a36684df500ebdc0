from itertools import pairwise

import pytest
import torch

from seentwice.models.pooling import WindowPooling, place_windows


@pytest.mark.parametrize(
    ("size", "windows"), [((7, 7), 9), ((8, 8), 16), ((9, 9), 16), ((1, 1), 1)]
)
def test_a_window_is_the_mean_over_a_third_of_each_side(size, windows):
    maps = torch.randn(2, 5, *size, generator=torch.Generator().manual_seed(0))
    pooled = WindowPooling()(maps)
    assert pooled.shape == (2, windows, 5)
    rows, columns = map(place_windows, size)
    expected = [
        [
            [
                sum(maps[photo, channel, y, x].item() for y in ys for x in xs) / (len(ys) * len(xs))
                for channel in range(5)
            ]
            for ys in (range(row.start, row.stop) for row in rows)
            for xs in (range(column.start, column.stop) for column in columns)
        ]
        for photo in range(2)
    ]
    torch.testing.assert_close(pooled, torch.tensor(expected))


def test_windows_of_known_maps():
    starts = {side: [window.start for window in place_windows(side)] for side in (7, 8, 9, 12)}
    assert starts == {7: [0, 2, 4], 8: [0, 2, 3, 5], 9: [0, 2, 4, 6], 12: [0, 2, 4, 6, 8]}


@pytest.mark.parametrize("side", range(1, 41))
def test_windows_overlap_by_about_half_and_leave_no_cell_out(side):
    windows = place_windows(side)
    length = -(-side // 3)
    assert {window.stop - window.start for window in windows} == {length}
    assert set().union(*(range(w.start, w.stop) for w in windows)) == set(range(side))
    starts = [window.start for window in windows]
    steps = [b - a for a, b in pairwise(starts)]
    assert len(windows) <= 5
    assert all(1 <= step <= -(-length // 2) for step in steps)


def test_a_map_that_is_not_square_has_windows_of_its_shape():
    pooled = WindowPooling()(torch.zeros(1, 3, 9, 12))
    assert pooled.shape == (1, 4 * 5, 3)

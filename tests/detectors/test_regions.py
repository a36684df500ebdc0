from pathlib import Path

import numpy as np
import pytest
import torch

from seentwice.data.pairs import PairTable, list_pairs
from seentwice.detectors import regions
from seentwice.detectors.regions import RegionSimilarity
from seentwice.models.pooling import WindowPooling
from seentwice.models.towers import fit_whitening
from seentwice.records import Photo, View

VIEWS, WINDOWS, CHANNELS = 9, 4, 6


def table_of(views: int = VIEWS) -> PairTable:
    seen = tuple(View(Photo(Path(str(n)), str(n), f"r/{n // 3}")) for n in range(views))
    return list_pairs(seen)


def rows_of(dtype: str = "float32") -> dict[str, np.ndarray]:
    windows = np.random.default_rng(0).normal(size=(VIEWS, WINDOWS, CHANNELS))
    windows[4, 2] = 0  # a map may be 0 in a whole window
    return {"windows": windows.astype(dtype)}


def detector_of(power: float = 1.0, unlabelled: np.ndarray | None = None) -> RegionSimilarity:
    return RegionSimilarity(power, 0.5, unlabelled, lambda done, total: None)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)


def slow_similarity(
    pairs: PairTable, windows: np.ndarray, learned: np.ndarray, power: float
) -> list[float]:
    """The similarity, one window after another."""
    mean, projection = fit_whitening(
        torch.from_numpy(unit(learned.astype(np.float64))), CHANNELS, power, 0.5
    )
    whitened = unit((unit(windows.astype(np.float64)) - mean.numpy()) @ projection.numpy())
    values = []
    for a, b in zip(pairs.left.tolist(), pairs.right.tolist(), strict=True):
        there = [max(float(one @ other) for other in whitened[b]) for one in whitened[a]]
        back = [max(float(one @ other) for other in whitened[a]) for one in whitened[b]]
        values.append((sum(there) / len(there) + sum(back) / len(back)) / 2)
    return values


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("tile", [1, 2 * WINDOWS * CHANNELS, 2**20])
@pytest.mark.parametrize("block", [1, 5 * WINDOWS * CHANNELS, 2**20])
def test_each_window_is_compared_with_the_nearest_of_the_other_photo(
    tile: int, block: int, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regions, "TILE", tile)
    monkeypatch.setattr(regions, "BLOCK", block)
    pairs, rows = table_of(), rows_of(dtype)
    train = pairs.take((pairs.left < 5) & (pairs.right < 5))
    detector = detector_of()
    detector.fit(train, pairs, rows)
    learned = rows["windows"][:5].reshape(-1, CHANNELS)
    expected = slow_similarity(pairs, rows["windows"], learned, 1.0)
    assert detector.of(pairs, rows) == pytest.approx(expected, abs=1e-5)


def test_unlabelled_windows_join_the_whitening() -> None:
    pairs, rows = table_of(), rows_of()
    other = np.random.default_rng(1).normal(size=(7, CHANNELS)).astype(np.float32)
    detector = detector_of(unlabelled=other)
    detector.fit(pairs, pairs, rows)
    learned = np.concatenate([rows["windows"].reshape(-1, CHANNELS), other])
    expected = slow_similarity(pairs, rows["windows"], learned, 1.0)
    assert detector.of(pairs, rows) == pytest.approx(expected, abs=1e-5)


def test_both_orders_of_a_pair_are_alike_and_a_photo_is_most_like_itself() -> None:
    pairs, rows = table_of(), rows_of()
    detector = detector_of()
    detector.fit(pairs, pairs, rows)
    turned = PairTable(pairs.views, pairs.right, pairs.left, pairs.label, pairs.kind)
    np.testing.assert_array_equal(detector.of(pairs, rows), detector.of(turned, rows))
    itself = PairTable(pairs.views, pairs.left, pairs.left, pairs.label, pairs.kind)
    whole = itself.take(itself.left != 4)  # a window of zeros is whitened like others
    assert detector.of(whole, rows) == pytest.approx([1.0] * len(whole), abs=1e-5)
    assert (detector.of(pairs, rows) < 1).all()


def test_things_that_moved_are_still_the_same_things() -> None:
    maps = torch.randn(12, 16, 9, 9, generator=torch.Generator().manual_seed(0))
    moved = maps[:1].roll((2, 4), dims=(2, 3))  # by whole windows, of which some go round
    windows = WindowPooling()(torch.cat([maps, moved])).numpy()
    left, right = np.zeros(12, np.int64), np.arange(1, 13)
    pairs = PairTable(table_of(13).views, left, right, right == 12, np.zeros(12, np.int8))
    detector = detector_of()
    detector.fit(pairs, pairs, {"windows": windows})
    similarity = detector.of(pairs, {"windows": windows})
    assert similarity.argmax() == 11
    assert similarity[11] > similarity[:11].max() + 0.2


def test_progress_counts_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "TILE", 2 * WINDOWS * CHANNELS)
    pairs, rows, told = table_of(), rows_of(), []
    detector = RegionSimilarity(1.0, 1.0, None, lambda *counts: told.append(counts))
    detector.fit(pairs, pairs, rows)
    detector.of(pairs, rows)
    assert told[-1] == (len(pairs), len(pairs))
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert detector.of(pairs.take(pairs.left < 0), rows).shape == (0,)

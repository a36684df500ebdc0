"""Near pairs of vectors are those that comparing each with each finds."""

import numpy as np
import pytest

from seentwice.index import neighbours
from seentwice.index.neighbours import iterate_neighbours, open_neighbours


def make_rows(count: int, size: int, seed: int) -> np.ndarray:
    """Vectors of length 1, every third of which has a near one."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(count, size))
    rows[2::3] = rows[: len(rows[2::3])] + 0.3 * rng.normal(size=(len(rows[2::3]), size))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def find(rows: np.ndarray, most: int, least: float) -> set[tuple[int, int]]:
    searched = open_neighbours(rows, most)
    return {
        pair
        for near in iterate_neighbours(searched, most, least)
        for pair in zip(near.left.tolist(), near.right.tolist(), strict=True)
    }


def find_slowly(rows: np.ndarray, most: int, least: float) -> set[tuple[int, int]]:
    cosine = rows.astype(np.float64) @ rows.T.astype(np.float64)
    np.fill_diagonal(cosine, -2)
    nearest = np.argsort(-cosine, axis=1)[:, :most]
    return {
        (left, right)
        for left in range(len(rows))
        for right in nearest[left].tolist()
        if cosine[left, right] >= least
    }


@pytest.mark.parametrize(("count", "most"), [(2, 5), (90, 1), (90, 7), (300, 3)])
@pytest.mark.parametrize("block", [32, 4096])
def test_each_has_its_nearest_others(
    count: int, most: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "_BLOCK", block)
    rows = make_rows(count, 12, 0)
    assert find(rows, most, 0.4) == find_slowly(rows, most, 0.4)


def test_the_cosine_is_that_of_the_pair() -> None:
    rows = make_rows(90, 12, 1)
    for near in iterate_neighbours(open_neighbours(rows, 4), 4, 0.2):
        expected = (rows[near.left] * rows[near.right]).sum(axis=1)
        np.testing.assert_allclose(near.cosine, expected, atol=1e-5)


def test_equal_vectors_are_neighbours_but_none_is_its_own() -> None:
    rows = np.repeat(np.eye(3, 8, dtype=np.float32), 3, axis=0)
    found = find(rows, 4, 0.5)
    assert found == {(a, b) for a in range(9) for b in range(9) if a != b and a // 3 == b // 3}


def test_one_vector_has_no_neighbour() -> None:
    assert find(make_rows(1, 4, 0), 3, -1.0) == set()


def test_many_vectors_are_searched_by_cells_with_the_recall_that_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(neighbours, "MOST_EXACT", 500)
    monkeypatch.setattr(neighbours, "SAMPLE", 200)
    rows = make_rows(3_000, 12, 2)
    searched = open_neighbours(rows, 5)
    assert searched.recall is not None
    assert neighbours.LEAST_RECALL <= searched.recall <= 1
    found, expected = find(rows, 5, 0.5), find_slowly(rows, 5, 0.5)
    assert found <= expected | find_slowly(rows, 8, 0.5)
    assert len(found & expected) >= 0.97 * len(expected)

import numpy as np
import pytest

from seentwice.index import near_cells, near_index
from seentwice.index.near_index import NearIndex

ROWS = 3000


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(near_index, "MOST_EXACT", 1000)
    monkeypatch.setattr(near_cells, "SAMPLE", 50)


def make_index():
    """Rows near 30 directions, and the index of them."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(30, 16))[rng.integers(0, 30, ROWS)] + rng.normal(size=(ROWS, 16)) / 5
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    index = NearIndex.create(16)
    index.add(np.arange(ROWS), rows)
    return index, rows


def share_found(index, rows, k):
    exact = np.argsort(-(rows @ rows[:100].T), axis=0, kind="stable")[:k].T
    found = index.search(rows[:100], k).numbers
    return np.mean([len(np.intersect1d(*both)) / k for both in zip(found, exact, strict=True)])


@pytest.mark.parametrize("least", [0.5, 0.9, 1.0])
def test_the_recall_that_is_told_is_that_of_searches(least):
    index, rows = make_index()
    told = index.approximate(20, least)
    assert told >= least
    assert share_found(index, rows, 20) == pytest.approx(told, abs=0.06)


def test_few_of_the_rows_are_looked_at():
    index, rows = make_index()
    index.approximate(20, 0.9)
    chosen = near_cells.choose_rows(index._cells, index._snapshot.parts, rows[0], 20)
    assert sum(map(len, chosen)) < ROWS / 3


def test_up_to_some_rows_a_search_stays_exact():
    index, rows = make_index()
    index.remove(np.arange(1000, ROWS))
    assert index.approximate(20, 0.1) == 1.0
    assert share_found(index, rows[:1000], 20) == 1.0


def test_rows_that_are_added_and_removed_later_count(tmp_path):
    index, rows = make_index()
    index.approximate(1, 0.5)
    index.save(tmp_path)
    index.add(np.array([5, 7000]), 2 * rows[[9, 11]])
    index.remove(np.array([9]))
    found = index.search(rows[[9, 11]], 1)
    assert found.numbers.tolist() == [[5], [7000]]
    assert index._cells.members.keys() & {
        id(part.segment.numbers) for part in index._snapshot.parts
    }


def test_all_places_are_filled_however_few_rows_a_cell_has():
    index, rows = make_index()
    index.approximate(1, 0.1)
    found = index.search(rows[:2], ROWS)
    assert (np.sort(found.numbers, axis=1) == np.arange(ROWS)).all()


def test_a_search_with_a_filter_is_exact():
    index, rows = make_index()
    index.approximate(1, 0.1)
    worst = np.argsort(rows @ rows[0])[:30]
    assert sorted(index.search(rows[:1], 30, worst).numbers[0]) == sorted(worst)

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.index import near_search, row_segment
from seentwice.index.near_index import NearIndex


def make_index(rows, numbers=None):
    index = NearIndex.create(rows.shape[1])
    index.add(np.arange(len(rows)) if numbers is None else numbers, rows)
    return index


def make_rows(count, width, seed=0):
    return np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)


def search_slowly(kept, queries, k, among=None):
    """The best k of a dict of rows by number: largest products first, equal ones by number."""
    numbers = sorted(kept if among is None else set(among) & kept.keys())
    found = np.full((len(queries), k), -1)
    products = np.full((len(queries), k), -np.inf, np.float32)
    for place, query in enumerate(queries):
        exact = [np.float32(np.dot(kept[n].astype(float), query.astype(float))) for n in numbers]
        best = sorted(zip(exact, numbers, strict=True), key=lambda each: (-each[0], each[1]))[:k]
        found[place, : len(best)] = [number for _, number in best]
        products[place, : len(best)] = [product for product, _ in best]
    return found, products


def check(index, kept, queries, k, among=None):
    wanted = None if among is None else np.array(among, np.int64)
    found = index.search(queries, k, wanted)
    numbers, products = search_slowly(kept, queries, k, among)
    np.testing.assert_array_equal(found.numbers, numbers)
    np.testing.assert_allclose(found.products, products, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("queries", [1, 7, 8, 19])  # eight are scanned together
@pytest.mark.parametrize(("size", "k"), [(1, 1), (50, 1), (50, 7), (50, 50), (3000, 5)])
def test_the_search_is_exact(size, k, queries):
    rows = make_rows(size, 21)
    index = make_index(rows)
    check(index, dict(enumerate(rows)), make_rows(queries, 21, 1), k)


def test_rows_that_upper_halves_cannot_tell_apart_are_told_apart():
    row = make_rows(1, 64)
    rows = row * (1 + np.arange(3000, dtype=np.float32)[:, None] * 2.0**-20)
    order = np.random.default_rng(0).permutation(len(rows))
    index = make_index(rows[order])
    found = index.search(row, 10)
    assert order[found.numbers[0]].tolist() == list(range(2999, 2989, -1))


@given(seed=st.integers(0, 10**6), spread=st.integers(0, 12), k=st.integers(1, 60))
def test_the_search_is_exact_whatever_lengths_rows_have(seed, spread, k):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(300, 7)) * 10 ** rng.uniform(-spread, spread / 2, (300, 1))
    rows = rows.astype(np.float32)
    check(make_index(rows), dict(enumerate(rows)), rng.normal(size=(2, 7)).astype(np.float32), k)


def test_equal_rows_come_by_number_whatever_the_order_and_the_blocks(monkeypatch):
    monkeypatch.setattr(near_search, "_BLOCK", 100)
    monkeypatch.setattr(near_search, "_PRODUCTS", 1000)
    monkeypatch.setattr(row_segment, "MOST_MERGED", 64)
    rows = np.repeat(make_rows(2, 33), 200, axis=0)
    numbers = np.random.default_rng(1).permutation(400)
    index = make_index(rows, numbers)
    found = index.search(rows[[0, 399, 0, 399, 0]], 150)
    for query, wanted in enumerate([numbers[:200], numbers[200:]] * 2):
        assert found.numbers[query].tolist() == sorted(wanted)[:150]
    assert (found.products[0] == found.products[0, 0]).all()


WIDTH = 3
NUMBERS = st.lists(st.integers(0, 30), max_size=12, unique=True)
VALUES = st.integers(-3, 3)  # few, so that products are often equal
STEPS = st.lists(st.tuples(st.sampled_from(["add", "remove"]), NUMBERS, st.integers(0, 99)))


@given(steps=STEPS, k=st.integers(1, 40), among=st.none() | st.lists(st.integers(0, 35)))
def test_rows_added_replaced_and_removed_are_found_as_by_hand(steps, k, among):
    index, kept = NearIndex.create(WIDTH), {}
    for step, numbers, seed in steps:
        if step == "add":
            rows = np.random.default_rng(seed).integers(-3, 4, (len(numbers), WIDTH))
            index.add(np.array(numbers, np.int64), rows.astype(np.float32))
            kept |= dict(zip(numbers, rows.astype(np.float32), strict=True))
        else:
            index.remove(np.array(numbers, np.int64))
            kept = {number: row for number, row in kept.items() if number not in numbers}
    queries = np.random.default_rng(len(steps)).integers(-3, 4, (3, WIDTH)).astype(np.float32)
    assert len(index) == len(kept)
    assert index.numbers().tolist() == sorted(kept)
    check(index, kept, queries, k, among)


def test_a_filter_fills_all_places_however_bad_its_rows_are():
    rows = make_rows(2000, 8)
    query = make_rows(1, 8, 1)
    worst = np.argsort(rows @ query[0])[:30]
    found = make_index(rows).search(query, 40, worst)
    assert sorted(found.numbers[0, :30]) == sorted(worst)
    assert (found.numbers[0, 30:] == -1).all()
    assert (found.products[0, 30:] == -np.inf).all()


def test_a_filter_may_name_rows_twice_in_any_order_and_such_as_are_not_there():
    rows = make_rows(100, 8)
    numbers = np.arange(100) * 1000
    index = make_index(rows, numbers)
    index.remove(numbers[::3])
    kept = {number: row for number, row in zip(numbers, rows, strict=True) if number % 3000}
    among = [5000, 1000, 1000, 3000, 7, 10**9, 99000, 98000]
    check(index, kept, make_rows(2, 8, 1), 5, among)
    assert (index.search(rows[:1], 3, np.empty(0, np.int64)).numbers == -1).all()


def test_numbers_may_be_as_large_as_they_come():
    numbers = np.array([0, 2**62, 2**63 - 1])
    index = make_index(np.eye(3, dtype=np.float32), numbers)
    found = index.search(np.ones((1, 3)), 3, numbers[::-1])
    assert found.numbers.tolist() == [numbers.tolist()]


def test_an_index_without_rows_finds_none():
    found = NearIndex.create(4).search(make_rows(2, 4), 3)
    assert (found.numbers == -1).all()
    assert found.numbers.shape == found.products.shape == (2, 3)


def test_no_query_gets_no_answer():
    assert make_index(make_rows(5, 4)).search(np.empty((0, 4)), 3).numbers.shape == (0, 3)


def test_rows_are_read_as_they_were_added():
    rows = make_rows(50, 9) * np.float32(10.0) ** np.arange(-15, 12, 3, dtype=np.float32)
    rows[3] = [0.0, -0.0, 1.0, -1.0, 1e-44, 65504.0, 2.0**-149, -3.0, 1 / 3]
    index = make_index(rows)
    index.add(np.array([60]), rows[:1])
    read = index.read(np.array([60, 7, 3, 7]))
    np.testing.assert_array_equal(read.view(np.uint32), rows[[0, 7, 3, 7]].view(np.uint32))
    with pytest.raises(KeyError, match="50"):
        index.read(np.array([3, 50]))


def test_adding_one_by_one_keeps_few_segments():
    rows = make_rows(300, 4)
    index = NearIndex.create(4)
    for number in range(300):
        index.add(np.array([299 - number]), rows[number : number + 1])
    assert len(index._snapshot.parts) < 12
    check(index, dict(enumerate(rows[::-1])), rows[:2], 20)


def test_what_is_left_of_many_segments_is_merged(monkeypatch):
    monkeypatch.setattr(row_segment, "MOST_MERGED", 64)
    rows = make_rows(640, 4)
    index = make_index(rows)
    assert len(index._snapshot.parts) == 10
    index.remove(np.flatnonzero(np.arange(640) % 8))
    assert len(index._snapshot.parts) < 4
    check(index, {number: rows[number] for number in range(0, 640, 8)}, rows[:2], 20)


def test_a_segment_that_lost_most_of_its_rows_is_written_anew():
    index = make_index(make_rows(100, 4))
    index.remove(np.arange(60))
    (part,) = index._snapshot.parts
    assert (len(part.segment), part.is_alive) == (40, None)
    index.remove(np.arange(100))
    assert index._snapshot.parts == ()


def test_searches_beside_changes_see_one_moment():
    """Rows change places by twos in one call each: a search finds all of a state or of the next."""
    rows = np.eye(8, dtype=np.float32)
    index = make_index(rows)
    is_over = threading.Event()
    wrong = []

    def look():
        while not is_over.is_set():
            found = index.search(np.ones((1, 8), np.float32), 8)
            if sorted(found.products[0]) not in ([1.0] * 8, [2.0] * 8):
                wrong.append(found)

    readers = [threading.Thread(target=look) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(200):
        index.add(np.arange(8), rows * (1 + turn % 2))
    is_over.set()
    for reader in readers:
        reader.join()
    assert not wrong


def test_threads_that_add_and_remove_at_once_lose_nothing():
    index = NearIndex.create(4)
    rows = make_rows(50, 4)

    def change(first):
        for turn in range(10):
            index.add(first + np.arange(50), rows + np.float32(turn))
            index.remove(first + np.arange(0, 50, 2))

    writers = [threading.Thread(target=change, args=(1000 * each,)) for each in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    kept = {
        1000 * each + odd: rows[odd] + np.float32(9) for each in range(4) for odd in range(1, 50, 2)
    }
    assert index.numbers().tolist() == sorted(kept)
    check(index, kept, make_rows(1, 4, 2), 30)


@pytest.mark.parametrize(
    ("numbers", "rows", "message"),
    [
        ([1, 1], np.zeros((2, 3)), "two rows have one number"),
        ([1, -1], np.zeros((2, 3)), "number -1: choose 0 or more"),
        ([1], np.zeros((1, 4)), r"numbers \(1,\) of rows \(1, 4\): give \(n,\), \(n, 3\)"),
        ([1], np.full((1, 3), np.nan), "a row is not finite"),
        ([1, 2], np.array([[0, 0, 0], [0, np.inf, 0]]), "a row is not finite"),
        ([1, 2, 3], np.array([[1, 0, 0], [0, np.nan, 0], [2, 0, 0]]), "a row is not finite"),
        ([1], np.full((1, 3), 1e16), "or longer than 1e"),
    ],
)
def test_rows_that_do_not_fit_are_refused_and_nothing_changes(numbers, rows, message):
    index = make_index(np.ones((1, 3), np.float32), np.array([1]))
    with pytest.raises(ValueError, match=message):
        index.add(np.array(numbers), rows.astype(np.float32))
    assert index.search(np.ones((1, 3), np.float32), 1).products == [[3.0]]


@pytest.mark.parametrize(
    ("queries", "k", "message"),
    [
        (np.zeros((1, 4)), 1, r"queries \(1, 4\): give \(q, 3\)"),
        (np.zeros(3), 1, r"queries \(3,\): give \(q, 3\)"),
        (np.full((1, 3), np.nan), 1, "a query is not finite"),
        (np.zeros((1, 3)), 0, "k=0: choose 1 or more"),
    ],
)
def test_what_cannot_be_searched_is_refused(queries, k, message):
    with pytest.raises(ValueError, match=message):
        make_index(np.ones((1, 3), np.float32)).search(queries.astype(np.float32), k)


def test_rows_have_at_least_one_number():
    with pytest.raises(ValueError, match="dimensions=0: choose 1 or more"):
        NearIndex.create(0)

from collections import Counter
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seentwice.data.pairs import PairTable
from seentwice.data.triplets import COLUMNS, make_triplets
from seentwice.records import Photo, View

VIEWS = tuple(
    View(Photo(Path(f"{n}.jpg"), f"{n}.jpg", f"p{n}"), "hflip" * (n % 2)) for n in range(9)
)


def table(rows):
    left, right, label = (np.array([row[column] for row in rows]) for column in range(3))
    return PairTable(
        VIEWS, left.astype(int), right.astype(int), label.astype(bool), np.zeros(len(rows), np.int8)
    )


ROWS = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 8), st.booleans()).filter(
        lambda row: row[2] or row[0] != row[1]  # SameSpace pairs a view with itself, as a duplicate
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda row: row[:2],
)
# Both orders of a pair may be there, but not with two labels.
ROWS = ROWS.filter(
    lambda rows: (
        len({(frozenset(row[:2]), row[2]) for row in rows})
        == len({frozenset(row[:2]) for row in rows})
    )
)


@given(ROWS, st.integers(1, 4), st.integers(0, 100))
def test_triplets_join_the_pairs_of_a_table(rows, per_query, seed):
    foes = {
        n: {a if b == n else b for a, b, label in rows if not label and n in (a, b)}
        for n in range(9)
    }
    queries = {way for a, b, label in rows if label and a != b for way in ((a, b), (b, a))}
    expected = Counter({way: min(per_query, len(foes[way[0]])) for way in queries if foes[way[0]]})
    pairs = table(rows)
    triplets = make_triplets(pairs, per_query, np.random.default_rng(seed))
    found = list(zip(*(c.tolist() for c in (triplets.query, triplets.positive)), strict=True))
    assert Counter(found) == expected
    assert triplets.left_out == sum(not foes[query] for query, _ in queries)
    for query, negative in zip(triplets.query, triplets.negative, strict=True):
        assert int(negative) in foes[int(query)]
    for pair, other in (
        (triplets.positive_pair, triplets.positive),
        (triplets.negative_pair, triplets.negative),
    ):
        named = [{a, b} for a, b in zip(pairs.left[pair], pairs.right[pair], strict=True)]
        assert named == [{a, b} for a, b in zip(triplets.query, other, strict=True)]
    whole = list(zip(found, triplets.negative.tolist(), strict=True))
    assert len(whole) == len(set(whole))


def test_every_negative_of_a_query_is_equally_likely():
    pairs = table([(0, 1, True), *((0, n, False) for n in range(2, 9))])
    generator = np.random.default_rng(0)
    counts = Counter(int(make_triplets(pairs, 1, generator).negative[0]) for _ in range(3500))
    assert set(counts) == set(range(2, 9))
    assert all(abs(count - 500) < 5 * np.sqrt(500) for count in counts.values())


def test_the_frame_names_photos_and_edits():
    frame = make_triplets(
        table([(0, 1, True), (0, 2, False)]), 1, np.random.default_rng(0)
    ).to_frame()
    assert tuple(frame.columns) == COLUMNS
    assert frame.to_dict("records") == [
        {
            "query": "0.jpg",
            "positive": "1.jpg",
            "negative": "2.jpg",
            "query_edit": "",
            "positive_edit": "hflip",
            "negative_edit": "",
        }
    ]


def test_a_table_may_hold_no_triplet():
    triplets = make_triplets(table([(0, 1, True), (2, 3, False)]), 1, np.random.default_rng(0))
    assert len(triplets) == 0
    assert tuple(triplets.to_frame().columns) == COLUMNS

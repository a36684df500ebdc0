import csv
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.data.leaks import (
    COLUMNS,
    KINDS,
    MOST_BITS,
    Leak,
    LeakKind,
    Parts,
    describe_leaks,
    find_leaks,
    leaks_to_csv,
    parts_of,
)
from seentwice.data.splits import Split

NAMES = ("train", "validation", "test")


def ignore(done, total):
    assert 0 < done <= total


def find(part, files, pixels, hashes, readable=None, most_listed=1000, threads=1, keys=None):
    readable = np.ones(len(part), bool) if readable is None else np.array(readable, bool)
    return find_leaks(
        [f"{index}.jpg" for index in range(len(part))] if keys is None else keys,
        Parts(NAMES, np.array(part, np.int64)),
        [str(code).encode() for code in files],
        [str(code).encode() for code in pixels],
        np.array(hashes, np.uint64),
        readable,
        threads,
        ignore,
        most_listed,
    )


def find_slowly(part, files, pixels, hashes, readable):
    found = []
    for low, high in combinations(range(len(part)), 2):
        bits = bin(hashes[low] ^ hashes[high]).count("1")
        apart = part[low] != part[high] and -1 not in (part[low], part[high])
        if apart and readable[low] and readable[high] and bits <= MOST_BITS:
            how = 0 if files[low] == files[high] else 1 if pixels[low] == pixels[high] else 2
            found.append((how, bits, low, high))
    return [
        Leak(f"{low}.jpg", f"{high}.jpg", NAMES[part[low]], NAMES[part[high]], KINDS[how], bits)
        for how, bits, low, high in sorted(found)
    ]


PHOTO = st.tuples(
    st.integers(-1, 2), st.integers(0, 5), st.integers(0, 5), st.integers(0, 31), st.booleans()
)


@given(st.lists(PHOTO, max_size=25), st.integers(1, 40))
def test_leaks_are_those_of_a_slow_search(photos, most_listed):
    part, files, pixels, hashes, readable = zip(*photos, strict=True) if photos else [()] * 5
    leaks = find(part, files, pixels, hashes, readable, most_listed)
    expected = find_slowly(part, files, pixels, hashes, readable)
    assert list(leaks.listed) == expected[:most_listed]
    assert leaks.counts == {kind: sum(leak.how is kind for leak in expected) for kind in LeakKind}
    assert leaks.total == len(expected)


def test_many_blank_photos_are_counted_and_few_listed():
    count = 3000
    part = np.arange(count) % 3
    leaks = find(part, range(count), [0] * count, [0] * count, most_listed=10, threads=2)
    assert leaks.counts[LeakKind.SAME_PIXELS] == leaks.total == 3 * 1000**2
    assert [(leak.left, leak.right) for leak in leaks.listed] == [
        ("0.jpg", f"{high}.jpg") for high in (1, 2, 4, 5, 7, 8, 10, 11, 13, 14)
    ]


def make_split(train, validation, test):
    return Split(*(np.array(indices, np.int64) for indices in (train, validation, test)))


def test_the_parts_of_one_split_are_its_own():
    parts = parts_of([make_split([0, 4], [1], [2])], 5)
    assert parts.names == ("train", "validation", "test")
    assert parts.number.tolist() == [0, 1, 2, -1, 0]


def test_the_parts_of_folds_are_what_each_tests():
    folds = [make_split([2], [1], [0]), make_split([0], [2], [1]), make_split([1], [0], [2])]
    parts = parts_of(folds, 3)
    assert parts.names == ("fold 1", "fold 2", "fold 3")
    assert parts.number.tolist() == [0, 1, 2]


def test_each_leak_of_folds_is_reported_once():
    leaks = find([0, 1, 2], [7, 7, 8], [7, 7, 8], [0, 0, 1])
    assert [(leak.left, leak.right, leak.how.value) for leak in leaks.listed] == [
        ("0.jpg", "1.jpg", "same bytes"),
        ("0.jpg", "2.jpg", "near hash"),
        ("1.jpg", "2.jpg", "near hash"),
    ]


def test_the_table_names_photos_by_key_as_they_are():
    keys = ["kitchen/a_1_1.jpg", 'bath/"b", <i>_1_1.jpg']
    text = leaks_to_csv(find([0, 2], [1, 1], [1, 1], [5, 5], keys=keys))
    assert list(csv.reader(text.splitlines())) == [
        list(COLUMNS),
        [*keys, "train", "test", "same bytes", "0"],
    ]


@pytest.mark.parametrize(
    ("hashes", "text"),
    [
        ([0, 63], "none"),
        ([0, 3], "1 pair of photos across splits (1 near hash)"),
        ([0, 3, 0], "3 pairs of photos across splits (1 same bytes, 2 near hash)"),
    ],
)
def test_leaks_are_told_in_words(hashes, text):
    count = len(hashes)
    assert describe_leaks(find(range(count), [0, 1, 0][:count], range(count), hashes)) == text

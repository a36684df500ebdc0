import csv
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.data.lookalikes import (
    COLUMNS,
    LIKENESSES,
    MOST_BITS,
    Likeness,
    Lookalike,
    describe_leaks,
    describe_suspects,
    find_lookalikes,
    lookalikes_to_csv,
)
from seentwice.data.parts import Parts
from seentwice.records import Photo

NAMES = ("train", "validation", "test")


def ignore(done, total):
    assert 0 < done <= total


def name_photos(count, places=None, zones=None, keys=None):
    return [
        Photo(
            Path("nowhere"),
            keys[index] if keys else f"{index}.jpg",
            f"place {places[index] if places is not None else index}",
            zone=zones[index] if zones else None,
        )
        for index in range(count)
    ]


def find(part, files, pixels, hashes, readable=None, most_listed=1000, threads=1, **names):
    readable = np.ones(len(part), bool) if readable is None else np.array(readable, bool)
    return find_lookalikes(
        name_photos(len(part), **names),
        Parts(NAMES, np.array(part, np.int64)),
        [str(code).encode() for code in files],
        [str(code).encode() for code in pixels],
        np.array(hashes, np.uint64),
        readable,
        threads,
        ignore,
        most_listed,
    )


def find_slowly(photos, part, files, pixels, hashes, readable):
    """All pairs of two parts, and all pairs of two places without a common zone."""
    leaks, suspects = [], []
    for low, high in combinations(range(len(part)), 2):
        bits = bin(hashes[low] ^ hashes[high]).count("1")
        looked_at = -1 not in (part[low], part[high]) and readable[low] and readable[high]
        if not looked_at or bits > MOST_BITS:
            continue
        how = 0 if files[low] == files[high] else 1 if pixels[low] == pixels[high] else 2
        left, right = photos[low], photos[high]
        if part[low] != part[high]:
            leaks.append((how, bits, low, high))
        if left.place != right.place and (left.zone is None or left.zone != right.zone):
            suspects.append((how, bits, low, high))
    return [
        [
            Lookalike(
                photos[low].key,
                photos[high].key,
                photos[low].place,
                photos[high].place,
                NAMES[part[low]],
                NAMES[part[high]],
                LIKENESSES[how],
                bits,
            )
            for how, bits, low, high in sorted(found)
        ]
        for found in (leaks, suspects)
    ]


PHOTO = st.tuples(
    st.integers(-1, 2),
    st.integers(0, 5),
    st.integers(0, 5),
    st.integers(0, 31),
    st.booleans(),
    st.integers(0, 4),
    st.sampled_from([None, None, "hall", "loft"]),
)


@given(st.lists(PHOTO, max_size=25), st.integers(1, 40))
def test_lookalikes_are_those_of_a_slow_search(rows, most_listed):
    columns = zip(*rows, strict=True) if rows else [()] * 7
    part, files, pixels, hashes, readable, places, zones = columns
    found = find(part, files, pixels, hashes, readable, most_listed, places=places, zones=zones)
    photos = name_photos(len(part), places, zones)
    expected = find_slowly(photos, part, files, pixels, hashes, readable)
    for lookalikes, slowly in zip((found.leaks, found.suspects), expected, strict=True):
        assert list(lookalikes.listed) == slowly[:most_listed]
        assert lookalikes.counts == {
            how: sum(pair.how is how for pair in slowly) for how in Likeness
        }
        assert lookalikes.total == len(slowly)


def test_many_blank_photos_are_counted_and_few_listed():
    count = 3000
    places = np.arange(count) // 2
    found = find(
        np.arange(count) % 3, range(count), [0] * count, [0] * count, None, 10, 2, places=places
    )
    leaks, suspects = found.leaks, found.suspects
    assert leaks.counts[Likeness.SAME_PIXELS] == leaks.total == 3 * 1000**2
    assert suspects.counts[Likeness.SAME_PIXELS] == suspects.total == 3000 * 2999 // 2 - 1500
    assert [(pair.left, pair.right) for pair in leaks.listed] == [
        ("0.jpg", f"{high}.jpg") for high in (1, 2, 4, 5, 7, 8, 10, 11, 13, 14)
    ]
    assert [(pair.left, pair.right) for pair in suspects.listed] == [
        ("0.jpg", f"{high}.jpg") for high in range(2, 12)
    ]


def test_a_copy_under_another_place_of_the_split_is_suspect_and_leaks_nothing():
    found = find([0, 0], [1, 2], [1, 2], [0, 3])
    assert found.leaks.total == 0
    (pair,) = found.suspects.listed
    assert (pair.left_place, pair.right_place, pair.how.value) == (
        "place 0",
        "place 1",
        "near hash",
    )
    assert (pair.left_split, pair.right_split, pair.bits) == ("train", "train", 2)


@pytest.mark.parametrize(
    "same", [{"places": [4, 4]}, {"zones": ["loft", "loft"]}], ids=["place", "zone"]
)
def test_what_is_never_a_negative_by_its_labels_is_not_suspect(same):
    found = find([0, 2], [1, 2], [1, 2], [0, 3], **same)
    assert (found.leaks.total, found.suspects.total) == (1, 0)


def test_two_rooms_of_one_home_are_suspect():
    """They are negatives of each other, and one photo under both is as wrong."""
    home = [
        Photo(Path("nowhere"), f"{room}.jpg", room, property="home", room_type=room)
        for room in ("bath", "kitchen")
    ]
    digests = [b"a", b"a"]
    hashes = np.zeros(2, np.uint64)
    parts = Parts(NAMES, np.zeros(2, np.int64))
    found = find_lookalikes(home, parts, digests, digests, hashes, np.ones(2, bool), 1, ignore)
    assert found.suspects.counts[Likeness.SAME_BYTES] == 1


def test_each_leak_of_folds_is_reported_once():
    leaks = find([0, 1, 2], [7, 7, 8], [7, 7, 8], [0, 0, 1]).leaks
    assert [(leak.left, leak.right, leak.how.value) for leak in leaks.listed] == [
        ("0.jpg", "1.jpg", "same bytes"),
        ("0.jpg", "2.jpg", "near hash"),
        ("1.jpg", "2.jpg", "near hash"),
    ]


def test_the_table_names_photos_by_key_as_they_are():
    keys = ["kitchen/a_1_1.jpg", 'bath/"b", <i>_1_1.jpg']
    text = lookalikes_to_csv(find([0, 2], [1, 1], [1, 1], [5, 5], keys=keys).leaks)
    assert list(csv.reader(text.splitlines())) == [
        list(COLUMNS),
        [*keys, "place 0", "place 1", "train", "test", "same bytes", "0"],
    ]


@pytest.mark.parametrize(
    ("hashes", "pairs", "kinds"),
    [
        ([0, 63], "", ""),
        ([0, 3], "1 pair", " (1 near hash)"),
        ([0, 3, 0], "3 pairs", " (1 same bytes, 2 near hash)"),
    ],
)
def test_lookalikes_are_told_in_words(hashes, pairs, kinds):
    count = len(hashes)
    found = find(range(count), [0, 1, 0][:count], range(count), hashes)
    leaks, suspects = describe_leaks(found.leaks), describe_suspects(found.suspects)
    if not pairs:
        assert leaks == suspects == "none"
    else:
        assert leaks == f"{pairs} of photos across splits{kinds}"
        words = "of photos that look the same, labelled as two places"
        assert suspects == f"{pairs} {words}{kinds}"

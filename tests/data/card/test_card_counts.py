import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.data.card.counts import (
    BITS,
    PhotoMeasures,
    choose_examples,
    count_bits,
    make_card,
    to_json,
)
from seentwice.data.lookalikes import Likeness, Lookalike, Lookalikes
from seentwice.data.pairs import KINDS, PairTable
from seentwice.data.parts import Parts
from seentwice.data.tables import FoldTables
from seentwice.records import Kind, Photo, Reason, Unreadable, View

EVIL = "kitchen/\x1b[31m\udce9_1_1.jpg"
PAIRS = 40


def make_photo(number):
    place = number // 2
    return Photo(
        Path(f"{number}.jpg"),
        EVIL if number == 0 else f"{number}.jpg",
        f"place {place}",
        property=f"home {place // 2}",
        room_type=("kitchen", "bath", None)[place % 3],
        city="Rome" if place < 4 else None,
    )


PHOTOS = [make_photo(number) for number in range(12)]
VIEWS = tuple(View(photo) for photo in PHOTOS)


def make_table(seed):
    generator = np.random.default_rng(seed)
    kind = generator.integers(len(KINDS), size=PAIRS).astype(np.int8)
    label = np.isin(kind, [KINDS.index(Kind.EDITED), KINDS.index(Kind.SAME_PLACE)])
    left, right = generator.integers(len(VIEWS), size=(2, PAIRS))
    return PairTable(VIEWS, left, right, label, kind)


FOLD = FoldTables(make_table(0), make_table(1), make_table(2))
HASHES = np.random.default_rng(3).integers(2**63, size=len(VIEWS)).astype(np.uint64)


@pytest.fixture(scope="module")
def card():
    leaks = Lookalikes(
        dict.fromkeys(Likeness, 1) | {Likeness.NEAR_HASH: 5000},
        (Lookalike(EVIL, "8.jpg", EVIL, "b", "train", "test", Likeness.SAME_BYTES, 0),),
    )
    suspects = Lookalikes(
        dict.fromkeys(Likeness, 0) | {Likeness.NEAR_HASH: 1},
        (Lookalike("1.jpg", "2.jpg", "a", "b", "train", "train", Likeness.NEAR_HASH, 2),),
    )
    measures = PhotoMeasures(
        np.arange(100, 1300, 100),
        np.full(12, 50),
        np.arange(12) * 1000,
        ("PNG", *["JPEG"] * 11),
    )
    return make_card(
        data="rooms",
        source={"root": "photos"},
        fingerprint="ab",
        seed=7,
        photos=PHOTOS,
        # The last photo is in no part.
        parts=Parts(("train", "test"), np.array([0] * 8 + [1] * 3 + [-1])),
        measures=measures,
        folds=[FOLD, FOLD],
        hashes={"perception": HASHES},
        unreadable=[Unreadable(Path(EVIL), Reason.EMPTY, "0 bytes")],
        leaks=leaks,
        suspects=suspects,
    )


def test_the_json_is_this_one(card):
    values = json.loads(to_json(card))
    hamming, tables = values.pop("hamming"), values.pop("tables")
    shown = r"kitchen/\x1b[31m\udce9_1_1.jpg"
    assert values == {
        "data": "rooms",
        "source": {"root": "photos"},
        "fingerprint": "ab",
        "seed": 7,
        "folds": 2,
        "parts": [
            {"part": "all", "photos": 12, "places": 6, "properties": 3, "cities": 1},
            {"part": "train", "photos": 8, "places": 4, "properties": 2, "cities": 1},
            {"part": "test", "photos": 3, "places": 2, "properties": 1, "cities": 0},
        ],
        "room_types": {
            "bath": {"all": 4, "train": 2, "test": 2},
            "kitchen": {"all": 4, "train": 4, "test": 0},
            "unknown": {"all": 4, "train": 2, "test": 1},
        },
        "places_by_photos": {"2": 6},
        "sizes": {
            "width_px": {"min": 100.0, "median": 650.0, "max": 1200.0},
            "height_px": {"min": 50.0, "median": 50.0, "max": 50.0},
            "megapixels": {"min": 0.005, "median": 0.0325, "max": 0.06},
            "kilobytes": {"min": 0.0, "median": 5.5, "max": 11.0},
        },
        "formats": {"JPEG": 11, "PNG": 1},
        "unreadable": [{"file": shown, "reason": "empty", "detail": "0 bytes"}],
        "leaks": {
            "counts": {"same bytes": 1, "same pixels": 1, "near hash": 5000},
            "listed": [
                {
                    "left": shown,
                    "right": "8.jpg",
                    "left_place": shown,
                    "right_place": "b",
                    "left_split": "train",
                    "right_split": "test",
                    "how": "same bytes",
                    "bits": 0,
                }
            ],
        },
        "suspects": {
            "counts": {"same bytes": 0, "same pixels": 0, "near hash": 1},
            "listed": [
                {
                    "left": "1.jpg",
                    "right": "2.jpg",
                    "left_place": "a",
                    "right_place": "b",
                    "left_split": "train",
                    "right_split": "train",
                    "how": "near hash",
                    "bits": 2,
                }
            ],
        },
    }
    assert [table["split"] for table in tables] == ["train", "validation", "test"]
    for table, pairs in zip(tables, (FOLD.train, FOLD.validation, FOLD.test), strict=True):
        assert table["pairs"] == {
            kind.value: 2 * int((pairs.kind == number).sum()) for number, kind in enumerate(KINDS)
        }
        counted = hamming[table["split"]]["perception"]
        assert sum(counted["duplicates"]) == 2 * int(pairs.label.sum())
        assert sum(counted["others"]) == 2 * int((~pairs.label).sum())


def test_keys_are_sorted_and_there_is_no_nan(card):
    text = to_json(card)
    text.encode("ascii")
    assert "NaN" not in text
    assert list(json.loads(text)) == sorted(json.loads(text))


@given(
    st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=6),
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.booleans()), max_size=20),
)
def test_pairs_are_counted_by_bits_as_one_by_one(hashes, rows):
    left, right, label = (np.array(side) for side in zip(*rows, strict=True)) if rows else [[]] * 3
    label = np.array(label, bool)
    pairs = PairTable(
        VIEWS,
        np.array(left, np.int64),
        np.array(right, np.int64),
        label,
        np.zeros(len(label), np.int8),
    )
    counted = count_bits(np.array(hashes, np.uint64), pairs)
    for is_duplicate, counts in ((True, counted.duplicates), (False, counted.others)):
        slowly = Counter(
            bin(hashes[low] ^ hashes[high]).count("1")
            for low, high, same in rows
            if same == is_duplicate
        )
        assert counts == tuple(slowly[bits] for bits in range(BITS + 1))


def test_examples_are_of_each_kind_and_of_their_table():
    examples = choose_examples(FOLD, 3, seed=0)
    assert [pair.kind for pair in examples] == [kind for kind in KINDS for _ in range(3)]
    for pair in examples:
        table = getattr(FOLD, pair.table)
        rows = zip(table.left, table.right, table.kind, strict=True)
        assert (pair.left, pair.right, pair.kind) in [
            (VIEWS[left], VIEWS[right], KINDS[kind]) for left, right, kind in rows
        ]
    assert choose_examples(FOLD, 3, seed=0) == examples != choose_examples(FOLD, 3, seed=1)


def test_all_pairs_of_a_rare_kind_are_examples_and_none_of_a_missing_one():
    few = FOLD.train.take(np.flatnonzero(FOLD.train.label)[:2])
    examples = choose_examples(FoldTables(few, few, few), 100, seed=0)
    assert len(examples) == 6
    assert {pair.kind for pair in examples} <= {Kind.EDITED, Kind.SAME_PLACE}

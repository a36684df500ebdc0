import re
from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from seentwice.data.folder import place_of
from seentwice.data.pairs import KINDS
from seentwice.data.samespace import COLUMNS, EDITS, make_samespace_pairs, to_samespace_frame
from seentwice.errors import UserError
from seentwice.records import Kind, Photo, View

AIRBNB_NAMES = Path(__file__).parents[3] / "shared" / "data" / "airbnb_file_names.txt"


def views_of(keys, edits=EDITS):
    return tuple(View(Photo(Path(key), key, place_of(key)), edit) for key in keys for edit in edits)


def make(keys, seed=0, hashes=None):
    views = views_of(keys)
    if hashes is None:
        hashes = np.random.default_rng(0).integers(0, 2**12, len(keys))
    per_view = np.repeat(np.asarray(hashes, np.uint64), len(EDITS))
    return make_samespace_pairs(views, np.arange(len(views)), per_view, 1, [seed])


KEYS = [
    f"bedroom/rome_{home}_{k}.jpg"
    for home, photos in ((1, 3), (2, 1), (3, 2))
    for k in range(photos)
]


def slow_positives(keys):
    """All ordered pairs of one place, a photo with itself included, in all edits of both sides."""
    return Counter(
        (one, other, *edits)
        for one, other in product(keys, repeat=2)
        if place_of(one) == place_of(other)
        for edits in product(EDITS, repeat=2)
    )


def test_the_positives_are_those_of_a_slow_enumeration():
    pairs = make(KEYS)
    views = pairs.views
    made = Counter(
        (
            views[left].photo.key,
            views[right].photo.key,
            views[left].edit,
            views[right].edit,
        )
        for left, right, label in zip(pairs.left, pairs.right, pairs.label, strict=True)
        if label
    )
    assert made == slow_positives(KEYS)
    assert made.total() == 64 * (3**2 + 1 + 2**2)


def test_the_kinds_tell_a_photo_with_itself_from_two_of_a_place():
    pairs = make(KEYS)
    kinds = Counter(KINDS[kind] for kind in pairs.kind)
    assert kinds == {
        Kind.EDITED: 64 * 6,
        Kind.SAME_PLACE: 64 * (3 * 2 + 2),
        Kind.HASH_WEIGHTED: 6**2 - 14,  # all there are: fewer than positives
    }


def test_negatives_are_ordered_unedited_and_drawn_once():
    pairs = make(KEYS)
    negatives = [
        (pairs.views[left], pairs.views[right])
        for left, right, label in zip(pairs.left, pairs.right, pairs.label, strict=True)
        if not label
    ]
    expected = {
        (one, other) for one, other in product(KEYS, repeat=2) if place_of(one) != place_of(other)
    }
    assert {(left.photo.key, right.photo.key) for left, right in negatives} == expected
    assert len(negatives) == len(expected)
    assert {view.edit for pair in negatives for view in pair} == {""}


def test_negatives_are_drawn_with_weight_one_over_e_to_the_distance(monkeypatch):
    """In miniature, against NumPy's own draw without replacement from the list of all pairs."""
    monkeypatch.setattr("seentwice.data.samespace.EDITS", ("",))  # 5 rows of positives, 5 of 20
    keys = [f"bedroom/rome_{home}_1.jpg" for home in range(5)]
    hashes = [0b0, 0b1, 0b11, 0b111, 0b1111]
    ordered = [(i, j) for i, j in product(range(5), repeat=2) if i != j]
    weight = np.array([np.exp(-abs(i - j)) for i, j in ordered])
    repetitions = 800
    slow = np.random.default_rng(1)
    expected = Counter(
        ordered[at]
        for _ in range(repetitions)
        for at in slow.choice(len(ordered), 5, replace=False, p=weight / weight.sum())
    )
    views = views_of(keys, [""])
    measured = Counter()
    for seed in range(repetitions):
        pairs = make_samespace_pairs(views, np.arange(5), np.array(hashes, np.uint64), 1, [seed])
        negative = ~pairs.label
        assert negative.sum() == 5
        measured.update(
            zip(pairs.left[negative].tolist(), pairs.right[negative].tolist(), strict=True)
        )
    for pair in ordered:
        share = (expected[pair] + measured[pair]) / (2 * repetitions)
        error = np.sqrt(2 * repetitions * share * (1 - share))
        assert abs(expected[pair] - measured[pair]) < 5 * error


def read_airbnb_names():
    if not AIRBNB_NAMES.is_file():
        pytest.skip(f"needs the file names of the Airbnb training set, {AIRBNB_NAMES.name}")
    return AIRBNB_NAMES.read_text(encoding="utf-8").splitlines()


def test_the_golden_counts_of_the_names_that_are_known():
    keys = read_airbnb_names()
    pairs = make(keys)
    assert len(keys) ** 2 == 396_900
    assert sum(count**2 for count in Counter(map(place_of, keys)).values()) == 1_556
    assert (pairs.kind == KINDS.index(Kind.SAME_PLACE)).sum() == 64 * 2 * 463
    assert (pairs.label.sum(), (~pairs.label).sum()) == (99_584, 99_584)


def test_the_golden_counts_of_the_whole_training_set():
    """With the photo whose name is not known: another one of a room that has one so far."""
    keys = read_airbnb_names()
    place = Counter(map(place_of, keys))
    single = next(key for key in keys if place[place_of(key)] == 1)
    keys = [*keys, f"{single.rpartition('_')[0]}_99.jpg"]
    pairs = make(keys)
    assert (len(set(keys)), len(keys) ** 2) == (631, 398_161)
    assert pairs.label.sum() == 64 * 1_559 == 99_776
    assert (pairs.kind == KINDS.index(Kind.EDITED)).sum() == 64 * 631
    assert (pairs.kind == KINDS.index(Kind.SAME_PLACE)).sum() == 64 * 2 * 464
    assert (pairs.kind == KINDS.index(Kind.HASH_WEIGHTED)).sum() == 99_776
    assert len(pairs) == 199_552


def test_the_frame_has_its_columns_and_flags():
    frame = to_samespace_frame(make(KEYS))
    assert (
        tuple(frame.columns)
        == COLUMNS
        == (
            "image1",
            "image2",
            "class",
            "img1_hflip",
            "img2_hflip",
            "img1_anticlockwise_rot",
            "img2_anticlockwise_rot",
            "img1_clockwise_rot",
            "img2_clockwise_rot",
        )
    )
    itself = frame[(frame["image1"] == KEYS[0]) & (frame["image2"] == KEYS[0])]
    flags = itself[list(COLUMNS[3:])]
    assert set(map(tuple, flags.to_numpy().tolist())) == set(product([0, 1], repeat=6))
    assert (itself["class"] == 1).all()
    negative = frame[frame["class"] == 0]
    assert not negative[list(COLUMNS[3:])].to_numpy().any()


def test_rooms_that_are_seen_in_each_other_are_no_negative():
    views = tuple(
        View(replace(view.photo, zone=f"open {number // 16}"), view.edit)
        for number, view in enumerate(views_of([f"bedroom/rome_{home}_1.jpg" for home in range(4)]))
    )
    pairs = make_samespace_pairs(views, np.arange(32), np.zeros(32, np.uint64), 1, [0])
    negatives = [
        (views[left].photo.zone, views[right].photo.zone)
        for left, right, label in zip(pairs.left, pairs.right, pairs.label, strict=True)
        if not label
    ]
    assert len(negatives) == 8
    assert all(left != right for left, right in negatives)


def test_the_eight_edits_are_needed():
    views = views_of(KEYS, ["", "hflip"])
    with pytest.raises(UserError, match=re.escape("choose edits=samespace")):
        make_samespace_pairs(views, np.arange(12), np.zeros(12, np.uint64), 1, [0])


def test_photos_of_one_place_alone_are_refused():
    with pytest.raises(UserError, match="no negative pair"):
        make(KEYS[:3])

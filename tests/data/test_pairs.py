from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.data.pairs import COLUMNS, KINDS, make_pairs, require_both_labels
from seentwice.data.sampling.items import codes_of
from seentwice.data.sampling.mix import MixedPolicy, NegativeMix, PositiveMix
from seentwice.errors import UserError
from seentwice.records import POSITIVE_KINDS, Kind, Photo, View

EVERY_POSITIVE = PositiveMix(edited=1.0, same_place=1.0, exact_copy=1.0)
HALF = NegativeMix(uniform=0.5, hash_weighted=0.5, same_property=0.0, same_room_type=0.0, hard=0.0)
ALL = MixedPolicy(10_000, 10_000, EVERY_POSITIVE, HALF)


def make(views, members, hashes, policy=ALL, seed=0, contents=None):
    if contents is None:
        contents = codes_of([view.photo.key for view in views])
    contents = np.asarray(contents, np.uint64)
    return make_pairs(views, members, contents, hashes, policy, None, 1, [seed])


def view(place, number, edit="", zone=None):
    key = f"{place}_{number}.jpg"
    return View(Photo(Path(key), key, place, zone=zone), edit)


VIEWS = (
    view("a/1", 1),
    view("a/1", 1, "hflip"),
    view("a/1", 2),
    view("b/2", 1),
    view("b/3", 1),
)
HASHES = np.array([0, 0, 0, 0b1111, 0b1], np.uint64)


def kind_of(pairs, left, right):
    found = [
        KINDS[pairs.kind[n]]
        for n in range(len(pairs))
        if {pairs.left[n], pairs.right[n]} == {left, right}
    ]
    assert len(found) == 1
    return found[0]


def test_each_pair_has_the_label_and_the_kind_it_was_drawn_as():
    pairs = make(VIEWS, np.arange(5), HASHES)
    assert len(pairs) == 10
    assert kind_of(pairs, 0, 1) is Kind.EDITED
    assert kind_of(pairs, 0, 2) is Kind.SAME_PLACE
    assert kind_of(pairs, 1, 2) is Kind.SAME_PLACE
    # All seven negatives are wanted: the four nearest as hash-weighted ones, as good as surely.
    assert kind_of(pairs, 3, 4) in (Kind.HASH_WEIGHTED, Kind.UNIFORM)
    positive = [KINDS[k] in POSITIVE_KINDS for k in pairs.kind]
    assert pairs.label.tolist() == positive


def test_two_files_with_the_same_pixels_are_an_exact_copy_and_never_a_negative():
    views = (
        view("a/1", 1),
        view("a/1", 2),
        view("a/1", 2, "hflip"),
        view("b/1", 1),
        view("b/2", 1),
    )
    pairs = make(views, np.arange(5), np.zeros(5, np.uint64), contents=[7, 7, 7, 7, 8])
    assert kind_of(pairs, 0, 1) is Kind.EXACT_COPY
    assert kind_of(pairs, 0, 2) is Kind.EDITED
    negatives = {
        frozenset((int(left), int(right)))
        for left, right, label in zip(pairs.left, pairs.right, pairs.label, strict=True)
        if not label
    }
    assert negatives == {frozenset((n, 4)) for n in range(4)}


def test_views_outside_the_split_are_in_no_pair():
    pairs = make(VIEWS, np.array([0, 1, 3]), HASHES)
    assert set(pairs.left) | set(pairs.right) == {0, 1, 3}


def test_one_zone_is_never_a_negative():
    views = (
        view("a/1", 1, zone="open"),
        view("a/1", 2, zone="open"),
        view("a/2", 1, zone="open"),
        view("a/3", 1),
    )
    pairs = make(views, np.arange(4), np.zeros(4, np.uint64))
    negatives = {
        (int(a), int(b))
        for a, b, y in zip(pairs.left, pairs.right, pairs.label, strict=True)
        if not y
    }
    assert negatives == {(0, 3), (1, 3), (2, 3)}


@given(st.integers(0, 5))
def test_the_seed_decides_the_sample(seed):
    views = tuple(view(f"r/{n // 2}", n) for n in range(40))
    hashes = np.random.default_rng(0).integers(0, 2**63, 40).astype(np.uint64)
    policy = MixedPolicy(10, 100, EVERY_POSITIVE, HALF)
    one = make(views, np.arange(40), hashes, policy, seed)
    two = make(views, np.arange(40), hashes, policy, seed)
    assert one.left.tolist() == two.left.tolist()
    assert one.right.tolist() == two.right.tolist()
    assert (one.label.sum(), (~one.label).sum()) == (10, 100)
    other = make(views, np.arange(40), hashes, policy, seed + 1)
    assert one.left.tolist() != other.left.tolist()


def test_the_frame_has_the_columns_of_the_pair_table():
    frame = make(VIEWS, np.arange(5), HASHES).to_frame()
    assert tuple(frame.columns) == COLUMNS
    edited = frame[frame["kind"] == "edited"].iloc[0]
    assert {edited["left_edit"], edited["right_edit"]} == {"", "hflip"}
    assert edited["left"] == edited["right"] == "a/1_1.jpg"


def test_the_frame_names_each_pair_and_escapes_what_is_no_text():
    views = (*VIEWS, view("a/\udcff", 1), view("b/é", 1, "rotate:7"))
    hashes = np.zeros(len(views), np.uint64)
    pairs = make(views, np.arange(len(views)), hashes)
    frame = pairs.to_frame()
    assert len(frame) == len(pairs) == 21
    for row, left, right, label, kind in zip(
        frame.to_dict("records"), pairs.left, pairs.right, pairs.label, pairs.kind, strict=True
    ):
        assert row == {
            "left": views[left].photo.key.replace("\udcff", "\\udcff"),
            "right": views[right].photo.key.replace("\udcff", "\\udcff"),
            "label": label,
            "left_edit": views[left].edit,
            "right_edit": views[right].edit,
            "kind": KINDS[kind].value,
        }


@pytest.mark.parametrize(("members", "missing"), [([3, 4], "duplicate"), ([0, 1, 2], "negative")])
def test_a_split_without_a_class_is_refused(members, missing):
    pairs = make(VIEWS, np.array(members), HASHES)
    photos = [VIEWS[member].photo for member in members]
    count = len({photo.place for photo in photos})
    of = f"{len(members)} photos of {count} place{'s' if count > 1 else ''}"
    with pytest.raises(UserError, match=f"the test split, {of}, has no {missing} pair") as raised:
        require_both_labels(pairs, photos, "test")
    # No kind of negatives is in one place.
    assert ("other kinds" in str(raised.value)) == (count > 1)


def test_a_split_with_both_classes_is_not():
    require_both_labels(
        make(VIEWS, np.arange(5), HASHES), [view.photo for view in VIEWS[:5]], "test"
    )


def test_codes_number_names_in_order():
    assert codes_of(["b", "a", "b", "é"]).tolist() == [1, 0, 1, 2]

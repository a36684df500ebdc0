import re
from dataclasses import fields, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.data.sampling.items import codes_of, describe_items
from seentwice.data.sampling.mix import (
    MixedPolicy,
    NegativeMix,
    PositiveMix,
    draw_negatives,
    draw_positives,
)
from seentwice.data.sampling.ranks import pairs_at
from seentwice.errors import UserError
from seentwice.records import Kind, Photo, View

EVERY_POSITIVE = PositiveMix(edited=1.0, same_place=1.0, exact_copy=1.0)
UNIFORM = NegativeMix(
    uniform=1.0, hash_weighted=0.0, same_property=0.0, same_room_type=0.0, hard=0.0
)
ALL = MixedPolicy(10_000, 10_000, EVERY_POSITIVE, UNIFORM)
ROOM_TYPES = ("bedroom", "kitchen", None)


def view(number, place, home=None, room_type=None, zone=None, edit=""):
    key = f"{number}.jpg"
    return View(Photo(Path(key), key, f"p{place}", home, room_type, zone), edit)


def items_of(views, contents=None):
    if contents is None:
        contents = codes_of([view.photo.key for view in views])
    hashes = np.random.default_rng(0).integers(0, 2**10, len(views)).astype(np.uint64)
    return describe_items(views, np.asarray(contents, np.uint64), hashes)


def positives(items, policy, seed=0):
    return draw_positives(items, policy, np.random.default_rng(seed))


def negatives(items, policy, nearest=None, seed=0):
    return draw_negatives(items, policy, nearest, 1, np.random.default_rng(seed))


def pairs_of(ranks):
    return set(zip(*(side.tolist() for side in pairs_at(ranks)), strict=True))


PHOTOS = st.lists(
    st.tuples(
        st.integers(0, 6),  # photo
        st.integers(0, 3),  # place
        st.none() | st.integers(0, 1),  # property
        st.sampled_from(ROOM_TYPES),
        st.none() | st.integers(0, 1),  # zone
        st.sampled_from(["", "hflip"]),
        st.integers(0, 5),  # content
    ),
    min_size=2,
    max_size=14,
    unique_by=lambda row: (row[0], row[5]),
)


@given(PHOTOS)
def test_the_kinds_are_what_their_names_say(rows):
    # A photo's facts are those of the first row that names it.
    facts = {}
    for photo, *rest, _, content in rows:
        facts.setdefault(photo, (*rest, content))
    views, contents = [], []
    for photo, *_, edit, _ in rows:
        place, home, room_type, zone, content = facts[photo]
        views.append(
            view(
                photo,
                place,
                None if home is None else f"h{home}",
                room_type,
                None if zone is None else f"z{zone}",
                edit,
            )
        )
        contents.append(content)
    items = items_of(views, contents)
    found = {kind: pairs_of(ranks) for kind, ranks in positives(items, ALL).items()}
    expected = {kind: set() for kind in found}
    negative = set()
    for i, j in combinations(range(len(views)), 2):
        one, other = views[i].photo, views[j].photo
        if one.place == other.place:
            if contents[i] != contents[j]:
                kind = Kind.SAME_PLACE
            elif views[i].edit or views[j].edit:
                kind = Kind.EDITED
            else:
                kind = Kind.EXACT_COPY
            expected[kind].add((i, j))
        elif contents[i] != contents[j] and not (one.zone and one.zone == other.zone):
            negative.add((i, j))
    assert found == expected
    assert pairs_of(negatives(items, ALL)[Kind.UNIFORM]) == negative
    for kind, name in ((Kind.SAME_PROPERTY, "property"), (Kind.SAME_ROOM_TYPE, "room_type")):
        mix = replace(UNIFORM, uniform=0.0, **{kind.value: 1.0})
        drawn = negatives(items, replace(ALL, negatives=mix))
        assert pairs_of(drawn[kind]) == {
            (i, j)
            for i, j in negative
            if getattr(views[i].photo, name) is not None
            and getattr(views[i].photo, name) == getattr(views[j].photo, name)
        }


HOUSES = [
    view(f"{home}_{room}_{k}", f"{home}_{room}", f"h{home}", ROOM_TYPES[room], edit=edit)
    for home in range(20)
    for room in range(2)
    for k in range(2)
    for edit in ("", "hflip")
]


def test_a_sample_has_the_mix_asked_for():
    mix = NegativeMix(
        uniform=0.4, hash_weighted=0.3, same_property=0.2, same_room_type=0.1, hard=0.0
    )
    policy = MixedPolicy(60, 1000, PositiveMix(1.0, 2.0, 0.0), mix)
    items = items_of(HOUSES)
    assert {kind: len(ranks) for kind, ranks in positives(items, policy).items()} == {
        Kind.EDITED: 20,
        Kind.SAME_PLACE: 40,
    }
    drawn = negatives(items, policy)
    assert {kind: len(ranks) for kind, ranks in drawn.items()} == {
        Kind.SAME_PROPERTY: 200,
        Kind.SAME_ROOM_TYPE: 100,
        Kind.HASH_WEIGHTED: 300,
        Kind.UNIFORM: 400,
    }
    assert len(set(np.concatenate(list(drawn.values())).tolist())) == 1000


def test_what_one_kind_lacks_the_others_give():
    mix = replace(UNIFORM, same_property=3.0)
    policy = MixedPolicy(1000, 1000, PositiveMix(1.0, 1.0, 1.0), mix)
    items = items_of(HOUSES)
    drawn = negatives(items, policy)
    # 20 homes of two rooms of four views each.
    assert len(drawn[Kind.SAME_PROPERTY]) == 20 * 4 * 4
    assert len(drawn[Kind.UNIFORM]) == 1000 - 20 * 4 * 4
    made = positives(items, replace(policy, max_positives=100))
    assert {kind: len(ranks) for kind, ranks in made.items()} == {
        Kind.EXACT_COPY: 0,
        Kind.EDITED: 50,
        Kind.SAME_PLACE: 50,
    }


def test_it_does_not_matter_which_kind_is_short():
    untyped = [View(replace(view.photo, room_type=None), view.edit) for view in HOUSES]
    for views, short, other in (
        (untyped, Kind.SAME_ROOM_TYPE, Kind.SAME_PROPERTY),
        (
            [View(replace(view.photo, property=None), view.edit) for view in HOUSES],
            Kind.SAME_PROPERTY,
            Kind.SAME_ROOM_TYPE,
        ),
    ):
        mix = replace(UNIFORM, uniform=0.0, same_property=0.5, same_room_type=0.5)
        drawn = negatives(items_of(views), MixedPolicy(10, 200, EVERY_POSITIVE, mix))
        assert {kind: len(ranks) for kind, ranks in drawn.items()} == {short: 0, other: 200}


def test_overlapping_kinds_give_all_that_is_wanted():
    # Of one home and one room type each: the two kinds have the same pairs.
    views = [view(n, n, "h", "bedroom") for n in range(20)]
    mix = replace(UNIFORM, uniform=0.0, same_property=0.5, same_room_type=0.5)
    drawn = negatives(items_of(views), MixedPolicy(10, 190, EVERY_POSITIVE, mix))
    assert len(set(np.concatenate(list(drawn.values())).tolist())) == 190


def test_hard_negatives_are_the_nearest_wrong_neighbours():
    views = [view(n, n // 2) for n in range(6)]
    nearest = np.array([[0, 1, 4], [1, 0, 2], [2, 3, 5], [3, 2, 3], [4, 5, 0], [5, 4, 2]])
    mix = replace(UNIFORM, uniform=0.0, hard=1.0)
    drawn = negatives(items_of(views), replace(ALL, negatives=mix), nearest)
    assert pairs_of(drawn[Kind.HARD]) == {(0, 4), (1, 2), (2, 5)}


def test_hard_negatives_need_a_model():
    with pytest.raises(UserError, match=re.escape("mining.checkpoint=FILE")):
        negatives(items_of(HOUSES), replace(ALL, negatives=replace(UNIFORM, hard=1.0)))


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (lambda: replace(ALL, max_positives=0), "max_positives=0: must be 1 or more"),
        (lambda: replace(ALL, max_negatives=-1), "max_negatives=-1: must be 1 or more"),
        (
            lambda: replace(ALL, negatives=replace(UNIFORM, hard=-1.0)),
            "negatives.hard=-1.0: must be 0 or more, and finite",
        ),
        (
            lambda: replace(ALL, positives=replace(EVERY_POSITIVE, edited=float("nan"))),
            "positives.edited=nan: must be 0 or more, and finite",
        ),
    ],
)
def test_a_wrong_number_is_refused(policy, message):
    with pytest.raises(UserError, match=re.escape(f"sampling: {message}")):
        policy()


@pytest.mark.parametrize("mix", [EVERY_POSITIVE, UNIFORM])
def test_a_mix_of_nothing_is_refused(mix: PositiveMix | NegativeMix):
    with pytest.raises(ValueError, match="give at least one kind a weight above 0"):
        replace(mix, **dict.fromkeys((field.name for field in fields(mix)), 0.0))

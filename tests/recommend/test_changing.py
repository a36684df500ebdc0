"""What a state goes on with after changes is what one that is made anew looks up."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from made_homes import ABOUT, TAGS, make_records, make_snapshot, make_values

from seentwice.recommend.changing import (
    NewPhotos,
    drop_listing_from,
    prepare_state,
    put_listing_into,
)
from seentwice.recommend.filters import read_filter
from seentwice.recommend.listing_columns import list_records
from seentwice.recommend.listings import ListingRecord
from seentwice.recommend.state import State

PHOTOS = 12
VALUES = make_values(4, PHOTOS)
NEW = make_values(5, 40)
TITLES = ("first", "front", "any")
FILTERS = [read_filter(text) for text in ("city=paris", "price<4000", "pool!=yes", "city=")]


def open_state() -> State:
    snapshot = make_snapshot(VALUES)
    listings = list_records(make_records(4, PHOTOS), snapshot.photos.number())
    return State(TAGS, ABOUT.grouping, snapshot.photos, snapshot.near, listings)


def describe(state: State) -> dict[str, object]:
    """All that is looked up, by names: numbers may be others."""
    key, id = state.photos.keys, state.listings.ids
    shown = {
        id[number]: [key[photo] for photo in state.listings.photos_of(number).tolist()]
        for number in np.flatnonzero(state.listings.counts).tolist()
    }
    pairs = {}
    for title in TITLES:
        found = state.candidates(title)
        ordered = list(zip(found.photo.tolist(), found.listing.tolist(), strict=True))
        assert ordered == sorted(ordered)
        pairs[title] = sorted((key[photo], id[listing]) for photo, listing in ordered)
    passing = {}
    for wanted in FILTERS:
        if wanted.column in state.listings.columns:
            passed = state.listings.passing([wanted])
            passing[str(wanted)] = {name for name in shown if passed[state.listing_numbers[name]]}
    facts = {
        name: {
            column: values.text(state.listing_numbers[name])
            for column, values in state.listings.columns.items()
        }
        for name in shown
    }
    photos = {
        name: (state.photos.digests[number].tobytes(), state.photos.labels[number].tolist())
        for name, number in state.photo_numbers.items()
    }
    return {"shown": shown, "pairs": pairs, "pass": passing, "facts": facts, "photos": photos}


def make_anew(state: State) -> State:
    """The same state with nothing looked up: records of what it shows, by a table of its own."""
    records = [
        ListingRecord(
            name,
            tuple(state.photos.keys[photo] for photo in state.listings.photos_of(number).tolist()),
            {column: values.text(number) for column, values in state.listings.columns.items()},
        )
        for name, number in state.listing_numbers.items()
    ]
    listings = list_records(records, state.photos.number())
    return State(TAGS, ABOUT.grouping, state.photos, state.near, listings)


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["L000", "L001", "L005", "M", "N"]),
        st.lists(st.sampled_from(["p0", "p3", "p7", "new", "more", "lost"]), max_size=4),
        st.dictionaries(st.sampled_from(["city", "pool"]), st.sampled_from(["", "Paris", "yes"])),
        st.booleans(),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(CHANGES, st.booleans(), st.booleans())
def test_changes_leave_what_a_state_made_anew_would_look_up(
    changes: list[tuple[str, list[str], dict[str, str], bool]], is_prepared: bool, is_asked: bool
) -> None:
    state = prepare_state(open_state()) if is_prepared else open_state()
    for number, (name, keys, facts, is_removed) in enumerate(changes):
        before = state
        was = describe(state) if is_asked else None
        if is_removed:
            if name not in state.listing_numbers:
                continue
            state = drop_listing_from(state, state.number_listing(name))
        elif set(keys) <= {"lost"}:
            continue
        else:
            sent = sorted({key for key in keys if key in ("p3", "new", "more")})
            digests = np.full((len(sent), 32), 200 + number, np.uint8)
            photos = NewPhotos(tuple(sent), digests, NEW[number : number + len(sent)])
            record = ListingRecord(name, tuple(keys), facts)
            state = put_listing_into(state, record, photos)
        if is_asked or number == len(changes) - 1:
            assert describe(state) == describe(make_anew(state))
        if is_asked:  # who asks the state before goes on to see that one
            assert describe(before) == was


def test_a_listing_that_is_put_again_keeps_its_place() -> None:
    state = open_state()
    places = len(state.listings)
    for number in range(300):
        key = f"new {number % 3}"
        photos = NewPhotos((key,), np.full((1, 32), number % 256, np.uint8), NEW[:1])
        record = ListingRecord("N", (key, "p1"), {"city": f"city {number % 4}"})
        state = put_listing_into(state, record, photos)
        if number % 7 == 0:
            state = drop_listing_from(state, state.number_listing("N"))
    assert len(state.listings) == places + 1
    assert len(state.listings.photos) < 2 * 300 + 100


def test_two_states_that_follow_one_do_not_see_each_other() -> None:
    state = prepare_state(open_state())
    told = []
    for number, name in enumerate(("M", "N")):
        photos = NewPhotos((name,), np.full((1, 32), number, np.uint8), NEW[number : number + 1])
        told.append(put_listing_into(state, ListingRecord(name, (name,)), photos))
    one, other = (describe(state)["shown"] for state in told)
    assert isinstance(one, dict)
    assert isinstance(other, dict)
    assert (one["M"], other["N"]) == (["M"], ["N"])
    assert ("N" in one, "M" in other) == (False, False)

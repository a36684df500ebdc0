from collections import Counter
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.data.folds import fold_photos, most_folds, parts_of_folds
from seentwice.data.splits import Assign, SplitBy, SplitRule, groups_of, split_photos
from seentwice.errors import UserError
from seentwice.records import Photo


def photo(place, number=1, property=None, split=None, room_type=None, zone=None, city=None):
    key = f"{place}_{number}.jpg"
    return Photo(Path(key), key, place, property, room_type, zone, split, city)


def rule(seed=0, assign=Assign.BALANCED, by=SplitBy.PROPERTY):
    return SplitRule(by, assign, seed)


def names(photos, indices):
    group_of = groups_of(photos)
    return {group_of[index] for index in indices}


PLACES = [photo(f"room/{number}", k) for number in range(60) for k in (1, 2)]


@given(st.integers(0, 100))
def test_no_place_is_in_two_splits(seed):
    split = split_photos(PLACES, 0.2, 0.2, rule(seed))
    parts = [names(PLACES, part) for part in (split.train, split.validation, split.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 60


def test_no_property_is_in_two_splits():
    photos = [photo(f"room/{n}_{k}", property=f"home{n}") for n in range(40) for k in range(3)]
    split = split_photos(photos, 0.25, 0.25, rule(0))
    assert not names(photos, split.train) & names(photos, split.test)
    assert not names(photos, split.train) & names(photos, split.validation)


def components_by_flooding(photos):
    """Grow each photo's set of places and properties until nothing joins it any more."""
    found = []
    for start in photos:
        places, properties = {start.place}, {start.property} - {None}
        while True:
            touched = [p for p in photos if p.place in places or p.property in properties]
            grown = {p.place for p in touched}, {p.property for p in touched} - {None}
            if grown == (places, properties):
                break
            places, properties = grown
        found.append((frozenset(places), frozenset(properties)))
    return found


def assert_apart(photos, split):
    """No place and no property is in two parts."""
    for name in ("place", "property"):
        parts = [
            {getattr(photos[index], name) for index in part} - {None}
            for part in (split.train, split.validation, split.test)
        ]
        assert sum(map(len, parts)) == len(set.union(*parts))


# Manifests as they come: empty cells, and places that name several homes.
contradicting = st.lists(
    st.tuples(st.integers(0, 25), st.none() | st.integers(0, 12)), min_size=1, max_size=40
).map(
    lambda rows: [
        photo(f"room/{place}", k, home if home is None else f"home{home}")
        for k, (place, home) in enumerate(rows)
    ]
)


@given(contradicting)
def test_groups_are_what_hangs_together(photos):
    components = components_by_flooding(photos)
    expected = [min(properties or places) for places, properties in components]
    assert groups_of(photos) == expected


@given(contradicting, st.integers(0, 9), st.data())
def test_contradicting_manifests_put_no_place_or_property_in_two_splits(photos, seed, data):
    part = st.sampled_from([None, "train", "test"])
    photos = [replace(p, split=data.draw(part)) for p in photos]
    photos += [photo(f"spare/{n}") for n in range(5)]
    for split in (split_photos(photos, 0.3, 0.3, rule(seed)), *fold_photos(photos, 3, rule(seed))):
        assert_apart(photos, split)
        indices = [*split.train, *split.validation, *split.test]
        assert sorted(indices) == list(range(len(photos)))


def test_a_photo_without_a_property_follows_its_place():
    photos = [photo("room/1", 1, "home"), photo("room/1", 2), photo("room/2", 1, "home")]
    assert groups_of(photos) == ["home"] * 3


def test_a_place_that_names_two_homes_joins_them():
    photos = [
        photo("room/1", 1, "b"),
        photo("room/1", 2, "a"),
        photo("room/2", 1, "b"),
        photo("room/3", 1, "c"),
    ]
    assert groups_of(photos) == ["a", "a", "a", "c"]


def test_shares_are_shares_of_the_groups():
    split = split_photos(PLACES, 0.1, 0.25, rule(3))
    counts = [len(names(PLACES, part)) for part in (split.train, split.validation, split.test)]
    assert counts == [39, 6, 15]


def test_ten_properties_are_enough_for_every_seed():
    photos = [photo(f"room/{n}", property=f"home{n % 10}") for n in range(40)]
    for seed in range(20):
        split = split_photos(photos, 0.2, 0.2, rule(seed))
        assert len(names(photos, split.test)) == len(names(photos, split.validation)) == 2


def test_more_photos_of_the_same_places_move_nothing():
    before = split_photos(PLACES, 0.2, 0.2, rule(3))
    more = [*PLACES, *(photo(f"room/{number}", 3) for number in range(60))]
    after = split_photos(more, 0.2, 0.2, rule(3))
    for part in ("train", "validation", "test"):
        assert names(PLACES, getattr(before, part)) == names(more, getattr(after, part))


def test_the_data_sets_own_test_photos_are_tested_with_all_of_their_place():
    photos = [
        *(photo(f"room/{n}", split="train") for n in range(30)),
        photo("room/0", 2, split="test"),
        photo("room/99", split="test"),
    ]
    split = split_photos(photos, 0.3, 0.2, rule(0))
    assert names(photos, split.test) == {"room/0", "room/99"}
    assert len(names(photos, split.validation)) == round(0.3 * 29)


def test_folds_test_every_photo_once_and_differ_by_at_most_one_group():
    photos = [photo(f"room/{n}", k, property=f"home{n % 10}") for n in range(40) for k in (1, 2)]
    folds = fold_photos(photos, 5, rule(0))
    tested = [index for fold in folds for index in fold.test]
    assert sorted(tested) == list(range(len(photos)))
    assert {len(names(photos, fold.test)) for fold in folds} == {2}
    for fold in folds:
        assert not names(photos, fold.train) & names(photos, fold.test)
        assert not names(photos, fold.train) & names(photos, fold.validation)
        assert not names(photos, fold.validation) & names(photos, fold.test)


@pytest.mark.parametrize("folds", [4, 5, 6])
def test_all_pairs_are_tested_once_by_what_learned_from_neither(folds):
    photos = [photo(place=f"p{n}-{k}", property=f"p{n}") for n in range(10) for k in range(2)]
    splits = fold_photos(photos, folds, rule(0), all_pairs=True)
    assert len(splits) == folds * (folds - 1) // 2
    tested = Counter()
    for split in splits:
        assert not names(photos, split.test) & names(photos, [*split.train, *split.validation])
        assert not names(photos, split.train) & names(photos, split.validation)
        assert min(len(split.train), len(split.validation)) > 0
        first = set(split.across.first)
        for left, right in combinations(split.test, 2):
            if (left in first) != (right in first) or (
                split.across.tests_inside and {left, right} <= first
            ):
                tested[left, right] += 1
    assert tested == Counter(dict.fromkeys(combinations(range(len(photos)), 2), 1))
    parts = parts_of_folds(splits)
    assert len(parts) == folds
    assert sorted(np.concatenate(parts)) == list(range(len(photos)))


def test_all_pairs_need_a_part_to_train_and_one_to_validate():
    photos = [photo(place=f"p{n}") for n in range(4)]
    with pytest.raises(UserError, match=r"folds=3: choose 4 to 4"):
        fold_photos(photos, 3, rule(0), all_pairs=True)
    with pytest.raises(UserError, match=r"split.all_pairs=true: 3 places, where 4 are needed"):
        fold_photos(photos[:3], 3, rule(0), all_pairs=True)


@pytest.mark.parametrize("folds", [0, 2, 61])
def test_a_wrong_number_of_folds_names_the_choices(folds):
    with pytest.raises(UserError, match="choose 3 to 60"):
        fold_photos(PLACES, folds, rule(0))


@pytest.mark.parametrize("shares", [(0, 0.2), (0.2, 0), (0.6, 0.5)])
def test_impossible_shares_are_refused(shares):
    with pytest.raises(UserError, match="sum below 1"):
        split_photos(PLACES, *shares, rule())


ONE_HOME = [photo(f"room/{number}", k, "home", city="oslo") for number in range(3) for k in (1, 2)]
TWO_ROOMS = ONE_HOME[:4]
MORE_PLACES = "add homes, or choose split.by=place"


@pytest.mark.parametrize(
    ("photos", "by", "complaint"),
    [
        (ONE_HOME, SplitBy.PROPERTY, f"1 home, where 3 or more are needed: {MORE_PLACES}"),
        (
            ONE_HOME,
            SplitBy.CITY,
            "1 city, where 3 or more are needed: add cities, or choose split.by=place",
        ),
        (TWO_ROOMS, SplitBy.PROPERTY, "1 home, where 3 or more are needed: add homes"),
        (PLACES[:4], SplitBy.PROPERTY, "2 places, where 3 or more are needed: add places"),
    ],
)
@pytest.mark.parametrize("assign", [Assign.NAME, Assign.BALANCED, Assign.STRATIFIED])
def test_too_few_groups_are_counted_with_what_gives_more(photos, by, complaint, assign):
    with pytest.raises(UserError, match=f"^{complaint}$"):
        split_photos(photos, 0.2, 0.2, rule(0, assign, by))
    with pytest.raises(UserError, match=f"^{complaint}$"):
        fold_photos(photos, 5, rule(0, assign, by))


def test_beside_what_the_data_set_tests_two_groups_are_needed():
    photos = [photo("room/1"), photo("room/2", split="test"), photo("room/3", split="test")]
    with pytest.raises(
        UserError, match=r"^1 place beside what the data set tests, where 2 or more"
    ):
        split_photos(photos, 0.2, 0.2, rule())
    assert len(split_photos([*photos, photo("room/4")], 0.2, 0.2, rule()).test) == 2


PARTS = ("train", "validation", "test")
DEALT = [assign for assign in Assign if assign is not Assign.OWN]


def part_of(photos, split):
    """Return name of part by group."""
    return {group: part for part in PARTS for group in names(photos, getattr(split, part))}


@given(st.integers(0, 50), st.sets(st.integers(0, 200), min_size=30), st.sets(st.integers(0, 200)))
def test_by_name_more_places_move_none(seed, places, more):
    by_name = rule(seed, Assign.NAME)
    one = [photo(f"room/{n}") for n in sorted(places)]
    all_of_them = [photo(f"room/{n}", k) for n in sorted(places | more) for k in (1, 2)]
    before = part_of(one, split_photos(one, 0.3, 0.3, by_name))
    after = part_of(all_of_them, split_photos(all_of_them, 0.3, 0.3, by_name))
    # But for parts that had no place by name and were given one.
    kept = [part for part in PARTS if list(before.values()).count(part) > 1]
    moved = [place for place, part in before.items() if part in kept and after[place] != part]
    assert not moved


def test_by_name_shares_are_about_those_asked_for():
    photos = [photo(f"room/{n}") for n in range(4000)]
    split = split_photos(photos, 0.1, 0.25, rule(0, Assign.NAME))
    for part, share in (("train", 0.65), ("validation", 0.1), ("test", 0.25)):
        assert abs(len(getattr(split, part)) - 4000 * share) < 5 * (4000 * share) ** 0.5


@pytest.mark.parametrize("assign", DEALT)
@pytest.mark.parametrize("groups", [3, 4, 10])
def test_few_groups_leave_no_part_empty(assign, groups):
    photos = [photo(f"room/{n}") for n in range(groups)]
    for seed in range(30):
        split = split_photos(photos, 0.2, 0.2, rule(seed, assign))
        assert min(len(split.train), len(split.validation), len(split.test)) >= 1
        for fold in fold_photos(photos, 3, rule(seed, assign)):
            assert min(len(fold.train), len(fold.validation), len(fold.test)) >= 1


def test_stratified_parts_hold_each_room_type_in_the_same_shares():
    photos = [
        photo(f"{kind}/{home}_{k}", k, f"home{home}", room_type=kind)
        for home in range(60)
        for kind, count in (
            ("bath", 1 + home % 2),
            ("bed", 1 + home % 4),
            ("attic", home % 10 == 0),
        )
        for k in range(count)
    ]
    total = Counter(p.room_type for p in photos)
    for seed in range(5):
        split = split_photos(photos, 0.2, 0.3, rule(seed, Assign.STRATIFIED))
        assert_apart(photos, split)
        for part, share in (("train", 0.5), ("validation", 0.2), ("test", 0.3)):
            found = Counter(photos[index].room_type for index in getattr(split, part))
            for kind, count in total.items():
                assert abs(found[kind] - share * count) <= 3
        for fold in fold_photos(photos, 5, rule(seed, Assign.STRATIFIED)):
            found = Counter(photos[index].room_type for index in fold.test)
            assert all(abs(found[kind] - count / 5) <= 2 for kind, count in total.items())


HOMES = [
    photo(f"{kind}/{home}", k, f"home{home}", room_type=kind, city=f"city{home % 6}")
    for home in range(30)
    for kind in ("bath", "bed")
    for k in (1, 2)
]


@pytest.mark.parametrize(("by", "groups"), [("place", 60), ("property", 30), ("city", 6)])
@pytest.mark.parametrize("assign", DEALT)
def test_what_a_split_is_by_is_in_one_part_alone(by, groups, assign):
    by_this = rule(0, assign, SplitBy(by))
    assert len(set(groups_of(HOMES, SplitBy(by)))) == groups
    for split in (split_photos(HOMES, 0.2, 0.2, by_this), *fold_photos(HOMES, 3, by_this)):
        held = [{getattr(HOMES[i], by) for i in getattr(split, part)} for part in PARTS]
        assert sum(map(len, held)) == groups


def test_a_split_by_place_may_part_the_rooms_of_a_home():
    split = split_photos(HOMES, 0.2, 0.2, rule(0, by=SplitBy.PLACE))
    homes = [{HOMES[index].property for index in getattr(split, part)} for part in PARTS]
    assert homes[0] & homes[2]


@pytest.mark.parametrize("by", list(SplitBy))
def test_rooms_that_are_seen_in_each_other_stay_together(by):
    photos = [photo("a/1", zone="open", city="x"), photo("b/2", zone="open", city="x")]
    assert len(set(groups_of(photos, by))) == 1


def test_a_split_by_city_needs_cities():
    with pytest.raises(UserError, match=r"names no city; give data that names them"):
        split_photos([*HOMES, photo("room/1")], 0.2, 0.2, rule(0, by=SplitBy.CITY))


def test_a_new_place_of_an_open_plan_moves_none():
    photos = [photo(f"m/{n}", zone="z" if n < 2 else None) for n in range(20)]
    for seed in range(20):
        before = split_photos(photos, 0.3, 0.3, rule(seed, Assign.NAME))
        more = [*photos, photo("a/0", zone="z")]
        after = split_photos(more, 0.3, 0.3, rule(seed, Assign.NAME))
        for part in PARTS:
            moved = set(getattr(before, part)) - set(getattr(after, part))
            assert not moved or len(getattr(before, part)) <= 2


@pytest.mark.parametrize("groups", [2, 3, 7])
@pytest.mark.parametrize("assign", list(Assign))
@pytest.mark.parametrize("by", list(SplitBy))
def test_the_most_folds_can_be_made_and_no_more(groups, assign, by):
    photos = [photo(f"r/{n}", property=f"h{n}", city=f"c{n}") for n in range(groups)]
    chosen = rule(assign=assign, by=by)
    most = most_folds(photos, chosen)
    if most:
        assert len(fold_photos(photos, most, chosen)) == most
    with pytest.raises(UserError):
        fold_photos(photos, max(most + 1, 3), chosen)

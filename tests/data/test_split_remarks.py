from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seentwice.data.folds import fold_photos
from seentwice.data.source import PhotoSet
from seentwice.data.split_remarks import MANY_GROUPS, remark_on_homes, remark_on_split
from seentwice.data.splits import Assign, Split, SplitBy, SplitRule, split_photos
from seentwice.records import Photo

RULE = SplitRule(SplitBy.PROPERTY, Assign.NAME, 0)
DEALS = "; split.assign=balanced deals out equal numbers"


def make_set(homes: int, hint: str = "", split: str | None = None) -> PhotoSet:
    """One photo a home."""
    names = [f"{number:03}" for number in range(homes)]
    photos = (Photo(Path(n), n, f"room/{n}", property=n, split=split, city=n) for n in names)
    return PhotoSet("homes", tuple(photos), homes_hint=hint)


def without_homes(photo_set: PhotoSet, count: int) -> PhotoSet:
    photos = [Photo(p.path, p.key, p.place) for p in photo_set.photos[:count]]
    return PhotoSet("homes", (*photos, *photo_set.photos[count:]), homes_hint=photo_set.homes_hint)


def split_of(train: int, validation: int, test: int) -> Split:
    ends = np.cumsum([train, validation])
    return Split(*np.split(np.arange(train + validation + test), ends))


def test_homes_that_are_known_go_without_a_word():
    assert remark_on_homes(make_set(3)) == []


def test_photos_without_a_home_are_counted_with_what_would_name_it():
    photo_set = make_set(4, hint="name it")
    assert remark_on_homes(without_homes(photo_set, 4)) == [
        "No home is known, so places are split and intervals are drawn over places; name it"
    ]
    (line,) = remark_on_homes(without_homes(photo_set, 1))
    assert line.startswith("Of 4 photos 1 name no home; ")
    assert line.endswith("; name it")
    (line,) = remark_on_homes(without_homes(make_set(4), 4))
    assert line.endswith("over places")


def test_homes_matter_where_they_are_split():
    photo_set = without_homes(make_set(50), 50)
    splits = (split_of(30, 10, 10),)
    assert len(remark_on_split(photo_set, splits, RULE, 0.2, 0.2)) == 1
    by_place = SplitRule(SplitBy.PLACE, Assign.NAME, 0)
    assert remark_on_split(photo_set, splits, by_place, 0.2, 0.2) == []


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ((4, 2, 2), []),
        ((5, 1, 2), []),  # 1.6 were asked, and equal numbers are no nearer
        (
            (5, 2, 1),
            [f"split.assign=name gave 1 of 8 homes to test where test_share=0.2 asks for 2{DEALS}"],
        ),
        (
            (1, 3, 4),
            [
                "split.assign=name gave 4 of 8 homes to test where test_share=0.2 asks for 2 and "
                "3 of 8 homes to validation where validation_share=0.2 asks for 2" + DEALS
            ],
        ),
    ],
)
def test_shares_that_are_far_off_are_told(sizes, told):
    assert remark_on_split(make_set(8), (split_of(*sizes),), RULE, 0.2, 0.2) == told


def test_what_is_split_is_called_by_its_name():
    split = (split_of(6, 1, 1),)
    by_city = SplitRule(SplitBy.CITY, Assign.NAME, 0)
    (line,) = remark_on_split(make_set(8), split, by_city, 0.1, 0.4)
    assert line.startswith("split.assign=name gave 1 of 8 cities to test ")
    _, line = remark_on_split(without_homes(make_set(8), 8), split, RULE, 0.1, 0.4)
    assert line.startswith("split.assign=name gave 1 of 8 places to test ")


def test_properties_are_called_what_they_are():
    families = replace(make_set(8), home=("family", "families"))
    (line,) = remark_on_split(families, (split_of(6, 1, 1),), RULE, 0.3, 0.4)
    assert "gave 1 of 8 families to test" in line
    alone = replace(families, photos=tuple(replace(p, property=None) for p in families.photos))
    assert remark_on_homes(alone)[0].startswith("No family is known, so places are split")


@pytest.mark.parametrize("assign", [Assign.BALANCED, Assign.STRATIFIED])
def test_other_rules_and_many_groups_are_not_judged(assign):
    rule = SplitRule(SplitBy.PROPERTY, assign, 0)
    assert remark_on_split(make_set(8), (split_of(6, 1, 1),), rule, 0.3, 0.4) == []
    many = make_set(MANY_GROUPS)
    split = (split_of(MANY_GROUPS - 2, 1, 1),)
    assert remark_on_split(many, split, RULE, 0.3, 0.4) == []


def test_a_data_sets_own_split_says_what_is_chosen_on_what_and_which_homes_it_parts():
    rule = SplitRule(SplitBy.PROPERTY, Assign.OWN, 0)
    photo_set = make_set(4, split="test")
    trained = [replace(p, key=f"{p.key}_2", split="train") for p in make_set(8).photos[4:]]
    apart = replace(photo_set, photos=(*photo_set.photos, *trained))
    chosen = (
        "split.assign=own: the test photos validate, too: epochs, calibration, threshold and knn's "
        "k are chosen on what is measured"
    )
    split = split_photos(apart.photos, 0.2, 0.2, rule)
    assert remark_on_split(apart, (split,), rule, 0.2, 0.2) == [chosen]
    in_both = [replace(p, key=f"{p.key}_2", split="train") for p in photo_set.photos[:3]]
    parted = replace(apart, photos=(*apart.photos, *in_both))
    split = split_photos(parted.photos, 0.2, 0.2, rule)
    assert remark_on_split(parted, (split,), rule, 0.2, 0.2) == [
        chosen,
        "split.assign=own: 3 of 8 homes have photos that train and photos that are tested",
    ]


def test_tests_that_the_data_set_names_are_not_judged():
    tested = make_set(4, split="test").photos
    trained = [Photo(Path(n), n, n, property=n) for n in "abcdefgh"]
    photo_set = PhotoSet("homes", (*trained, *tested))
    assert remark_on_split(photo_set, (split_of(6, 2, 4),), RULE, 0.2, 0.2) == []
    (line,) = remark_on_split(photo_set, (split_of(4, 4, 4),), RULE, 0.2, 0.2)
    assert "gave 4 of 12 homes to validation where validation_share=0.2 asks for 2;" in line


def test_folds_that_are_far_off_are_told():
    photo_set = make_set(10)
    balanced = fold_photos(photo_set.photos, 5, SplitRule(SplitBy.PROPERTY, Assign.BALANCED, 0))
    assert remark_on_split(photo_set, balanced, RULE, 0.2, 0.2) == []
    uneven = [split_of(9 - size, 1, size) for size in (1, 4, 2, 2, 1)]
    (line,) = remark_on_split(photo_set, uneven, RULE, 0.2, 0.2)
    assert line == (
        f"split.assign=name gave 1 to 4 of 10 homes to a fold where folds=5 asks for 2{DEALS}"
    )


def test_balanced_is_as_good_as_its_word():
    for homes in range(3, MANY_GROUPS):
        photo_set = make_set(homes)
        rule = SplitRule(SplitBy.PROPERTY, Assign.BALANCED, 0)
        split = split_photos(photo_set.photos, 0.2, 0.2, rule)
        assert remark_on_split(photo_set, (split,), RULE, 0.2, 0.2) == [], homes
        folds = fold_photos(photo_set.photos, 3, rule)
        assert remark_on_split(photo_set, folds, RULE, 0.2, 0.2) == [], homes

from pathlib import Path

import pytest

from seentwice.data.folds import fold_photos
from seentwice.data.splits import Assign, SplitBy, SplitRule, split_photos
from seentwice.errors import UserError
from seentwice.records import Photo

OWN = SplitRule(SplitBy.PROPERTY, Assign.OWN, seed=0)


def photo(place, number=1, property=None, split=None, zone=None):
    key = f"{place}_{number}.jpg"
    return Photo(Path(key), key, place, property, zone=zone, split=split)


def test_the_data_sets_own_split_validates_on_its_test_photos():
    photos = [photo(f"room/{n}", split="test" if n < 3 else "train") for n in range(10)]
    split = split_photos(photos, 0.2, 0.2, OWN)
    assert split.train.tolist() == list(range(3, 10))
    assert split.validation.tolist() == split.test.tolist() == [0, 1, 2]


def test_the_data_sets_own_split_is_taken_as_it_is_where_it_parts_a_home():
    photos = [
        photo("bed/1", 1, "home", split="test", zone="open"),
        photo("bath/1", 1, "home", split="train", zone="open"),
        photo("bath/1", 2, "home"),
        photo("bed/2", 1, "other", split="train"),
    ]
    split = split_photos(photos, 0.2, 0.2, OWN)
    assert split.train.tolist() == [1, 2, 3]
    assert split.validation.tolist() == split.test.tolist() == [0]


@pytest.mark.parametrize("own", [None, "train", "test"])
def test_an_own_split_needs_photos_of_both(own):
    photos = [photo(f"room/{n}", split=own) for n in range(10)]
    with pytest.raises(UserError, match=r"split.assign=own: the data set does not say"):
        split_photos(photos, 0.2, 0.2, OWN)


def test_an_own_split_has_no_folds():
    with pytest.raises(UserError, match="is one split"):
        fold_photos([photo("room/1")], 3, OWN)

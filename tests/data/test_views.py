from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from seentwice.data.splits import Split
from seentwice.data.views import EditChoice, plan_views
from seentwice.edits import STRENGTHS, parse_edit
from seentwice.records import Photo

PHOTOS = [Photo(Path(f"{n}.jpg"), f"{n}.jpg", f"room/{n}") for n in range(4)]
SPLIT = Split(np.array([0, 1]), np.array([2]), np.array([3]))
EDITS = EditChoice(("hflip",), ("rotate", "crop"))


def shown(plan):
    return [(int(photo), str(name)) for photo, name in zip(plan.photo, plan.edit_name, strict=True)]


def test_each_photo_gets_the_copies_of_its_split_and_comes_as_it_is():
    plan = plan_views(PHOTOS, [SPLIT], EDITS, 0)
    assert shown(plan) == [
        *((0, name) for name in ("", "hflip")),
        *((1, name) for name in ("", "hflip")),
        *((2, name) for name in ("", "rotate", "crop")),
        *((3, name) for name in ("", "rotate", "crop")),
    ]
    for view, number, name in zip(plan.views, plan.photo, plan.edit_name, strict=True):
        assert view.photo is PHOTOS[number]
        assert view.edit.partition(":")[0] == name
        assert not name or str(parse_edit(view.edit)) == view.edit


def test_a_photo_of_several_folds_gets_the_copies_of_all_and_none_twice():
    turned = Split(np.array([2, 3]), np.array([0]), np.array([1]))
    plan = plan_views(PHOTOS, [SPLIT, turned], EditChoice(("hflip", "crop"), ("crop", "rotate")), 0)
    assert shown(plan) == [(n, name) for n in range(4) for name in ("", "hflip", "crop", "rotate")]


def test_an_edit_follows_from_seed_key_and_name_alone():
    def texts(photos, split, edits, seed):
        return {(v.photo.key, v.edit) for v in plan_views(photos, [split], edits, seed).views}

    plan = texts(PHOTOS, SPLIT, EDITS, 0)
    fewer = texts(PHOTOS[1:], Split(*(np.array([n]) for n in range(3))), EDITS, 0)
    assert fewer < plan
    assert texts(PHOTOS, SPLIT, EDITS, 1) != plan


@pytest.mark.parametrize(
    ("photos", "edits", "expected"),
    [
        ([0, 2], (), [(0, ""), (2, "")]),
        ([0, 2], ("hflip",), [(0, ""), (0, "hflip"), (2, "")]),
        ([3], ("rotate", "crop"), [(3, ""), (3, "crop")]),  # its rotated view is unreadable
        ([1], ("crop",), [(1, "")]),
        ([], ("crop",), []),
    ],
)
def test_members_are_the_readable_views_of_photos_and_edits(photos, edits, expected):
    plan = plan_views(PHOTOS, [SPLIT], EDITS, 0)
    readable = np.array([pair != (3, "rotate") for pair in shown(plan)])
    members = plan.members(np.array(photos, np.int64), edits, readable)
    assert [shown(plan)[index] for index in members] == expected


def test_a_choice_that_is_read_takes_lists_and_the_names_of_strengths():
    adapter = TypeAdapter(EditChoice)
    choice = adapter.validate_python({"train": ["rotate", "mls"], "evaluation": []})
    assert choice == EditChoice(("rotate", *STRENGTHS["mls"]), ())
    with pytest.raises(ValidationError, match=r"give a list, as in edits\.train=\[crop\]"):
        adapter.validate_python({"train": "crop", "evaluation": []})

"""Values become labels by rules; what is not known stays unknown."""

from pathlib import Path

import numpy as np
import pytest

from seentwice.data.tag_labels import (
    UNKNOWN,
    HeadRule,
    label_photos,
    match_labels,
    remark_rare,
    rules_of_columns,
)
from seentwice.errors import UserError
from seentwice.records import Photo, TagHead, TagSet

RULES = {
    "front": HeadRule("room_type", {"front": ("frontal", "exterior"), "room": ("kitchen", "bed")}),
    "room": HeadRule("room_type", {"bath": ("bath",), "bed": ("bed",), "kitchen": ("kitchen",)}),
}


def photo(room_type: str | None = None, **tags: str) -> Photo:
    return Photo(Path("x"), "x", "x", room_type=room_type, tags=tuple(tags.items()))


def test_values_become_the_numbers_of_labels_that_have_photos() -> None:
    rooms = ["kitchen", "exterior", "frontal", "bed", "cellar", None]
    found = label_photos([photo(room) for room in rooms], RULES)
    assert found.tags == TagSet(
        (TagHead("front", ("front", "room")), TagHead("room", ("bed", "kitchen")))
    )
    assert found.number.T.tolist() == [[1, 0, 0, 1, -1, -1], [1, -1, -1, 0, -1, -1]]
    assert found.remarks == (
        "front: 1 photo has no label of it: 'cellar'",
        "room: 3 photos have no label of it: 'exterior', 'frontal', 'cellar'",
    )
    counts = found.count(np.array([0, 1, 2, 4]))
    assert [count.tolist() for count in counts] == [[2, 1], [0, 1]]


def test_a_head_of_one_label_is_left_out_and_told() -> None:
    found = label_photos([photo("kitchen"), photo("bed")], RULES)
    assert [head.name for head in found.tags.heads] == ["room"]
    assert found.remarks == ("front: left out, fewer than two of its labels have photos",)
    with pytest.raises(UserError, match=r"no head has photos of two labels: front \(room_type\)"):
        label_photos([photo("kitchen")], RULES)


def test_a_label_of_few_photos_is_told() -> None:
    photos = [photo(style=style) for style in ["modern"] * 5 + ["ranch"] * 4 + ["modrn"]]
    labels = label_photos(photos, rules_of_columns(photos))
    assert list(remark_rare(labels)) == [
        "style: modrn: 1 photo; a typo?",
        "style: ranch: 4 photos; a typo?",
    ]


def test_every_column_becomes_a_head_with_its_values_sorted() -> None:
    photos = [photo(storeys="two"), photo(storeys="one", style="ranch"), photo(style="adobe")]
    found = label_photos(photos, rules_of_columns(photos))
    assert found.tags.heads == (
        TagHead("storeys", ("one", "two")),
        TagHead("style", ("adobe", "ranch")),
    )
    assert found.number.tolist() == [[1, UNKNOWN], [0, 1], [UNKNOWN, 0]]
    with pytest.raises(UserError, match=r"tags=columns: these photos have no tags"):
        rules_of_columns([photo()])


def test_a_value_of_two_labels_is_refused() -> None:
    rule = HeadRule("room_type", {"a": ("x",), "b": ("y", "x")})
    with pytest.raises(UserError, match=r"tags\.heads\.h: 'x' is of a and of b; give it to one"):
        label_photos([photo("x")], {"h": rule})


def test_labels_are_numbered_as_another_tagger_does() -> None:
    photos = [photo(room) for room in ("kitchen", "bed", "bath", "frontal")]
    known = TagSet((TagHead("room", ("kitchen", "hall", "bed")), TagHead("storeys", ("1", "2"))))
    found = match_labels(label_photos(photos, RULES), known)
    assert found.tags == known
    assert found.number.tolist() == [[0, -1], [2, -1], [-1, -1], [-1, -1]]
    with pytest.raises(UserError, match=r"no label that the checkpoint knows|no photo has a label"):
        match_labels(label_photos(photos, RULES), TagSet((TagHead("z", ("1", "2")),)))

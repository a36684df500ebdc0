from pathlib import Path

import pytest
from PIL import Image

from seentwice.data.labelled_fronts import LabelledFrontsSource
from seentwice.errors import UserError


def write_photos(folder: Path, names: list[str]) -> None:
    folder.mkdir()
    for number, name in enumerate(names):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(folder / name)


def test_fronts_have_their_tags_and_rooms_are_left_out(tmp_path: Path) -> None:
    names = ["7_frontal.jpg", "7_kitchen.jpg", "1_frontal.jpg", "401_frontal.jpg"]
    write_photos(tmp_path / "houses", names)
    photo_set = LabelledFrontsSource(tmp_path / "houses").read()
    assert photo_set.name == "house_fronts"
    assert [(photo.key, photo.tags) for photo in photo_set.photos] == [
        ("1_frontal.jpg", (("storeys", "one"), ("style", "spanish"))),
        ("7_frontal.jpg", (("storeys", "two"), ("style", "spanish"))),
    ]


def test_unclear_tags_are_left_out(tmp_path: Path) -> None:
    write_photos(tmp_path / "houses", ["25_frontal.jpg", "43_frontal.jpg", "41_frontal.jpg"])
    tags = {
        photo.key: photo.tags for photo in LabelledFrontsSource(tmp_path / "houses").read().photos
    }
    assert tags["25_frontal.jpg"] == (("style", "spanish"),)
    assert tags["41_frontal.jpg"] == ()


def test_a_house_that_is_listed_twice_is_one_home(tmp_path: Path) -> None:
    write_photos(tmp_path / "houses", ["11_frontal.jpg", "30_frontal.jpg", "31_frontal.jpg"])
    photos = LabelledFrontsSource(tmp_path / "houses").read().photos
    homes = {photo.key: photo.property for photo in photos}
    assert homes["11_frontal.jpg"] == homes["30_frontal.jpg"] != homes["31_frontal.jpg"]


def test_a_folder_without_fronts_is_an_error(tmp_path: Path) -> None:
    write_photos(tmp_path / "houses", ["7_kitchen.jpg"])
    with pytest.raises(UserError, match=r"has no <number>_frontal\.jpg of houses 1 to 400"):
        LabelledFrontsSource(tmp_path / "houses").read()

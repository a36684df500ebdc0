from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

from seentwice.detectors.measures import FORMATS, MeasureDescriptor
from seentwice.edits import apply_edit
from seentwice.photos import read_photo


@pytest.mark.parametrize("form", FORMATS)
def test_the_format_is_what_the_file_holds(form: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    photo = Image.new("RGB", (24, 16))
    if form == "HEIF":  # which Pillow does not write
        with path.open("wb") as stream:
            pillow_heif.from_pillow(photo).save(stream)
    else:
        photo.save(path, format=form)
    width, height, number = MeasureDescriptor().look(read_photo(path, 1000))
    assert (width, height, FORMATS[number]) == (24, 16, form)


def test_sides_are_those_of_the_upright_photo(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (24, 16)).save(tmp_path / "photo.jpg", exif=exif)
    assert MeasureDescriptor().look(read_photo(tmp_path / "photo.jpg", 1000)).tolist() == [
        16,
        24,
        0,
    ]


def test_an_edited_view_has_no_format(tmp_path: Path) -> None:
    Image.new("RGB", (24, 16)).save(tmp_path / "photo.png")
    edited = apply_edit(read_photo(tmp_path / "photo.png", 1000), "hflip")
    assert MeasureDescriptor().look(edited).tolist() == [24, 16, -1]

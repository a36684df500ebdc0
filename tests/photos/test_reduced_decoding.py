from pathlib import Path

import numpy as np
import pytest
from encoded_photos import LIMIT, LOSSLESS, draw_pixels, encode, exif
from PIL import Image

from seentwice.photos import PhotoError, read_photo
from seentwice.records import Reason

PHOTO = Image.fromarray(draw_pixels(321, 243))
SMALL = (40, 30)


def write(folder: Path, data: bytes) -> Path:
    path = folder / "photo.jpg"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("at_least", "size"),
    [
        ((40, 30), (41, 31)),
        ((41, 30), (81, 61)),  # 321 // 41 is 7: an eighth would be enough, but for Pillow's floor
        ((40, 31), (81, 61)),
        ((80, 60), (81, 61)),
        ((160, 1), (161, 122)),
        ((161, 1), (321, 243)),
        ((1, 1), (41, 31)),
        ((500, 1), (321, 243)),
    ],
)
def test_a_jpeg_is_decoded_to_little_more_than_is_needed(
    tmp_path: Path, at_least: tuple[int, int], size: tuple[int, int]
) -> None:
    photo = read_photo(write(tmp_path, encode(PHOTO, "JPEG")), LIMIT, at_least)
    assert photo.size == size
    assert photo.width >= min(at_least[0], PHOTO.width)
    assert photo.height >= min(at_least[1], PHOTO.height)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_that_of_the_upright_photo(tmp_path: Path, orientation: int) -> None:
    path = write(tmp_path, encode(PHOTO, "JPEG", quality=95, exif=exif(orientation)))
    full, width = read_photo(path, LIMIT), 160
    reduced = read_photo(path, LIMIT, (width, 1))
    assert reduced.width == (161 if orientation < 5 else 243)
    error = np.asarray(reduced.resize(SMALL)).astype(int) - np.asarray(full.resize(SMALL))
    assert np.abs(error).mean() < 1


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_it_looks_like_the_whole_photo_made_smaller(
    tmp_path: Path, mode: str, progressive: bool
) -> None:
    # Sides of whole blocks: a part of a block becomes a whole pixel, 7 pixels too wide at most.
    photo = PHOTO.crop((0, 0, 320, 240)).convert(mode)
    path = write(tmp_path, encode(photo, "JPEG", quality=95, progressive=progressive))
    full, reduced = read_photo(path, LIMIT), read_photo(path, LIMIT, SMALL)
    assert (reduced.mode, reduced.size) == ("RGB", SMALL)
    error = np.asarray(reduced).astype(int) - np.asarray(full.resize(SMALL, Image.Resampling.BOX))
    assert np.abs(error).mean() < 1


@pytest.mark.parametrize("form", LOSSLESS)
def test_other_formats_are_decoded_in_full(tmp_path: Path, form: str) -> None:
    photo = read_photo(write(tmp_path, LOSSLESS[form]), LIMIT, (4, 4))
    np.testing.assert_array_equal(photo, draw_pixels())


def test_a_photo_smaller_than_is_needed_is_the_same(tmp_path: Path) -> None:
    path = write(tmp_path, encode(PHOTO, "JPEG"))
    np.testing.assert_array_equal(read_photo(path, LIMIT, (200, 200)), read_photo(path, LIMIT))


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
@pytest.mark.parametrize("progressive", [False, True])
def test_what_is_truncated_is_so_however_it_is_decoded(
    tmp_path: Path, share: float, progressive: bool
) -> None:
    data = encode(PHOTO, "JPEG", quality=95, progressive=progressive)
    path = write(tmp_path, data[: int(share * len(data))])
    for at_least in (None, SMALL):
        with pytest.raises(PhotoError) as caught:
            read_photo(path, LIMIT, at_least)
        assert caught.value.unreadable.reason is Reason.TRUNCATED


def test_the_limit_is_of_the_whole_photo(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="321 x 243 pixels are more than 1000"):
        read_photo(write(tmp_path, encode(PHOTO, "JPEG")), 1000, SMALL)

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from encoded_photos import LIMIT, draw_pixels, encode, exif
from PIL import Image

from seentwice.photos import PhotoError, decode_photo
from seentwice.photos.block_means import block_side, decode_block_means
from seentwice.records import Reason

NAME = Path("photo")
PHOTO = Image.fromarray(draw_pixels(400, 304))


def test_a_block_is_the_largest_that_leaves_32_pixels_a_side() -> None:
    sizes = [(1, 1), (63, 64), (64, 64), (127, 900), (128, 128), (255, 256), (256, 256), (9000, 32)]
    assert [block_side(*size) for size in sizes] == [1, 1, 2, 2, 4, 4, 8, 1]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(400, 304), (304, 200), (168, 120), (60, 40)])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_gives_the_means_of_its_decoded_pixels(
    orientation: int, size: tuple[int, int], progressive: bool
) -> None:
    content = encode(
        PHOTO.resize(size), "JPEG", quality=90, exif=exif(orientation), progressive=progressive
    )
    found = decode_block_means(content, NAME, LIMIT)
    photo = decode_photo(content, NAME, LIMIT)
    side = block_side(*photo.size)
    expected = np.asarray(photo.reduce(side) if side > 1 else photo).astype(int)
    assert (found.width, found.height) == photo.size
    assert found.means.shape == expected.shape
    assert np.abs(found.means - expected).max() <= 3


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "GIF"])
def test_a_photo_of_another_format_gives_the_means_of_the_same_blocks(form: str) -> None:
    image = PHOTO.convert("P") if form == "GIF" else PHOTO
    found = decode_block_means(encode(image, form), NAME, LIMIT)
    assert (found.width, found.height) == PHOTO.size
    assert np.array_equal(found.means, np.asarray(image.convert("RGB").reduce(8)))


def test_a_block_at_the_edge_may_be_smaller() -> None:
    photo = PHOTO.crop((0, 0, 397, 301))
    for form in ("PNG", "JPEG"):
        found = decode_block_means(encode(photo, form), NAME, LIMIT)
        assert found.means.shape == (38, 50, 3)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_jpegs_of_other_colour_spaces_are_read(mode: str) -> None:
    content = encode(PHOTO.convert(mode), "JPEG", quality=95)
    found = decode_block_means(content, NAME, LIMIT)
    expected = np.asarray(decode_photo(content, NAME, LIMIT).reduce(8)).astype(int)
    assert np.abs(found.means - expected).max() <= 3


def test_an_open_file_will_do() -> None:
    content = encode(PHOTO, "JPEG", quality=90)
    streamed = decode_block_means(BytesIO(content), NAME, LIMIT)
    assert (
        np.abs(streamed.means.astype(int) - decode_block_means(content, NAME, LIMIT).means).max()
        <= 3
    )


@pytest.mark.parametrize(
    ("content", "limit", "reason"),
    [
        (b"", LIMIT, Reason.EMPTY),
        (b"\xff\xd8\xff", LIMIT, Reason.TRUNCATED),
        (encode(PHOTO, "JPEG")[:-2000], LIMIT, Reason.TRUNCATED),
        (encode(PHOTO, "JPEG"), 100, Reason.TOO_LARGE),
        (encode(PHOTO, "PNG")[:-2000], LIMIT, Reason.TRUNCATED),
    ],
)
def test_what_gives_no_photo_is_told_as_ever(content: bytes, limit: int, reason: Reason) -> None:
    with pytest.raises(PhotoError) as caught:
        decode_block_means(content, NAME, limit)
    assert caught.value.unreadable.reason == reason


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_jpeg_is_read_or_told(seed: int) -> None:
    rng = np.random.default_rng(seed)
    content = bytearray(encode(PHOTO, "JPEG", exif=exif(6), progressive=bool(seed % 2)))
    for at in rng.integers(2, len(content), 1 + seed % 5):
        content[at] = rng.integers(256)
    try:
        found = decode_block_means(bytes(content), NAME, LIMIT)
    except PhotoError:
        return
    assert found.means.ndim == 3

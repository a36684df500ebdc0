from pathlib import Path

import numpy as np
import pytest
from encoded_photos import LIMIT, PHOTO, encode, exif

from seentwice.photos import PhotoError, decode_photo, read_photo
from seentwice.records import Reason

NAME = Path("upload")
HOLDING = {
    "JPEG": encode(PHOTO, "JPEG", exif=exif(6)),
    "PNG": encode(PHOTO, "PNG"),
    "TIFF": encode(PHOTO, "TIFF"),
    "WEBP": encode(PHOTO, "WEBP"),
}


@pytest.mark.parametrize("form", sorted(HOLDING))
def test_bytes_give_the_pixels_of_their_file(tmp_path: Path, form: str) -> None:
    (tmp_path / "photo").write_bytes(HOLDING[form])
    found = decode_photo(HOLDING[form], NAME, LIMIT)
    assert np.array_equal(found, read_photo(tmp_path / "photo", LIMIT))


@pytest.mark.parametrize(
    ("content", "most", "reason"),
    [
        (b"", LIMIT, Reason.EMPTY),
        (b"no photo", LIMIT, Reason.NOT_AN_IMAGE),
        (HOLDING["JPEG"][:-200], LIMIT, Reason.TRUNCATED),
        (HOLDING["PNG"], 10, Reason.TOO_LARGE),
    ],
)
def test_bytes_that_give_no_photo_say_why(content: bytes, most: int, reason: Reason) -> None:
    with pytest.raises(PhotoError) as error:
        decode_photo(content, NAME, most)
    assert (error.value.unreadable.path, error.value.unreadable.reason) == (NAME, reason)

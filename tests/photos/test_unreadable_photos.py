import random
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from encoded_photos import FORMATS, LIMIT, LOSSLESS, refuse
from PIL import Image

from seentwice.photos import PhotoError, read_photo
from seentwice.records import Reason, Unreadable


@pytest.mark.parametrize(
    "data",
    [
        b"not a photo at all",
        b"\0" * 64,
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"\xff",
        b"\xff\xd8",
        b"RIFF",
    ],
)
def test_other_files_are_not_images(tmp_path: Path, data: bytes) -> None:
    assert refuse(tmp_path, data).reason is Reason.NOT_AN_IMAGE


def test_an_empty_file_is_empty(tmp_path: Path) -> None:
    assert refuse(tmp_path, b"") == Unreadable(tmp_path / "photo.jpg", Reason.EMPTY, "0 bytes")


@pytest.mark.parametrize(
    "form", [form for form in FORMATS if form not in ("tiff, big", "avif", "heic")]
)
def test_cut_files_are_truncated_wherever_they_are_cut(tmp_path: Path, form: str) -> None:
    data = FORMATS[form]
    if form == "mpo":  # its first photo ends where the second begins
        data = data[: data.index(b"\xff\xd9\xff\xd8")]
    for length in {16, *range(17, len(data) - 20, max(1, len(data) // 25))}:
        assert refuse(tmp_path, data[:length]).reason is Reason.TRUNCATED, length


@pytest.mark.parametrize("form", ["tiff, big", "avif", "heic"])
def test_cut_files_of_rare_formats_give_no_photo(tmp_path: Path, form: str) -> None:
    data = FORMATS[form]
    for length in range(16, len(data) - 20, len(data) // 40):
        reason = refuse(tmp_path, data[:length]).reason
        assert reason in (Reason.TRUNCATED, Reason.DAMAGED)


def png_of(width: int, height: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    magic = b"\x89PNG\r\n\x1a\n"
    return magic + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("max_pixels", [LIMIT, 2_400_000_000])
def test_a_bomb_is_too_large_by_its_header(tmp_path: Path, max_pixels: int) -> None:
    unreadable = refuse(tmp_path, png_of(50_000, 50_000), max_pixels)
    assert unreadable.reason is Reason.TOO_LARGE
    assert unreadable.detail == f"50000 x 50000 pixels are more than {max_pixels}"


def test_the_limit_is_the_callers_and_not_pillows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refuse(tmp_path, LOSSLESS["png"], 40 * 24 - 1).reason is Reason.TOO_LARGE
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    path = tmp_path / "photo.jpg"
    for form in ("png", "jpeg", "bmp"):
        path.write_bytes(FORMATS[form])
        assert read_photo(path, 40 * 24).size == (40, 24)
    path.write_bytes(FORMATS["webp"])
    with pytest.raises(PhotoError) as caught:
        read_photo(path, LIMIT)
    assert caught.value.unreadable.reason is Reason.TOO_LARGE


def test_a_broken_stream_is_damaged(tmp_path: Path) -> None:
    data = bytearray(LOSSLESS["png"])
    data[60:80] = bytes(20)
    assert refuse(tmp_path, bytes(data)).reason is Reason.DAMAGED


def test_a_decoders_words_are_one_printable_line(tmp_path: Path) -> None:
    data = LOSSLESS["png"].replace(b"IDAT", b"I\n\x1bT")
    assert refuse(tmp_path, data).reason is Reason.DAMAGED


def test_an_interrupt_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(image: Image.Image) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("seentwice.photos.formats.PngImagePlugin.PngImageFile.load", interrupt)
    path = tmp_path / "photo.png"
    path.write_bytes(LOSSLESS["png"])
    with pytest.raises(KeyboardInterrupt):
        read_photo(path, LIMIT)


@pytest.mark.parametrize(
    "failure", [MemoryError(), KeyError("a\nb"), zlib.error("bad"), OSError(5)]
)
def test_whatever_a_decoder_raises_is_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(image: Image.Image) -> None:
        raise failure

    monkeypatch.setattr("seentwice.photos.formats.PngImagePlugin.PngImageFile.load", fail)
    assert refuse(tmp_path, LOSSLESS["png"]).reason is Reason.DAMAGED


@pytest.mark.parametrize("form", FORMATS)
def test_flipped_bytes_give_a_photo_or_a_reason(tmp_path: Path, form: str) -> None:
    path = tmp_path / "photo.jpg"
    chance = random.Random(form)
    for _ in range(25):
        data = bytearray(FORMATS[form])
        for _ in range(chance.choice([1, 2, 5, 20])):
            reach = len(data) if chance.random() < 0.5 else min(len(data), 200)
            data[chance.randrange(reach)] = chance.randrange(256)
        path.write_bytes(data)
        with suppress(PhotoError):
            assert read_photo(path, LIMIT).mode == "RGB"

import hashlib
import os
import random
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from encoding import draw, encode, exif

from seentwice.block_hashing import BLOCK_HASHES, look_at_blocks
from seentwice.dedupe import looking as module
from seentwice.dedupe.looking import Decoding, Looking, look_at_file, look_at_files
from seentwice.hashing import hash_photo
from seentwice.index.photo_row import PhotoRow
from seentwice.photos import read_photo
from seentwice.photos.block_means import block_side, decode_block_means
from seentwice.records import Reason

LIMIT = 1_000_000
SMALL = draw(0, 40, 24)
FORMATS = {
    "jpeg": encode(SMALL, "JPEG", quality=90),
    "jpeg, progressive": encode(SMALL, "JPEG", quality=90, progressive=True),
    "jpeg, cmyk": encode(SMALL.convert("CMYK"), "JPEG", quality=90),
    "jpeg with exif": encode(SMALL, "JPEG", quality=90, exif=exif(6)),
    "mpo": encode(SMALL, "MPO", save_all=True, append_images=[SMALL.rotate(180)]),
    "png": encode(SMALL, "PNG"),
    "png, palette": encode(SMALL.quantize(32), "PNG", transparency=1),
    "apng": encode(SMALL, "PNG", save_all=True, append_images=[SMALL.rotate(180)]),
    "webp": encode(SMALL, "WEBP"),
    "webp, animated": encode(SMALL, "WEBP", save_all=True, append_images=[SMALL.rotate(180)]),
    "gif": encode(SMALL, "GIF", save_all=True, append_images=[SMALL.rotate(180)]),
    "bmp": encode(SMALL, "BMP"),
    "tiff": encode(SMALL, "TIFF"),
    "tiff, big": encode(SMALL, "TIFF", big_tiff=True),
    "tiff, lzw": encode(SMALL, "TIFF", compression="tiff_lzw"),
    "tiff, jpeg": encode(SMALL, "TIFF", compression="jpeg"),
    "tiff, fax": encode(SMALL.convert("1"), "TIFF", compression="group4"),
    "avif": encode(SMALL, "AVIF"),
}


def look(folder: Path, content: bytes, decoding: Decoding = "blocks") -> PhotoRow:
    path = folder / "photo"
    path.write_bytes(content)
    return look_at_file(Looking(folder, decoding, LIMIT), "photo")


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_row_holds_what_is_known_of_a_photo(tmp_path: Path, orientation: int) -> None:
    content = encode(draw(1, 300, 200), "PNG", exif=exif(orientation))
    row = look(tmp_path, content)
    status = (tmp_path / "photo").stat()
    seen = decode_block_means(content, Path("photo"), LIMIT)
    blocks = look_at_blocks(seen.means)
    size = (300, 200) if orientation == 1 else (200, 300)
    assert row == PhotoRow(
        key="photo",
        size_bytes=len(content),
        modified_ns=status.st_mtime_ns,
        inode=status.st_ino,
        sha256=hashlib.sha256(content).digest(),
        width=size[0],
        height=size[1],
        hashes=blocks.hashes,
        decoding="blocks",
        signature=blocks.signature,
        has_content=True,
        reason="",
        detail="",
    )


def test_decoded_whole_the_hashes_are_those_of_imagehash(tmp_path: Path) -> None:
    content = encode(draw(1, 300, 200), "JPEG")
    row = look(tmp_path, content, "full")
    photo = read_photo(tmp_path / "photo", LIMIT)
    assert row.hashes == tuple(hash_photo(photo, BLOCK_HASHES).tolist())
    means = np.asarray(photo.reduce(block_side(*photo.size)))
    assert row.signature == look_at_blocks(means).signature
    assert row.decoding == "full"


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("decoding", ["blocks", "full"])
def test_a_large_file_gives_the_same_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, decoding: Decoding
) -> None:
    row = look(tmp_path, FORMATS[form], decoding)
    assert row.reason == ""
    monkeypatch.setattr(module, "LARGEST_IN_MEMORY", 10)
    large = look_at_file(Looking(tmp_path, decoding, LIMIT), "photo")
    left_out = {"hashes": (), "signature": b"", "decoding": ""}
    assert replace(large, **left_out) == replace(row, **left_out)
    bits = [(a ^ b).bit_count() for a, b in zip(large.hashes, row.hashes, strict=True)]
    assert max(bits) <= (5 if "jpeg" in form or form == "mpo" else 0)  # decoded another way


def test_a_large_file_that_is_no_photo_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "a.jpg").open("wb") as file:
        file.truncate(1 << 42)
    row = look_at_file(Looking(tmp_path, "blocks", LIMIT), "a.jpg")
    assert (row.reason, row.size_bytes, row.sha256) == (Reason.NOT_AN_IMAGE, 1 << 42, b"")


def change_while_it_is_read(monkeypatch: pytest.MonkeyPatch, path: Path, times: int) -> None:
    real, left = module.decode_block_means, [times]

    def decode(*arguments: object) -> object:
        if left[0]:
            left[0] -= 1
            path.write_bytes(path.read_bytes() + b"\0")
            os.utime(path, ns=(0, time.time_ns() + left[0]))
        return real(*arguments)

    monkeypatch.setattr(module, "decode_block_means", decode)


def test_a_file_that_changes_once_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "photo"
    path.write_bytes(FORMATS["png"])
    change_while_it_is_read(monkeypatch, path, 1)
    row = look_at_file(Looking(tmp_path, "blocks", LIMIT), "photo")
    assert (row.reason, row.sha256) == ("", hashlib.sha256(path.read_bytes()).digest())


def test_a_file_that_goes_on_changing_is_listed_and_looks_changed_to_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "photo"
    path.write_bytes(FORMATS["png"])
    change_while_it_is_read(monkeypatch, path, 9)
    row = look_at_file(Looking(tmp_path, "blocks", LIMIT), "photo")
    assert row.reason == Reason.CHANGED
    assert (row.size_bytes, row.modified_ns, row.sha256) == (0, 0, b"")


def test_a_disk_that_fails_is_told_in_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(module, "_read", fail)
    row = look(tmp_path, FORMATS["png"])
    assert (row.reason, row.detail) == (Reason.DAMAGED, "Input/output error")


def test_a_file_that_may_not_be_opened_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, flags: int) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    (row,) = look_at_files(Looking(tmp_path, "blocks", LIMIT), ["a.jpg"])
    assert (row.reason, row.detail) == (Reason.NO_PERMISSION, "Permission denied")


@pytest.mark.parametrize("where", ["decode_block_means", "look_at_blocks"])
def test_want_of_memory_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def fail(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(module, where, fail)
    row = look(tmp_path, FORMATS["png"])
    assert (row.reason, row.size_bytes) == (Reason.TOO_LARGE, len(FORMATS["png"]))


def test_what_cannot_be_opened_has_a_row_each(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(FORMATS["png"])
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    keys = ["gone", "fifo", "folder", "loop", "photo.png/below", "x" * 300, "photo.png"]
    rows = look_at_files(Looking(tmp_path, "blocks", LIMIT), keys)
    assert [(row.key, row.reason) for row in rows] == list(
        zip(
            keys,
            [
                *(Reason.MISSING, Reason.NOT_A_FILE, Reason.NOT_A_FILE, Reason.MISSING),
                *(Reason.MISSING, Reason.MISSING, ""),
            ],
            strict=True,
        )
    )


def mutate(content: bytes, chance: random.Random) -> bytes:
    """Change, cut, double or leave out some bytes, most often near the beginning."""
    data = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        reach = len(data) if chance.random() < 0.5 else min(len(data), 200)
        if not reach:
            break
        at = chance.randrange(reach)
        match chance.randrange(6):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at : at + 4] = chance.choice([b"\xff" * 4, bytes(4), b"\x7f" + b"\xff" * 3])
            case 2:
                del data[at : at + chance.randrange(1, 9)]
            case 3:
                data[at:at] = data[at : at + chance.randrange(1, 60)]
            case 4 if chance.random() < 0.2:
                del data[at:]
            case _:
                data[at] = chance.randrange(256)
    return bytes(data)


def fuzz(folder: Path, form: str, seeds: range) -> None:
    """Whatever bytes a file holds, it gives a row, and a reason or what a photo has."""
    for seed in seeds:
        chance = random.Random(f"{form} {seed}")
        content = mutate(FORMATS[form], chance)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as processes that read do
            row = look(folder, content, chance.choice(["blocks", "full"]))
        assert row.sha256 == hashlib.sha256(content).digest()
        if row.reason:
            assert Reason(row.reason)
            assert row.detail.isprintable()
            assert 0 < len(row.detail) <= 200
        else:
            assert len(row.hashes) == len(BLOCK_HASHES)
            assert 0 < row.width * row.height <= LIMIT


@pytest.mark.timeout(60)
@pytest.mark.parametrize("form", FORMATS)
def test_broken_bytes_give_a_row_with_a_photo_or_a_reason(tmp_path: Path, form: str) -> None:
    fuzz(tmp_path, form, range(30))


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_many_broken_bytes_give_a_row_with_a_photo_or_a_reason(tmp_path: Path, form: str) -> None:
    fuzz(tmp_path, form, range(1_000, 6_000))

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from encoding import draw, encode
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from seentwice.dedupe import same_pixels
from seentwice.dedupe.looking import Looking, look_at_file
from seentwice.dedupe.pictures import Pictures, group_same, read_table
from seentwice.dedupe.same_pixels import (
    MOST_DIFFERENCE,
    PIXELS,
    _have_a_neighbour,
    digest_pixels,
    find_same_pixels,
)
from seentwice.index.store import PhotoStore

LIMIT = 1_000_000


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    photo, blank = draw(1, 200, 150), Image.new("RGB", (90, 60), "white")
    jpeg = encode(photo, "JPEG", quality=90)
    for name, content in {
        "a.png": encode(photo, "PNG"),
        "b.bmp": encode(photo, "BMP"),
        "c again.png": encode(photo, "PNG"),
        "d one pixel.png": encode(change_one_pixel(photo), "PNG"),
        "e.jpg": jpeg,
        "e decoded.png": encode(Image.open(io.BytesIO(jpeg)), "PNG"),
        "f blank.png": encode(blank, "PNG"),
        "g blank.bmp": encode(blank, "BMP"),
        "h blank of another size.png": encode(blank.resize((60, 90)), "PNG"),
        "i nearly blank.png": encode(change_one_pixel(blank), "PNG"),
        "j other.png": encode(draw(2, 200, 150), "PNG"),
    }.items():
        (folder / name).write_bytes(content)
    return folder


def change_one_pixel(photo: Image.Image) -> Image.Image:
    changed = photo.copy()
    red, green, blue = changed.getpixel((30, 20))
    changed.putpixel((30, 20), (red ^ 1, green, blue))
    return changed


def find(photos: Path) -> tuple[set[frozenset[str]], list[tuple[int, int]]]:
    """Names of the pictures of two files or more, and what was told of progress."""
    looking = Looking(photos, "blocks", LIMIT)
    told: list[tuple[int, int]] = []
    with PhotoStore.open(photos.parent / "index", looking.meta, lambda: None) as store:
        known = {store.read_columns(()).key(n) for n in range(len(store.read_columns(())))}
        names = sorted({path.name for path in photos.iterdir()} - known)
        store.write([look_at_file(looking, name) for name in names])
        table = read_table(store)
        by_bytes = group_same(table.sha256)
        pictures = find_same_pixels(
            store, table, by_bytes, photos, LIMIT, 2, lambda done, total: told.append((done, total))
        )
    return name_groups(pictures, [table.key(photo) for photo in range(len(table))]), told


def name_groups(pictures: Pictures, names: list[str]) -> set[frozenset[str]]:
    groups: dict[int, set[str]] = {}
    for name, picture in zip(names, pictures.of_photo.tolist(), strict=True):
        groups.setdefault(picture, set()).add(name)
    return {frozenset(group) for group in groups.values() if len(group) > 1}


def test_files_of_the_same_pixels_are_one_picture_and_no_others(photos: Path) -> None:
    found, _ = find(photos)
    assert found - {frozenset({"e.jpg", "e decoded.png"})} == {
        frozenset({"a.png", "b.bmp", "c again.png"}),
        frozenset({"f blank.png", "g blank.bmp"}),
    }


def test_photos_are_decoded_once(photos: Path) -> None:
    first, told = find(photos)
    assert told[-1][0] == told[-1][1] > 0
    again, told = find(photos)
    assert (again, told) == (first, [])
    (photos / "k.tif").write_bytes(encode(draw(1, 200, 150), "TIFF"))
    more, told = find(photos)
    assert told == [(1, 1)]
    assert frozenset({"a.png", "b.bmp", "c again.png", "k.tif"}) in more


def test_what_was_decoded_before_an_interrupt_is_kept(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, told = find(photos)
    (photos.parent / "index").rename(photos.parent / "whole")
    monkeypatch.setattr(same_pixels, "_BATCH", 2)
    real = same_pixels.digest_pixels
    decoded: list[Path] = []

    def digest(path: Path, sha256: bytes, max_pixels: int) -> bytes:
        decoded.append(path)
        if len(decoded) == 5:
            raise KeyboardInterrupt
        return real(path, sha256, max_pixels)

    monkeypatch.setattr(same_pixels, "digest_pixels", digest)
    with pytest.raises(KeyboardInterrupt):
        find(photos)
    assert len(decoded) in (5, 6)
    monkeypatch.undo()
    assert find(photos) == (expected, [(told[-1][0] - 4, told[-1][1] - 4)])


def test_a_digest_is_of_the_size_and_the_upright_pixels(photos: Path) -> None:
    path = photos / "a.png"
    sha256 = hashlib.sha256(path.read_bytes()).digest()
    expected = hashlib.sha256(b"200 x 150" + draw(1, 200, 150).tobytes()).digest()
    assert digest_pixels(path, sha256, LIMIT) == expected


def test_the_pixels_of_another_file_are_not_taken_for_its_own(photos: Path) -> None:
    path = photos / "a.png"
    sha256 = hashlib.sha256(path.read_bytes()).digest()
    path.write_bytes((photos / "j other.png").read_bytes())
    assert digest_pixels(path, sha256, LIMIT) == bytes(32)
    path.unlink()
    assert digest_pixels(path, sha256, LIMIT) == bytes(32)
    path.mkdir()
    assert digest_pixels(path, sha256, LIMIT) == bytes(32)


def test_what_cannot_be_decoded_by_now_is_asked_for_again(photos: Path) -> None:
    looking = Looking(photos, "blocks", LIMIT)
    names = ["f blank.png", "g blank.bmp"]
    with PhotoStore.open(photos.parent / "index", looking.meta, lambda: None) as store:
        store.write([look_at_file(looking, name) for name in names])
        table = read_table(store)
        content = (photos / names[0]).read_bytes()
        (photos / names[0]).unlink()
        by_bytes = group_same(table.sha256)
        for is_there in (False, True):
            if is_there:
                (photos / names[0]).write_bytes(content)
            found = find_same_pixels(
                store, table, by_bytes, photos, LIMIT, 1, lambda done, total: None
            )
            assert len(found.first) == (1 if is_there else 2)
            kept = store.read_embeddings(PIXELS, table.sha256)[1]
            assert kept.tolist() == [is_there, True]


@given(st.lists(st.integers(0, 30), max_size=12), st.integers(0, 9))
def test_none_that_is_near_another_is_passed_over(tones: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    noise = rng.integers(-2, 3, (len(tones), 8))
    signatures = (np.array(tones, int).reshape(-1, 1) * 5 + 20 + noise).astype(np.uint8)
    found = _have_a_neighbour(signatures)
    for one in range(len(tones)):
        for other in range(len(tones)):
            apart = np.abs(signatures[one].astype(int) - signatures[other]).max()
            if one != other and apart <= MOST_DIFFERENCE:
                assert found[one]

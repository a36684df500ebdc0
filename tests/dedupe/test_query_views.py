"""A photo that is asked about is seen as a table would see it, and as its turned copies."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from encoding import draw, encode
from PIL import Image

from seentwice.dedupe import query_views
from seentwice.dedupe.looking import Decoding, Looking, look_at_file
from seentwice.dedupe.query_views import look_at_query
from seentwice.photos import PhotoError
from seentwice.records import Reason

LIMIT = 1_000_000
SIDE = 64  # whose blocks are pixels, so that turned blocks are those of the turned photo


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(encode(draw(1, SIDE, SIDE), "PNG"))
    return path


@pytest.mark.parametrize("decoding", ["blocks", "full"])
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_it_is_seen_as_a_table_sees_it(tmp_path: Path, decoding: Decoding, form: str) -> None:
    path = tmp_path / "photo"
    path.write_bytes(encode(draw(2, 320, 200), form))
    seen = look_at_query(path, decoding, LIMIT, is_turned=True)
    row = look_at_file(Looking(tmp_path, decoding, LIMIT), path.name)
    assert (seen.width, seen.height, seen.sha256) == (row.width, row.height, row.sha256)
    assert (seen.look.hashes, seen.look.signature) == (row.hashes, row.signature)
    assert seen.look.has_content == row.has_content
    assert tuple(seen.hashes[0].tolist()) == row.hashes
    assert seen.sha256 == hashlib.sha256(path.read_bytes()).digest()


@pytest.mark.parametrize("decoding", ["blocks", "full"])
def test_its_other_views_have_the_hashes_of_turned_files(photo: Path, decoding: Decoding) -> None:
    seen = look_at_query(photo, decoding, LIMIT, is_turned=True)
    assert seen.hashes.shape == (8, 2)
    for number, turn in enumerate(Image.Transpose, 1):
        turned = photo.with_name("turned.png")
        turned.write_bytes(encode(draw(1, SIDE, SIDE).transpose(turn), "PNG"))
        expected = look_at_query(turned, decoding, LIMIT, is_turned=False).hashes
        assert np.array_equal(seen.hashes[number], expected[0])


def test_upright_there_is_one_view(photo: Path) -> None:
    seen = look_at_query(photo, "blocks", LIMIT, is_turned=False)
    assert seen.hashes.shape == (1, 2)


def test_what_gives_no_photo_says_why(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(path: Path) -> Reason:
        with pytest.raises(PhotoError) as error:
            look_at_query(path, "blocks", LIMIT, is_turned=True)
        return error.value.unreadable.reason

    assert ask(tmp_path / "gone.png") is Reason.MISSING
    os.mkfifo(tmp_path / "pipe.png")
    assert ask(tmp_path / "pipe.png") is Reason.NOT_A_FILE
    monkeypatch.setattr(query_views, "LARGEST_IN_MEMORY", 100)
    assert ask(photo) is Reason.TOO_MANY_BYTES

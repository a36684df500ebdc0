from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from seentwice.data.rooms import write_rooms
from seentwice.detectors import embedding_rows
from seentwice.detectors.embedding_rows import embed_photos
from seentwice.errors import UserError
from seentwice.models.backbones import build_trunk
from seentwice.models.engines import Passing, open_engine
from seentwice.photos import read_photo
from seentwice.records import Reason

LIMIT = 10**8
FLOAT32, BFLOAT16 = Passing("torch", "float32"), Passing("torch", "bfloat16")


@pytest.fixture(scope="module")
def rooms(tmp_path_factory):
    """Rendered rooms as JPEGs of 768 x 576: half and a quarter of that will do for 256 and 72."""
    root = tmp_path_factory.mktemp("rooms")
    write_rooms(root, 0, 6, 0, 2, (192, 144), workers=1)
    for path in root.rglob("*.jpg"):
        with Image.open(path) as image:
            large = image.resize((768, 576), Image.Resampling.LANCZOS)
        large.save(path, quality=92)
    return sorted(root.rglob("*.jpg"))


@pytest.fixture(scope="module")
def trunk(rooms):
    """A trunk whose BatchNorm saw the rooms."""
    trunk = build_trunk("compact", "none", "average", 0, "eval", seed=0)
    for module in trunk.stages.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    trunk.stages.train()
    with torch.no_grad():
        trunk.stages(trunk.preprocessing.normalise(look_at(rooms, trunk)))
    trunk.stages.eval()
    return trunk


def look_at(files, trunk):
    looks = [trunk.preprocessing.look(read_photo(file, LIMIT)) for file in files]
    return torch.from_numpy(np.stack(looks))


def tell_nobody(done, total):
    pass


def embed(files, trunk, passing=FLOAT32, decoding="full", workers=2, on_progress=tell_nobody):
    engine = open_engine(trunk.frozen, trunk.preprocessing, passing)
    return list(embed_photos(files, engine, decoding, workers, LIMIT, on_progress))


def cosines(left, right):
    return nn.functional.cosine_similarity(torch.from_numpy(left), torch.from_numpy(right)).numpy()


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("batch", [1, 5, 100])
def test_rows_are_those_of_the_plain_stages_in_the_order_of_the_files(
    rooms, trunk, monkeypatch, workers, batch
):
    monkeypatch.setattr(embedding_rows, "BATCH", batch)
    told = []
    found = embed(rooms[::-1], trunk, workers=workers, on_progress=lambda *n: told.append(n))
    assert [file for some in found for file in some.files] == rooms[::-1]
    expected = trunk.stages(trunk.preprocessing.normalise(look_at(rooms[::-1], trunk))).numpy()
    rows = np.concatenate([some.rows for some in found])
    np.testing.assert_allclose(rows, expected, rtol=0, atol=1e-5)
    assert told[-1] == (12, 12)
    assert len(told) == len(found) == -(-12 // batch)


@pytest.mark.parametrize(
    ("passing", "decoding", "least"),
    [(FLOAT32, "full", 0.999999), (BFLOAT16, "full", 0.999), (BFLOAT16, "reduced", 0.997)],
)
def test_fast_rows_are_nearly_the_plain_ones(rooms, trunk, passing, decoding, least):
    expected = trunk.stages(trunk.preprocessing.normalise(look_at(rooms, trunk))).numpy()
    (some,) = embed(rooms, trunk, passing, decoding)
    assert cosines(some.rows, expected).min() >= least
    assert cosines(expected, np.roll(expected, 1, axis=0)).max() < 0.96  # rooms differ


def test_photos_are_reduced_to_the_trunks_input(rooms, trunk, monkeypatch):
    asked = []

    def read(path: Path, max_pixels: int, at_least: tuple[int, int] | None) -> Image.Image:
        asked.append((max_pixels, at_least))
        return read_photo(path, max_pixels, at_least)

    monkeypatch.setattr(embedding_rows, "read_photo", read)
    embed(rooms[:1], trunk, decoding="reduced")
    embed(rooms[:1], trunk)
    assert asked == [(LIMIT, (96, 72)), (LIMIT, None)]


def test_files_that_give_no_photo_are_told_with_their_batch(rooms, trunk, tmp_path, monkeypatch):
    monkeypatch.setattr(embedding_rows, "BATCH", 2)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(rooms[0].read_bytes()[:5000])
    missing = tmp_path / "missing.jpg"
    found = embed([rooms[0], broken, missing, broken, rooms[1]], trunk)
    assert [some.files for some in found] == [(rooms[0],), (), (rooms[1],)]
    assert [some.rows.shape for some in found] == [(1, 128), (0, 128), (1, 128)]
    reasons = [[file.reason for file in some.unreadable] for some in found]
    assert reasons == [[Reason.TRUNCATED], [Reason.MISSING, Reason.TRUNCATED], []]


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (
            {"files": "PHOTOS"},
            "files='PHOTOS': give a list of paths; of a folder, find_photos(Path('PHOTOS'))[0]",
        ),
        (
            {"files": Path("PHOTOS")},
            "files='PHOTOS': give a list of paths; of a folder, find_photos(Path('PHOTOS'))[0]",
        ),
        ({"files": (path for path in ())}, "files: a generator; give a list of paths"),
        ({"files": ["a.jpg"]}, "files: 'a.jpg' is no path; give Path('a.jpg')"),
        ({"files": [None]}, "files: a NoneType is among them; give a list of paths"),
        ({"files": ([], [])}, "files: a list is among them; give a list of paths"),
        ({"engine": "torch"}, "engine: a str; give what open_engine returns"),
        ({"engine": nn.Sequential()}, "engine: a Sequential; give what open_engine returns"),
        ({"decoding": "fast"}, "decoding='fast': choose one of full, reduced"),
        ({"workers": 0}, "workers=0: give a whole number from 1 on"),
        ({"workers": None}, "workers=None: give a whole number from 1 on"),
        ({"max_pixels": 1e8}, "max_pixels=100000000.0: give a whole number from 1 on"),
    ],
)
def test_a_wrong_argument_is_refused_before_the_first_photo(trunk, wrong, complaint):
    right = {
        "files": [],
        "engine": open_engine(trunk.frozen, trunk.preprocessing, FLOAT32),
        "decoding": "full",
        "workers": 1,
        "max_pixels": LIMIT,
        "on_progress": tell_nobody,
    }
    with pytest.raises(UserError) as error:
        embed_photos(**(right | wrong))
    assert str(error.value) == complaint


def test_no_files_give_no_batches(trunk):
    assert embed([], trunk) == []


def test_a_bounded_number_of_photos_is_read_ahead_and_none_after_a_stop(rooms, trunk, monkeypatch):
    monkeypatch.setattr(embedding_rows, "BATCH", 1)
    read = []

    def count(path: Path, max_pixels: int, at_least: tuple[int, int] | None) -> Image.Image:
        read.append(path)
        return read_photo(path, max_pixels, at_least)

    monkeypatch.setattr(embedding_rows, "read_photo", count)
    engine = open_engine(trunk.frozen, trunk.preprocessing, FLOAT32)
    found = embed_photos(rooms * 5, engine, "full", 2, LIMIT, tell_nobody)
    next(found)
    found.close()
    assert 1 <= len(read) <= 2 * 2 + 1

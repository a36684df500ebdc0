"""What is read of photos is what their tagger says of their pixels, photo by photo."""

from pathlib import Path

import numpy as np
import pytest
import torch
from untrained_tagger import HEADS, save_untrained_tagger

from seentwice.detectors.photo_tagging import PhotoTagReader, TaggedPhotos, open_tagger
from seentwice.models.trunk import TrainedBlocks
from seentwice.photos import read_photo

MAX_PIXELS = 10**8


@pytest.fixture(scope="module")
def photos(few_rooms: Path) -> list[Path]:
    return sorted(few_rooms.rglob("*.jpg"))[:20]


def read(reader: PhotoTagReader, files: list[Path]) -> list[TaggedPhotos]:
    return list(reader.read(files, lambda done, total: None))


@pytest.mark.parametrize("blocks", [0, 1, "all"])
def test_probabilities_and_embeddings_are_those_of_the_tagger(
    blocks: TrainedBlocks, photos: list[Path], tmp_path: Path
) -> None:
    tagger, trunk = save_untrained_tagger(tmp_path / "a.safetensors", blocks)
    reader = open_tagger(tmp_path / "a.safetensors", None, MAX_PIXELS, 2)
    parts = read(reader, photos)
    looks = [trunk.preprocessing.look(read_photo(photo, MAX_PIXELS)) for photo in photos]
    with torch.inference_mode():
        pixels = trunk.preprocessing.normalise(torch.from_numpy(np.stack(looks)))
        features = trunk.stages.eval()(pixels)
        probabilities, embeddings = tagger.probabilities(features), tagger.embed(features)
    assert reader.tags.heads == HEADS
    assert np.concatenate([part.kept for part in parts]).tolist() == list(range(len(photos)))
    found = np.concatenate([part.probabilities for part in parts])
    np.testing.assert_allclose(found, probabilities, atol=1e-3)
    rows = np.concatenate([part.embeddings for part in parts])
    assert rows.shape == (len(photos), reader.embedding_size)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(rows, embeddings, atol=0.02)


def test_files_that_give_no_photo_are_told_and_the_others_keep_their_places(
    photos: list[Path], tmp_path: Path
) -> None:
    save_untrained_tagger(tmp_path / "a.safetensors")
    torn = tmp_path / "torn.jpg"
    torn.write_bytes(b"GIF")
    files = [torn, *photos, torn, photos[0]]
    parts = read(open_tagger(tmp_path / "a.safetensors", None, MAX_PIXELS, 1), files)
    kept = np.concatenate([part.kept for part in parts])
    assert kept.tolist() == [*range(1, 21), 22]
    assert [problem.path for part in parts for problem in part.problems] == [torn, torn]
    rows = np.concatenate([part.embeddings for part in parts])
    np.testing.assert_allclose(rows[0], rows[-1], atol=1e-5)


def test_the_fingerprint_is_of_the_weights(tmp_path: Path) -> None:
    one, other = tmp_path / "one.safetensors", tmp_path / "other.safetensors"
    save_untrained_tagger(one, seed=0)
    save_untrained_tagger(other, seed=1)
    first, second = (open_tagger(path, None, MAX_PIXELS, 1).fingerprint for path in (one, other))
    assert first != second
    one.rename(tmp_path / "moved.safetensors")
    assert open_tagger(tmp_path / "moved.safetensors", None, MAX_PIXELS, 1).fingerprint == first

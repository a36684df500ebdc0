"""Embeddings that were kept score pairs as the photos themselves are scored."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import logit
from untrained_net import save_untrained

from seentwice.detectors import fastest_engine
from seentwice.detectors.photo_embedder import PhotoEmbedder, open_embedder
from seentwice.detectors.photo_scorer import open_scorer
from seentwice.errors import UserError
from seentwice.models.engines import Engine, Passing, open_engine
from seentwice.models.preprocessing import Preprocessing
from seentwice.models.trunk import TrainedBlocks

MAX_PIXELS = 10**8


@pytest.fixture(scope="module")
def photos(few_rooms: Path) -> list[Path]:
    return sorted(few_rooms.rglob("*.jpg"))[:20]


def embed(embedder: PhotoEmbedder, files: list[Path]) -> np.ndarray:
    parts = embedder.embed(files, lambda done, total: None)
    return np.concatenate([part.rows for part in parts])


@pytest.mark.parametrize("blocks", [0, 1, "all"])
def test_scores_are_those_of_the_scorer(
    blocks: TrainedBlocks, photos: list[Path], tmp_path: Path
) -> None:
    path = tmp_path / "net.safetensors"
    save_untrained(path, blocks)
    embedder = open_embedder(path, None, MAX_PIXELS, 1)
    rows = embed(embedder, photos)
    left, right = np.triu_indices(len(photos), 1)
    expected = open_scorer(path, None, MAX_PIXELS, 1).score(
        [(photos[a], photos[b]) for a, b in zip(left.tolist(), right.tolist(), strict=True)]
    )
    # As logits, since a net that learned nothing is sure of every pair.
    found = logit(embedder.score(rows, left, right))
    np.testing.assert_allclose(found, logit([pair.score for pair in expected]), atol=0.02)
    assert np.ptp(found) > 1
    assert embedder.threshold == 0.5


def test_a_file_that_is_no_photo_is_told(photos: list[Path], tmp_path: Path) -> None:
    path, torn = tmp_path / "net.safetensors", tmp_path / "torn.jpg"
    save_untrained(path, 0)
    torn.write_bytes(b"GIF")
    told: list[tuple[int, int]] = []
    embedder = open_embedder(path, None, MAX_PIXELS, 1)
    (part,) = embedder.embed([photos[0], torn], lambda *said: told.append(said))
    assert part.files == (photos[0],)
    assert [problem.path for problem in part.unreadable] == [torn]
    assert told == [(2, 2)]


def test_the_fingerprint_is_of_the_weights_and_the_way_of_passing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = tmp_path / "one.safetensors", tmp_path / "other.safetensors"
    save_untrained(one, 0)
    save_untrained(other, 0, head="l1")

    def fingerprint(path: Path) -> str:
        return open_embedder(path, None, MAX_PIXELS, 1).fingerprint

    first = fingerprint(one)
    assert first != fingerprint(other)
    (tmp_path / "moved").mkdir()
    one.rename(tmp_path / "moved/checkpoint.safetensors")
    assert fingerprint(tmp_path / "moved") == first
    refuse_openvino(monkeypatch)
    assert fingerprint(tmp_path / "moved") != first


def refuse_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_without(stages: object, preprocessing: Preprocessing, passing: Passing) -> Engine:
        if passing.engine == "openvino":
            raise UserError("not installed")
        return open_engine(stages, preprocessing, passing)

    monkeypatch.setattr(fastest_engine, "open_engine", open_without)


def test_torch_passes_photos_where_openvino_is_missing(
    photos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.safetensors"
    save_untrained(path, 0)
    rows = embed(open_embedder(path, None, MAX_PIXELS, 1), photos)
    refuse_openvino(monkeypatch)
    without = embed(open_embedder(path, None, MAX_PIXELS, 1), photos)
    np.testing.assert_allclose(without, rows, atol=1e-3)


def test_sides_with_towers_of_their_own_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_untrained(path, 0, shared=False)
    with pytest.raises(UserError, match=r"tower of its own.*tower\.shared=true") as refused:
        open_embedder(path, None, MAX_PIXELS, 1)
    assert "\n" not in str(refused.value)

"""Embeddings are computed once a file, whatever stops a run."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from embedded_rooms import MAX_PIXELS, open_table
from untrained_net import save_untrained

from seentwice.dedupe import embedding
from seentwice.dedupe.embedding import fill_embeddings
from seentwice.detectors.photo_embedder import PhotoEmbedder, open_embedder
from seentwice.index.store import PhotoStore
from seentwice.records import Reason


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> PhotoEmbedder:
    path = tmp_path_factory.mktemp("net") / "net.safetensors"
    save_untrained(path, 0)
    return open_embedder(path, None, MAX_PIXELS, 1)


@pytest.fixture
def photos(few_rooms: Path, tmp_path: Path) -> Path:
    """Five photos, and the first once more."""
    root = tmp_path / "photos"
    root.mkdir()
    for number, file in enumerate(sorted(few_rooms.rglob("*_1.jpg"))[:5]):
        shutil.copy(file, root / f"{number}.jpg")
    shutil.copy(root / "0.jpg", root / "again.jpg")
    return root


def nothing(done: int, total: int) -> None:
    pass


def test_each_photo_has_its_embedding_and_files_of_the_same_bytes_share_one(
    photos: Path, embedder: PhotoEmbedder, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    with open_table(photos, tmp_path / "index") as (store, table):
        found = fill_embeddings(store, table, photos, embedder, lambda *said: told.append(said))
    assert told[-1] == (5, 5)
    assert found.is_there.all()
    assert found.of_photo[5] == found.of_photo[0]
    (part,) = embedder.embed([photos / table.key(n) for n in range(6)], nothing)
    expected = part.rows / np.linalg.norm(part.rows, axis=1, keepdims=True)
    np.testing.assert_allclose(found.rows[found.of_photo], expected, atol=2e-3)
    np.testing.assert_allclose(np.linalg.norm(found.rows, axis=1), 1, atol=1e-6)


def test_a_run_that_was_stopped_goes_on_where_it_was(
    photos: Path, embedder: PhotoEmbedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "_BATCH", 2)

    def stop(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with (
        open_table(photos, tmp_path / "index") as (store, table),
        pytest.raises(KeyboardInterrupt),
    ):
        fill_embeddings(store, table, photos, embedder, stop)
    told: list[tuple[int, int]] = []
    with open_table(photos, tmp_path / "index") as (store, table):
        fill_embeddings(store, table, photos, embedder, lambda *said: told.append(said))
        assert told == [(2, 3), (3, 3)]
        fill_embeddings(store, table, photos, embedder, lambda *said: pytest.fail("known"))


def test_photos_that_changed_or_are_gone_have_none_and_are_told(
    photos: Path, embedder: PhotoEmbedder, tmp_path: Path
) -> None:
    with open_table(photos, tmp_path / "index") as (store, table):
        shutil.copy(photos / "2.jpg", photos / "1.jpg")
        (photos / "3.jpg").unlink()
        found = fill_embeddings(store, table, photos, embedder, nothing)
    assert found.is_there.tolist() == [True, False, True, False, True, True]
    assert {problem.path.name for problem in found.unreadable} == {"1.jpg", "3.jpg"}
    changed = next(each for each in found.unreadable if each.path.name == "1.jpg")
    assert changed.reason is Reason.CHANGED
    assert not found.rows[found.of_photo[1]].any()


def test_embeddings_are_read_once_and_are_then_those_of_the_next_run(
    photos: Path, embedder: PhotoEmbedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    read = PhotoStore.read_embeddings

    def count(store: PhotoStore, fingerprint: str, digests: np.ndarray) -> tuple:
        reads.append(fingerprint)
        return read(store, fingerprint, digests)

    monkeypatch.setattr(PhotoStore, "read_embeddings", count)
    with open_table(photos, tmp_path / "index") as (store, table):
        first = fill_embeddings(store, table, photos, embedder, nothing)
        assert reads == [embedder.fingerprint]
        again = fill_embeddings(store, table, photos, embedder, nothing)
    assert first.rows.dtype == again.rows.dtype == np.float32
    np.testing.assert_array_equal(first.rows, again.rows)
    np.testing.assert_array_equal(first.is_there, again.is_there)


def test_photos_that_are_all_gone_have_no_embeddings(
    photos: Path, embedder: PhotoEmbedder, tmp_path: Path
) -> None:
    with open_table(photos, tmp_path / "index") as (store, table):
        for file in photos.iterdir():
            file.unlink()
        found = fill_embeddings(store, table, photos, embedder, nothing)
    assert not found.is_there.any()
    assert len(found.unreadable) == 5

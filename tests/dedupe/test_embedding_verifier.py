"""What embeddings add to hashes, on rendered rooms and embeddings that are made up."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from embedded_rooms import MAX_PIXELS, open_table
from encoding import draw
from photo_tables import make_table
from untrained_net import save_untrained

from seentwice.dedupe import embedding_verifier
from seentwice.dedupe.embedding import Embeddings
from seentwice.dedupe.embedding_verifier import (
    FEATURES,
    EmbeddingVerifier,
    open_embedding_verifier,
    read_weights,
)
from seentwice.dedupe.findings import WHOLE, Coverage
from seentwice.dedupe.matching import Matches, match_candidates
from seentwice.dedupe.pictures import PhotoTable
from seentwice.dedupe.turning import orient
from seentwice.dedupe.verify import HashVerifier, SearchSettings
from seentwice.index.neighbours import open_neighbours

HASH_BITS = 10
EVERY = SearchSettings(
    hash_bits=None, least_score=0.5, same_pixels=False, max_pixels=MAX_PIXELS, workers=1
)


@pytest.fixture(scope="module")
def table(few_rooms: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhotoTable]:
    with open_table(few_rooms, tmp_path_factory.mktemp("index")) as (_, table):
        yield table


@pytest.fixture(scope="module")
def copy(table: PhotoTable) -> tuple[int, int]:
    """Return the two photos that are the most alike of those that their hashes tell apart."""
    left, right = np.triu_indices(len(table) - 1, 1)
    scores = HashVerifier(table, orient(table.signature)).score(left, right)
    most = np.where(scores < 0.5, scores, -1).argmax()
    return int(left[most]), int(right[most])


@pytest.fixture(scope="module")
def embeddings(table: PhotoTable, copy: tuple[int, int]) -> Embeddings:
    """Strangers all, but that one is a copy of another; the last has none."""
    rows = np.random.default_rng(0).normal(size=(len(table), 64))
    rows[copy[1]] = rows[copy[0]] + 0.1 * rows[copy[1]]
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    rows[-1] = 0
    is_there = np.arange(len(table)) < len(table) - 1
    return Embeddings(rows, np.arange(len(table)), is_there, ())


@pytest.fixture(scope="module")
def verifier(table: PhotoTable, embeddings: Embeddings) -> EmbeddingVerifier:
    return EmbeddingVerifier(table, embeddings, orient(table.signature), HASH_BITS)


def test_embeddings_find_a_copy_that_hashes_miss(
    table: PhotoTable, verifier: EmbeddingVerifier, copy: tuple[int, int]
) -> None:
    left, right = np.triu_indices(len(table), 1)
    explained = verifier.explain(left, right)
    by_hashes = HashVerifier(table, orient(table.signature)).explain(left, right)
    added = (explained.scores >= 0.5) & (by_hashes.scores < 0.5)
    pairs = list(zip(left[added].tolist(), right[added].tolist(), strict=True))
    surest = explained.scores[added].argmax()
    assert pairs[surest] == copy
    assert len(pairs) <= 2  # rendered rooms whose hashes nearly suffice may be there, too
    assert explained.is_embedded[added].all()
    is_near = by_hashes.hash_bits <= HASH_BITS  # farther hashes make no match by themselves
    assert (explained.scores[is_near] >= by_hashes.scores[is_near]).all()
    assert (explained.scores[~is_near] < by_hashes.scores[~is_near]).any()
    np.testing.assert_array_equal(explained.hash_bits, by_hashes.hash_bits)
    np.testing.assert_array_equal(verifier.score(left, right), explained.scores)


def test_scores_are_a_logistic_regression_of_what_is_measured(
    verifier: EmbeddingVerifier, embeddings: Embeddings
) -> None:
    left, right = np.array([0, 0, 7]), np.array([1, 5, 20])
    by_hashes = verifier.hashes.score(left, right)
    explained = verifier.explain(left, right)
    cosine = explained.similarity
    rows = embeddings.rows
    expected = [float(rows[a] @ rows[b]) for a, b in zip(left, right, strict=True)]
    np.testing.assert_allclose(cosine, expected, atol=1e-6)
    features = verifier.measure_pairs(left, right, cosine, by_hashes)
    assert features.shape == (3, len(FEATURES))
    intercept, *coefficients = read_weights()
    for pair in range(3):
        logit = intercept + sum(
            weight * value
            for weight, value in zip(coefficients, features[pair].tolist(), strict=True)
        )
        sure = by_hashes[pair] if explained.hash_bits[pair] <= HASH_BITS else 0
        weighed = max(1 / (1 + np.exp(-logit)), sure)
        assert explained.scores[pair] == pytest.approx(weighed)


def test_what_is_measured_has_no_sides(verifier: EmbeddingVerifier) -> None:
    left, right = np.triu_indices(20, 1)
    said = verifier.explain(left, right).similarity, verifier.hashes.score(left, right)
    np.testing.assert_allclose(
        verifier.measure_pairs(left, right, *said), verifier.measure_pairs(right, left, *said)
    )


def test_photos_without_an_embedding_are_left_to_their_hashes(
    table: PhotoTable, verifier: EmbeddingVerifier
) -> None:
    last = len(table) - 1
    left, right = np.arange(last), np.full(last, last)
    explained = verifier.explain(left, right)
    np.testing.assert_array_equal(explained.scores, verifier.hashes.score(left, right))
    assert np.isnan(explained.similarity).all()
    assert not explained.is_embedded.any()


def test_candidates_are_numbers_in_the_list_of_photos_and_bring_every_copy(
    table: PhotoTable, verifier: EmbeddingVerifier, copy: tuple[int, int]
) -> None:
    photos = np.arange(len(table))[::-1].copy()
    last = len(table) - 1
    found = {
        pair
        for block in verifier.iterate_candidates(photos, EVERY)
        for pair in zip(block.left.tolist(), block.right.tolist(), strict=True)
    }
    assert (last - copy[1], last - copy[0]) in found  # in a list that is turned round
    assert all(left < right for left, right in found)
    assert not any(0 in pair for pair in found)  # which has no embedding
    assert len(found) < last * (last - 1) / 8


def test_candidates_tell_the_recall_of_the_search_that_brought_them(
    table: PhotoTable, verifier: EmbeddingVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def search() -> Matches:
        candidates = verifier.iterate_candidates(np.arange(len(table)), EVERY)
        return match_candidates(candidates, verifier.score, lambda left, right: left >= 0, 0.5)

    assert search().coverage == WHOLE
    monkeypatch.setattr(
        embedding_verifier,
        "open_neighbours",
        lambda rows, count: replace(open_neighbours(rows, count), recall=0.992),
    )
    assert search().coverage == Coverage(neighbour_recall=0.992)


def test_many_copies_of_one_photo_come_close_to_each_other() -> None:
    photos = [draw(seed, 96, 72) for seed in range(120)]
    copies = [photos[0].resize((97 + n, 73 + n)) for n in range(40)]
    table = make_table([*photos, *copies])
    rows = np.random.default_rng(0).normal(size=(160, 64))
    rows[120:] = rows[0] + 0.1 * rows[120:]
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    every = Embeddings(rows, np.arange(160), np.ones(160, bool), ())
    verifier = EmbeddingVerifier(table, every, None, HASH_BITS)
    left, right = np.triu_indices(160, 1)
    advance = verifier.measure_advance(left, right, (rows[left] * rows[right]).sum(axis=1))
    is_copy = ((left == 0) | (left >= 120)) & (right >= 120)
    assert advance[is_copy].min() > 0.9
    assert advance[~is_copy].max() < 0.6


def test_no_embedding_at_all_leaves_everything_to_hashes(table: PhotoTable) -> None:
    count = len(table)
    none = Embeddings(np.zeros((count, 0), np.float32), np.arange(count), np.zeros(count, bool), ())
    verifier = EmbeddingVerifier(table, none, None, HASH_BITS)
    left, right = np.triu_indices(count, 1)
    np.testing.assert_array_equal(
        verifier.score(left, right), HashVerifier(table, None).score(left, right)
    )
    assert not list(verifier.iterate_candidates(np.arange(count), EVERY))


def test_a_checkpoint_opens_a_verifier_of_a_folder(few_rooms: Path, tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_untrained(path, 0)
    with open_table(few_rooms, tmp_path / "index") as (store, table):
        verifier = open_embedding_verifier(
            store,
            table,
            few_rooms,
            path,
            None,
            MAX_PIXELS,
            1,
            None,
            HASH_BITS,
            lambda done, total: None,
        )
        assert len(store.list_fingerprints()) == 1
    explained = verifier.explain(np.array([0]), np.array([0]))
    assert explained.similarity == pytest.approx([1.0], abs=1e-3)
    assert explained.scores[0] > 0.5

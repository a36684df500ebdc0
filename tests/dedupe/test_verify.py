from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from encoding import draw, encode
from photo_tables import all_pairs, make_table
from PIL import Image, ImageFilter

from seentwice.dedupe import matching, verify
from seentwice.dedupe.candidates import FEW_EQUAL
from seentwice.dedupe.likeness import measure_likeness, measure_turned
from seentwice.dedupe.matching import match_candidates
from seentwice.dedupe.pictures import Indices
from seentwice.dedupe.turning import orient
from seentwice.dedupe.verify import HashVerifier, SearchSettings, read_weights
from seentwice.hamming import hamming_bits

SETTINGS = SearchSettings(6, 0.5, same_pixels=False, max_pixels=1_000_000, workers=1)
PHOTOS = [draw(seed, 240, 180) for seed in range(5)]
BLANKS = [Image.new("RGB", (240, 180), tone) for tone in ("white", "black", "teal")]
COPIES = [
    PHOTOS[0].filter(ImageFilter.GaussianBlur(1)),
    PHOTOS[1].resize((480, 360)),
    PHOTOS[2].transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    PHOTOS[3].transpose(Image.Transpose.ROTATE_90),
]
TABLE = make_table([*PHOTOS, *BLANKS, *COPIES])
COUNT = len(TABLE)
LEFT, RIGHT = all_pairs(COUNT)
UPRIGHT = {(0, 8), (1, 9)}
TURNED = {(2, 10), (3, 11)}


def list_likely(verifier: HashVerifier) -> set[tuple[int, int]]:
    scores = verifier.score(LEFT, RIGHT)
    return set(zip(LEFT[scores > 0.5].tolist(), RIGHT[scores > 0.5].tolist(), strict=True))


def test_copies_are_likely_and_strangers_are_not() -> None:
    assert list_likely(HashVerifier(TABLE, None)) == UPRIGHT
    assert list_likely(HashVerifier(TABLE, orient(TABLE.signature))) == UPRIGHT | TURNED


def test_blank_photos_score_nothing_even_with_themselves() -> None:
    verifier = HashVerifier(TABLE, orient(TABLE.signature))
    blank = np.arange(5, 8)
    assert verifier.score(blank, blank).tolist() == [0, 0, 0]
    assert verifier.score(blank, np.arange(3)).tolist() == [0, 0, 0]
    assert (verifier.score(np.arange(5), np.arange(5)) > 0.5).all()


@pytest.mark.parametrize("block", [1, 7, 1 << 15])
def test_a_score_is_the_logistic_of_the_weighed_features(
    monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(verify, "_BLOCK", block)
    orientations = orient(TABLE.signature)
    found = HashVerifier(TABLE, orientations).explain(LEFT, RIGHT)
    weights = read_weights()
    upright = measure_likeness(TABLE, LEFT, RIGHT)
    turned = measure_turned(TABLE, orientations, LEFT, RIGHT)
    for pair in range(len(LEFT)):
        logits = [
            each[0] + sum(a * b for a, b in zip(each[1:], features[pair], strict=True))
            for each, features in ((weights.upright, upright), (weights.turned, turned.features))
        ]
        scores = [1 / (1 + np.exp(-logit)) for logit in logits]
        is_turned = bool(turned.is_turned[pair] and scores[1] > scores[0])
        has_content = TABLE.has_content[LEFT[pair]] and TABLE.has_content[RIGHT[pair]]
        expected = scores[is_turned] if has_content else 0.0
        assert found.scores[pair] == pytest.approx(expected, abs=1e-12)
        assert found.is_turned[pair] == is_turned
        bits = hamming_bits(TABLE.hashes[LEFT[pair]], TABLE.hashes[RIGHT[pair]]).min()
        assert found.hash_bits[pair] == (turned.bits[pair] if is_turned else bits)
    assert np.isnan(found.similarity).all()
    assert not found.is_embedded.any()


def test_no_pairs_have_no_scores() -> None:
    none = np.empty(0, np.int64)
    found = HashVerifier(TABLE, orient(TABLE.signature)).explain(none, none)
    assert (found.scores.shape, found.hash_bits.dtype) == ((0,), np.int64)


def list_candidates(verifier: HashVerifier, photos: Indices, settings: SearchSettings) -> set:
    return {
        pair
        for block in verifier.iterate_candidates(photos, settings)
        for pair in zip(block.left.tolist(), block.right.tolist(), strict=True)
    }


@pytest.mark.parametrize("bits", [0, 3, 6, 12])
@pytest.mark.parametrize("is_turned", [False, True])
def test_candidates_are_the_photos_with_content_near_by_a_hash(bits: int, is_turned: bool) -> None:
    orientations = orient(TABLE.signature) if is_turned else None
    photos = np.array([11, 0, 8, 5, 6, 2, 10, 1, 9, 3])
    found = list_candidates(
        HashVerifier(TABLE, orientations), photos, replace(SETTINGS, hash_bits=bits)
    )
    expected = set()
    for one in range(len(photos)):
        for other in range(one + 1, len(photos)):
            pair = photos[[one, other]]
            if not TABLE.has_content[pair].all():
                continue
            near = hamming_bits(*TABLE.hashes[pair]).min() <= bits
            if orientations is not None:
                hashes = orientations.hashes[pair]
                near = near or (hamming_bits(hashes[0][:, None], hashes[1]) <= bits).any()
            if near:
                expected.add((one, other))
    assert found == expected


@pytest.mark.parametrize("most", [0, 1 << 20])  # hashes compared each with each, or by tables
def test_new_candidates_are_those_with_a_new_picture(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(verify, "_MOST_COMPARED", most)
    verifier = HashVerifier(TABLE, orient(TABLE.signature))
    photos = np.array([11, 0, 8, 5, 6, 2, 10, 1, 9, 3])
    is_new = np.isin(np.arange(10), [2, 3, 7])
    found = {
        (one, other)
        for block in verifier.iterate_new_candidates(photos, is_new, SETTINGS)
        for one, other in zip(block.left.tolist(), block.right.tolist(), strict=True)
        if is_new[one] or is_new[other]
    }
    every = list_candidates(verifier, photos, SETTINGS)
    assert found == {(one, other) for one, other in every if is_new[one] or is_new[other]}
    assert found
    assert not list(verifier.iterate_new_candidates(photos, np.zeros(10, bool), SETTINGS))


def test_without_a_hash_there_are_no_candidates() -> None:
    verifier = HashVerifier(TABLE, None)
    assert not list(
        verifier.iterate_new_candidates(
            np.arange(COUNT), np.ones(COUNT, bool), replace(SETTINGS, hash_bits=None)
        )
    )
    assert list_candidates(verifier, np.arange(COUNT), replace(SETTINGS, hash_bits=None)) == set()


def test_many_copies_of_two_photos_that_share_a_hash_hang_together_each() -> None:
    photos = [PHOTOS[0]] * 60 + [PHOTOS[1]] * 60
    table = make_table(photos)
    table = replace(table, hashes=np.zeros_like(table.hashes))
    pairs = list_candidates(HashVerifier(table, None), np.arange(120), SETTINGS)
    assert len(pairs) < 120 + FEW_EQUAL**2
    assert {(0, other) for other in range(1, 120)} <= pairs
    assert {(60, other) for other in range(61, 120)} <= pairs


@pytest.mark.parametrize("is_turned", [False, True])
def test_copies_are_found_among_very_many_photos_that_share_a_hash(
    monkeypatch: pytest.MonkeyPatch, is_turned: bool
) -> None:
    monkeypatch.setattr(matching, "MOST_SORTS", 3)
    photos = [draw(seed, 96, 72) for seed in range(150)]
    copies = [photo.filter(ImageFilter.GaussianBlur(0.7)) for photo in photos[20:60]]
    if is_turned:
        copies = [copy.transpose(Image.Transpose.ROTATE_180) for copy in copies]
    table = make_table([*photos, *copies])
    orientations = orient(table.signature)
    if is_turned:
        orientations = replace(orientations, hashes=np.zeros_like(orientations.hashes))
    else:
        table = replace(table, hashes=table.hashes * np.array([0, 1], np.uint64))
    verifier = HashVerifier(table, orientations if is_turned else None)
    found = match_candidates(
        verifier.iterate_candidates(np.arange(len(table)), replace(SETTINGS, hash_bits=0)),
        verifier.score,
        lambda left, right: left >= 0,
        0.5,
    )
    pairs = set(zip(found.left.tolist(), found.right.tolist(), strict=True))
    assert found.coverage.nearest_only > 100
    left, right = np.arange(20, 60), np.arange(150, 190)
    likely = verifier.score(left, right) >= 0.5
    assert likely.sum() >= 35
    assert set(zip(left[likely].tolist(), right[likely].tolist(), strict=True)) <= pairs


def test_what_jpeg_and_smaller_sizes_do_to_a_photo_is_a_copy() -> None:
    decoded = [
        Image.open(BytesIO(encode(photo.resize((120, 90)), "JPEG", quality=30))).convert("RGB")
        for photo in PHOTOS
    ]
    table = make_table([*PHOTOS, *decoded])
    assert (HashVerifier(table, None).score(np.arange(5), np.arange(5, 10)) > 0.5).all()

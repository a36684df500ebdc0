"""Scores of photos are those of the net, computed the plain way."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import expit

from seentwice.detectors import photo_scorer
from seentwice.detectors.photo_scorer import PhotoScorer, ScoredPair, open_scorer
from seentwice.errors import UserError
from seentwice.models.checkpoint import (
    CHECKPOINT_FILE,
    load_checkpoint,
    read_record,
    save_checkpoint,
)
from seentwice.models.checkpoint_trunk import rebuild_trunk
from seentwice.models.opened_checkpoint import open_checkpoint
from seentwice.photos import read_photo


@pytest.fixture(scope="module")
def checkpoint(registered_training: Path) -> Path:
    return registered_training / CHECKPOINT_FILE


@pytest.fixture(scope="module")
def scorer(checkpoint: Path) -> PhotoScorer:
    return open_scorer(checkpoint, workers=2)


@pytest.fixture(scope="module")
def photos(few_rooms: Path) -> list[Path]:
    return sorted(few_rooms.rglob("*.jpg"))[:7]


def pairs_of(photos: list[Path]) -> list[tuple[Path, Path]]:
    return [(photos[0], photos[1]), (photos[3], photos[0]), (photos[5], photos[6])]


def score_slowly(checkpoint: Path, left: Path, right: Path) -> float:
    record = read_record(checkpoint)
    trunk = rebuild_trunk(checkpoint, record, None, "weights=")
    net = load_checkpoint(checkpoint, record, trunk)
    looks = np.stack([trunk.preprocessing.look(read_photo(p, 10**8)) for p in (left, right)])
    with torch.inference_mode():
        rows = trunk.stages(trunk.preprocessing.normalise(torch.from_numpy(looks)))
        logit = net(rows, torch.tensor([0]), torch.tensor([1])).double().item()
    return float(expit(record.calibration_slope * logit + record.calibration_offset))


def test_scores_are_those_of_a_plain_forward_pass(
    scorer: PhotoScorer, checkpoint: Path, photos: list[Path]
) -> None:
    pairs = pairs_of(photos)
    found = scorer.score(pairs)
    expected = [score_slowly(checkpoint, *pair) for pair in pairs]
    assert [pair.score for pair in found] == pytest.approx(expected, abs=1e-5)
    assert len(set(expected)) == len(expected)
    assert [pair.is_duplicate for pair in found] == [s >= scorer.threshold for s in expected]
    assert all(pair.problem is None for pair in found)


def test_bytes_are_scored_as_their_files(scorer: PhotoScorer, photos: list[Path]) -> None:
    pairs = pairs_of(photos)
    as_bytes = [(left.read_bytes(), right) for left, right in pairs]
    for one, other in zip(scorer.score(pairs), scorer.score(as_bytes), strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-6)


def test_each_photo_is_decoded_once_in_however_many_pairs_and_blocks(
    scorer: PhotoScorer, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [(left, right) for left in photos for right in photos]
    whole = [pair.score for pair in scorer.score(pairs)]
    decoded, told = [], []

    def read(path, max_pixels):
        decoded.append(path)
        return read_photo(path, max_pixels)

    monkeypatch.setattr(photo_scorer, "read_photo", read)
    monkeypatch.setattr(photo_scorer, "_BLOCK", 3)
    found = scorer.score(pairs, lambda done, total: told.append((done, total)))
    assert sorted(decoded) == photos
    assert told == [(3, 7), (6, 7), (7, 7)]
    assert [pair.score for pair in found] == pytest.approx(whole, abs=1e-5)


def test_a_photo_that_cannot_be_read_costs_its_own_pairs_alone(
    scorer: PhotoScorer, photos: list[Path], tmp_path: Path
) -> None:
    gone = tmp_path / "gone.jpg"
    sound = scorer.score([(photos[0], photos[1])])
    found = scorer.score([(gone, photos[0]), (photos[0], photos[1]), (b"no photo", gone)])
    assert found[1].score == pytest.approx(sound[0].score, abs=1e-6)
    no_image = "left: not an image (begins like no JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF)"
    missing = "missing (No such file or directory)"
    assert found[0] == ScoredPair(None, None, f"left: {missing}")
    assert found[2] == ScoredPair(None, None, f"{no_image}; right: {missing}")


def test_of_no_pair_nothing_is_said(scorer: PhotoScorer) -> None:
    assert scorer.score([]) == []


@pytest.mark.parametrize(
    ("pairs", "told"),
    [
        (["ab"], r"pairs\[0\]: a str; give \(left, right\)"),
        ([(b"", b""), ("a.jpg", b"")], r"pairs\[1\]: 'a.jpg' is no path; give Path\('a.jpg'\)"),
        ([(b"", None)], r"pairs\[0\]: a NoneType; give a path, or a file's bytes"),
    ],
)
def test_what_is_no_photo_is_refused(scorer: PhotoScorer, pairs: list, told: str) -> None:
    with pytest.raises(UserError, match=told):
        scorer.score(pairs)


def test_threads_share_a_scorer(scorer: PhotoScorer, photos: list[Path]) -> None:
    pairs = pairs_of(photos)
    expected = [pair.score for pair in scorer.score(pairs)]
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: scorer.score(pairs), range(8)):
            assert [pair.score for pair in found] == pytest.approx(expected, abs=1e-6)


def test_a_checkpoint_with_its_whole_trunk_gives_the_same_scores(
    scorer: PhotoScorer, checkpoint: Path, photos: list[Path], tmp_path: Path
) -> None:
    opened = open_checkpoint(checkpoint, None, "weights=")
    whole = tmp_path / CHECKPOINT_FILE
    record = replace(opened.record, bundled=True)
    save_checkpoint(whole, opened.net, record, opened.trunk.frozen)
    pairs = pairs_of(photos)
    found = open_scorer(tmp_path).score(pairs)
    assert [pair.score for pair in found] == [pair.score for pair in scorer.score(pairs)]


def test_weights_that_are_not_here_are_told(checkpoint: Path) -> None:
    with pytest.raises(UserError, match=r"weights=gone\.safetensors: no such file"):
        open_scorer(checkpoint, weights="gone.safetensors")

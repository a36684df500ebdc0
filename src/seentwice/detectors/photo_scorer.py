"""Scores pairs of photos with a checkpoint: from files or bytes to probabilities."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seentwice.data.source import Progress
from seentwice.detectors.calibration import Calibration
from seentwice.detectors.descriptor import ThreadedDescriptor
from seentwice.detectors.trunk import PixelDescriptor, TrunkDescriptor, describe_input
from seentwice.errors import UserError
from seentwice.models.nets import SiameseNet, apply_head, embed_views
from seentwice.models.opened_checkpoint import open_checkpoint
from seentwice.photos import PhotoError, decode_photo, read_photo
from seentwice.records import Unreadable

PhotoInput = Path | bytes
"""A file, or what one holds."""

MAX_PIXELS = 10**8
"""What the commands take by default."""
_BLOCK = 64  # photos that are decoded at once: as many looks are in memory
_IN_MEMORY = Path("bytes")  # what a photo without a file is called


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """What a checkpoint says of two photos."""

    score: float | None  # probability in [0, 1] that they show one place; None with a problem
    is_duplicate: bool | None  # whether it reaches the checkpoint's threshold
    problem: str | None  # which photo could not be read and why, in one line


class PhotoScorer:
    """A net, made ready for photos; made by `open_scorer`. Threads may share one."""

    def __init__(
        self,
        net: SiameseNet,
        seen: PixelDescriptor | TrunkDescriptor,
        calibration: Calibration,
        threshold: float,
        max_pixels: int,
        workers: int,
    ) -> None:
        self.threshold = threshold
        self._net = net
        self._seen = seen
        self._calibration = calibration
        self._max_pixels = max_pixels
        self._workers = workers
        # The descriptor keeps its threads from one batch to the next, and torch their number.
        self._alone = Lock()

    def score(
        self,
        pairs: Sequence[tuple[PhotoInput, PhotoInput]],
        on_progress: Progress = lambda done, total: None,
    ) -> list[ScoredPair]:
        """Score pairs in their order; each photo is decoded and passed once, in however many.

        Photos are the same where their paths, or their bytes, are equal. Memory holds the
        embedding of each, a few kilobytes, and a block of decoded ones.

        Args:
            pairs: files, or the bytes of files; the two of a pair in any order, unless the head is
                one that tells left from right (`concat`, `samespace`).
            on_progress: told of the photos that are done.

        Raises:
            UserError: something else than a path or bytes is among them.
        """
        _check_pairs(pairs)
        photos = list(dict.fromkeys(photo for pair in pairs for photo in pair))
        embeddings = []
        places: dict[PhotoInput, int] = {}
        problems: dict[PhotoInput, str] = {}
        with self._alone, ExitStack() as threads:
            if isinstance(self._seen, ThreadedDescriptor):
                threads.enter_context(self._seen)
            readers = threads.enter_context(ThreadPoolExecutor(self._workers))
            for start in range(0, len(photos), _BLOCK):
                block = photos[start : start + _BLOCK]
                looks = []
                for photo, found in zip(block, readers.map(self._look, block), strict=True):
                    if isinstance(found, Unreadable):
                        problems[photo] = f"{found.reason.value} ({found.detail})"
                    else:
                        places[photo] = len(places)
                        looks.append(found)
                if looks:
                    rows = torch.from_numpy(self._seen.finish(np.stack(looks)))
                    embeddings.append(embed_views(self._net, rows, torch.arange(len(rows))))
                on_progress(start + len(block), len(photos))
            scores = self._score_embedded(embeddings, places, pairs)
            return [self._judge(pair, problems, scores) for pair in pairs]

    def _look(self, photo: PhotoInput) -> NDArray[np.uint8] | Unreadable:
        # In full, as every pair is decoded that a checkpoint was measured on.
        try:
            image = (
                decode_photo(photo, _IN_MEMORY, self._max_pixels)
                if isinstance(photo, bytes)
                else read_photo(photo, self._max_pixels)
            )
        except PhotoError as error:
            return error.unreadable
        return self._seen.look(image)

    @torch.inference_mode()
    def _score_embedded(
        self,
        embeddings: Sequence[Tensor],
        places: dict[PhotoInput, int],
        pairs: Sequence[tuple[PhotoInput, PhotoInput]],
    ) -> Iterator[float]:
        """Return the probabilities of those pairs of which both photos could be read."""
        sides = [
            (places[left], places[right])
            for left, right in pairs
            if left in places and right in places
        ]
        if not sides:
            return iter(())
        left, right = torch.tensor(sides).unbind(dim=1)
        logits = apply_head(self._net.head, torch.cat(list(embeddings)), left, right)
        return iter(self._calibration(logits.double().numpy()).tolist())

    def _judge(
        self,
        pair: tuple[PhotoInput, PhotoInput],
        problems: dict[PhotoInput, str],
        scores: Iterator[float],
    ) -> ScoredPair:
        found = [
            f"{side}: {problems[photo]}"
            for side, photo in zip(("left", "right"), pair, strict=True)
            if photo in problems
        ]
        if found:
            return ScoredPair(None, None, "; ".join(found))
        score = next(scores)
        return ScoredPair(score, score >= self.threshold, None)


def open_scorer(
    checkpoint: Path,
    weights: str | None = None,
    max_pixels: int = MAX_PIXELS,
    workers: int | None = None,
) -> PhotoScorer:
    """Load a checkpoint and its trunk.

    Args:
        checkpoint: the file that `seentwice train` wrote, or the folder of the training.
        weights: of a frozen trunk that the checkpoint does not hold: imagenet or a file of the
            whole network; None is what it remembers.
        max_pixels: photos with more are not decoded.
        workers: decoding threads; None is one a core.

    Raises:
        UserError: no such checkpoint, or one that is damaged; another trunk than it was trained
            on; an engine that is not installed.
    """
    opened = open_checkpoint(checkpoint, weights, "weights=")
    record = opened.record
    return PhotoScorer(
        opened.net,
        describe_input(opened.trunk, record.row_type, record.passing),
        Calibration(record.calibration_slope, record.calibration_offset),
        record.threshold,
        max_pixels,
        workers or os.cpu_count() or 1,
    )


def _check_pairs(pairs: Sequence[Any]) -> None:
    """Refuse what is no photo, whatever its annotation says.

    Raises:
        UserError: names the first.
    """
    for number, pair in enumerate(pairs):
        if not (isinstance(pair, tuple | list) and len(pair) == 2):
            raise UserError(f"pairs[{number}]: a {type(pair).__name__}; give (left, right)")
        for photo in pair:
            if isinstance(photo, str):
                raise UserError(f"pairs[{number}]: {photo!r} is no path; give Path({photo!r})")
            if not isinstance(photo, Path | bytes):
                raise UserError(
                    f"pairs[{number}]: a {type(photo).__name__}; give a path, or a file's bytes"
                )

"""Tags and embeddings of photos: each photo is decoded once, and passes the trunk once for both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from seentwice.data.source import Progress
from seentwice.detectors.embedding_rows import Decoding, EmbeddedPhotos, embed_photos
from seentwice.detectors.fastest_engine import open_fastest
from seentwice.files import digest_file
from seentwice.models.tagger_checkpoint import OpenedTagger, open_tagger_checkpoint
from seentwice.records import TagSet, Unreadable

DECODING: Decoding = "reduced"


@dataclass(frozen=True, slots=True, eq=False)
class TaggedPhotos:
    """What is known of a few files that follow each other."""

    kept: NDArray[np.int64]  # (r,) indices into all files: those that gave a photo
    probabilities: NDArray[np.float32]  # (r, t) calibrated; see `TagSet.columns`
    embeddings: NDArray[np.float32]  # (r, e) of length 1
    problems: tuple[Unreadable, ...]  # the other files


class PhotoTagReader:
    """A tagger that reads photos; made by `open_tagger`.

    JPEGs are decoded to little more than the trunk's input, which moves embeddings a little: those
    of one way of decoding alone are to be compared.
    """

    def __init__(self, opened: OpenedTagger, digest: str, max_pixels: int, workers: int) -> None:
        """Make the stages of the trunk ready.

        Args:
            opened: the checkpoint.
            digest: of its file.
            max_pixels: photos with more are listed as problems.
            workers: threads that decode and pass photos.
        """
        record, trunk = opened.record, opened.trunk
        self.tags: TagSet = opened.tagger.tags
        self.embedding_size = record.architecture.embedding_size
        self._tagger = opened.tagger
        self._engine = open_fastest(trunk.stages, trunk.preprocessing, record.passing.precision)
        self._max_pixels = max_pixels
        self._workers = workers
        self.fingerprint = f"{digest}, {DECODING} decoding, {self._engine.name}"

    def read(self, files: Sequence[Path], on_progress: Progress) -> Iterator[TaggedPhotos]:
        """Return what is known of photos in the order of their files, a batch at a time.

        Args:
            files: photos.
            on_progress: told of the files that are done.
        """
        batches = embed_photos(
            files, self._engine, DECODING, self._workers, self._max_pixels, on_progress
        )
        start = 0
        for batch in batches:
            end = start + len(batch.files) + len(batch.unreadable)
            kept = start + _places(files[start:end], batch)
            yield TaggedPhotos(kept, *self._tag(batch.rows), batch.unreadable)
            start = end

    @torch.inference_mode()
    def _tag(
        self, features: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        # In float32 whatever the stages compute in: a whitening takes differences of large values.
        rows = torch.from_numpy(features)
        return self._tagger.probabilities(rows).numpy(), self._tagger.embed(rows).numpy()


def open_tagger(
    checkpoint: Path, weights: str | None, max_pixels: int, workers: int
) -> PhotoTagReader:
    """Load a tagger's checkpoint and its trunk.

    Args:
        checkpoint: the file that `seentwice tagger` wrote, or its folder.
        weights: of a frozen trunk that the checkpoint does not hold: imagenet or a file of the
            whole network; None is what it remembers.
        max_pixels: photos with more are listed as problems.
        workers: threads that decode and pass photos.

    Raises:
        UserError: no such checkpoint, one of another kind, a damaged one, or another trunk than it
            was trained on.
    """
    opened = open_tagger_checkpoint(checkpoint, weights, "--weights ")
    return PhotoTagReader(opened, digest_file(opened.path).hex(), max_pixels, workers)


def _places(files: Sequence[Path], batch: EmbeddedPhotos) -> NDArray[np.int64]:
    """Return where the files that gave a row stand among those of the batch, (r,)."""
    kept: list[int] = []
    for place, file in enumerate(files):
        if len(kept) < len(batch.files) and batch.files[len(kept)] == file:
            kept.append(place)
    return np.array(kept, np.int64)

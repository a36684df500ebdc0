"""Embeds photos with a checkpoint, and scores pairs of embeddings that were kept."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from seentwice.data.source import Progress
from seentwice.detectors.embedding_rows import Decoding, EmbeddedPhotos, embed_photos
from seentwice.detectors.fastest_engine import open_fastest
from seentwice.detectors.opened_net import OpenedNet
from seentwice.errors import UserError
from seentwice.files import digest_file
from seentwice.models.nets import SidedHead
from seentwice.models.opened_checkpoint import OpenedCheckpoint, open_checkpoint

DECODING: Decoding = "reduced"


class PhotoEmbedder:
    """A net that gives every photo one embedding; made by `open_embedder`.

    JPEGs are decoded to little more than the trunk's input, which moves embeddings a little: those
    of one way of decoding alone are to be compared.
    """

    def __init__(
        self, opened: OpenedCheckpoint, digest: str, max_pixels: int, workers: int
    ) -> None:
        """Make the stages of the trunk ready.

        Args:
            opened: the checkpoint.
            digest: of its file.
            max_pixels: photos with more are listed as unreadable.
            workers: threads that decode and pass photos.
        """
        record = opened.record
        self.threshold = record.threshold
        self._opened = OpenedNet(record, opened.trunk, opened.net)
        trunk = opened.trunk
        self._engine = open_fastest(trunk.stages, trunk.preprocessing, record.passing.precision)
        self._max_pixels = max_pixels
        self._workers = workers
        self.fingerprint = f"{digest}, {DECODING} decoding, {self._engine.name}"

    def embed(self, files: Sequence[Path], on_progress: Progress) -> Iterator[EmbeddedPhotos]:
        """Return embeddings (r, e) in the order of their files, a batch at a time.

        Args:
            files: photos.
            on_progress: told of the files that are done.
        """
        batches = embed_photos(
            files, self._engine, DECODING, self._workers, self._max_pixels, on_progress
        )
        for batch in batches:
            yield replace(batch, rows=self._pass_tower(batch.rows))

    def score(
        self, rows: NDArray[np.float32], left: NDArray[np.int64], right: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the probability (n,) of pairs of embeddings, as the checkpoint calibrates it.

        It is that of its own table of pairs, half of which may be duplicates; among the nearest
        strangers of a catalogue it is far too sure.

        Args:
            rows: (v, e) embeddings.
            left: (n,) indices into them.
            right: (n,) likewise.
        """
        return self._opened.score(torch.from_numpy(rows), left, right)

    @torch.inference_mode()
    def _pass_tower(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        # In float32 whatever the stages compute in: a whitening takes differences of large values.
        embeddings: NDArray[np.float32] = self._opened.net.tower(torch.from_numpy(features)).numpy()
        return embeddings


def open_embedder(
    checkpoint: Path, weights: str | None, max_pixels: int, workers: int
) -> PhotoEmbedder:
    """Load a checkpoint and its trunk.

    Args:
        checkpoint: the file that `seentwice train` wrote, or the folder of the training.
        weights: of a frozen trunk that the checkpoint does not hold: imagenet or a file of the
            whole network; None is what it remembers.
        max_pixels: photos with more are listed as unreadable.
        workers: threads that decode and pass photos.

    Raises:
        UserError: no such checkpoint, one that is damaged, one whose sides have towers of their
            own, or another trunk than it was trained on.
    """
    opened = open_checkpoint(checkpoint, weights, "--weights ")
    if isinstance(opened.net.head, SidedHead):
        raise UserError(
            f"{opened.path}: each side of a pair has a tower of its own, so no one space holds all "
            "photos; choose a checkpoint that was trained with tower.shared=true"
        )
    return PhotoEmbedder(opened, digest_file(opened.path).hex(), max_pixels, workers)

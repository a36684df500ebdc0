"""Checkpoints that look at photos for recommendations: a tagger, or a detector without tags."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seentwice.data.source import Progress
from seentwice.detectors.photo_embedder import PhotoEmbedder, open_embedder
from seentwice.detectors.photo_tagging import PhotoTagReader, open_tagger
from seentwice.errors import UserError
from seentwice.recommend.photo_reader import KINDS, PhotoReader, ReaderChoice, SeenPhotos
from seentwice.recommend.tags import NO_TAGS
from seentwice.records import TagSet


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingReader:
    """Gives the embeddings of a trained detector, and no tags."""

    embedder: PhotoEmbedder
    tags: TagSet = NO_TAGS

    @property
    def fingerprint(self) -> str:
        """The embedder's: deduplication keeps the same embeddings under it."""
        return self.embedder.fingerprint

    def read(self, files: Sequence[Path], on_progress: Progress) -> Iterator[SeenPhotos]:
        """Yield the embeddings of files, in their order."""
        for batch in self.embedder.embed(files, on_progress):
            yield SeenPhotos(batch.files, batch.rows, batch.unreadable)


@dataclass(frozen=True, slots=True, eq=False)
class TaggingReader:
    """Gives the tags and the embeddings of a tagger."""

    tagger: PhotoTagReader

    @property
    def fingerprint(self) -> str:
        """The tagger's."""
        return self.tagger.fingerprint

    @property
    def tags(self) -> TagSet:
        """The tagger's."""
        return self.tagger.tags

    def read(self, files: Sequence[Path], on_progress: Progress) -> Iterator[SeenPhotos]:
        """Yield probabilities and embeddings of files, in their order."""
        for batch in self.tagger.read(files, on_progress):
            values = np.concatenate([batch.probabilities, batch.embeddings], axis=1)
            kept = tuple(files[number] for number in batch.kept.tolist())
            yield SeenPhotos(kept, values, batch.problems)


def open_reader(choice: ReaderChoice, workers: int) -> PhotoReader:
    """Load a checkpoint and its trunk.

    Args:
        choice: what to open.
        workers: threads that decode and pass photos.

    Raises:
        UserError: no such checkpoint, one of another kind, or another trunk than it was trained on.
    """
    checkpoint = Path(choice.checkpoint)
    if choice.kind == "tagger":
        tagger = open_tagger(checkpoint, choice.weights, choice.max_pixels, workers)
        return TaggingReader(tagger)
    if choice.kind == "detector":
        return EmbeddingReader(
            open_embedder(checkpoint, choice.weights, choice.max_pixels, workers)
        )
    raise UserError(f"{choice.kind!r}: choose one of {', '.join(KINDS)}")

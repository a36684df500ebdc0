"""What looks at photos for recommendations: tags and an embedding of each, in one pass."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seentwice.data.source import Progress
from seentwice.records import TagSet, Unreadable

KINDS = ("tagger", "detector")
"""What gives tags and embeddings, and what gives embeddings alone."""


@dataclass(frozen=True, slots=True)
class ReaderChoice:
    """What photos are looked at with: a new one is looked at in the way of those of the index."""

    kind: str  # of `KINDS`
    checkpoint: str
    weights: str | None  # of a trunk that the checkpoint does not hold
    max_pixels: int


@dataclass(frozen=True, slots=True, eq=False)
class SeenPhotos:
    """What was seen of a few files that follow each other."""

    files: tuple[Path, ...]  # r that gave a photo
    values: NDArray[np.float32]  # (r, t + e) probabilities of labels, then the embedding
    unreadable: tuple[Unreadable, ...]  # the other files


class PhotoReader(Protocol):
    """Decodes photos and passes each through its trunk once."""

    @property
    def fingerprint(self) -> str:
        """What tells its values from those of others."""
        ...

    @property
    def tags(self) -> TagSet:
        """The t labels; none of a reader that gives embeddings alone."""
        ...

    def read(self, files: Sequence[Path], on_progress: Progress) -> Iterator[SeenPhotos]:
        """Yield what is seen of files, in their order."""
        ...

"""What deduplication finds: matches with their evidence, groups of them, photos without one."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from seentwice.records import Unreadable


class Evidence(StrEnum):
    """Why two photos were taken for the same one, the surest first."""

    SAME_BYTES = "same bytes"
    SAME_PIXELS = "same pixels"  # other bytes: metadata, another format, another compression of PNG
    NEAR_HASHES = "near hashes"
    NEAR_ONCE_TURNED = "near hashes once turned"  # mirrored, or turned by quarters
    NEAR_EMBEDDINGS = "near embeddings"


@dataclass(frozen=True, slots=True)
class Match:
    """Two photos that were taken for the same one."""

    left: str  # key of a photo; the one that is kept, where the match tells why another is not
    right: str
    score: float  # probability in [0, 1] that one is a copy of the other
    evidence: tuple[Evidence, ...]  # what brought them together, the surest first; never empty
    hash_bits: int | None = None  # the least Hamming distance of their perceptual hashes, 0 to 64
    similarity: float | None = None  # cosine of their embeddings
    edit: str = ""  # what makes `right` of `left`, in words, where their keypoints told it


@dataclass(frozen=True, slots=True)
class FoundPhoto:
    """A photo in a group."""

    key: str  # its path below the root with forward slashes
    path: Path
    width: int  # px, upright
    height: int  # px, upright
    size_bytes: int
    modified_seconds: float  # since 1970
    sha256: str  # of the file, in hexadecimal
    product: str | None = None  # of a catalogue
    seller: str | None = None  # of that product


@dataclass(frozen=True, slots=True)
class Group:
    """Photos found to be duplicates of each other, two or more."""

    photos: tuple[FoundPhoto, ...]  # the one to keep first, then by key
    matches: tuple[Match, ...]  # among them, the surest first; of each photo but the first, one


@dataclass(frozen=True, slots=True)
class SameFile:
    """A name of a file that is searched under another one: a link, no duplicate."""

    key: str
    same_as: str  # key of the name that is searched


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of the near photos were compared: all, where nothing else is said."""

    # Of photos' nearest by embedding, measured on a sample; None: each was compared with all.
    neighbour_recall: float | None = None
    # Pictures that share a hash with very many unlike ones, and were compared with those nearest
    # by their tones alone; each counts once a hash.
    nearest_only: int = 0

    def join(self, other: "Coverage") -> "Coverage":
        """Return that of two parts of a search together."""
        recalls = [
            part.neighbour_recall for part in (self, other) if part.neighbour_recall is not None
        ]
        return Coverage(min(recalls, default=None), self.nearest_only + other.nearest_only)


WHOLE = Coverage()
"""All were compared."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What came of one search."""

    root: Path
    groups: tuple[Group, ...]  # the largest first, then by the key of the photo to keep
    links: tuple[Match, ...]  # matches between photos of different groups, or of none
    searched: int  # photos
    without_content: int  # of these: blank or two-tone, so only the same bytes or pixels matched
    unreadable: tuple[Unreadable, ...]
    same_files: tuple[SameFile, ...] = ()
    coverage: Coverage = WHOLE
    # Of a catalogue, whose photos are in groups; None without one. With a catalogue no photo could
    # go: products may share it, or none have it.
    products: int | None = None

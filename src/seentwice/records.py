"""The small frozen records that every part of seentwice exchanges."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Reason(StrEnum):
    """Why a file gave no photo."""

    MISSING = "missing"  # no such file, or a broken link
    NOT_A_FILE = "not a regular file"  # a folder, FIFO, socket or device
    NO_PERMISSION = "no permission"
    EMPTY = "empty"
    NOT_AN_IMAGE = "not an image"
    UNDECODED = "format that is not read"  # a photo, but HEIC, raw, ...
    MISNAMED = "not named as a photo"  # a photo by its first bytes
    TRUNCATED = "truncated"
    TOO_LARGE = "too many pixels"  # a decompression bomb
    DAMAGED = "damaged"  # recognised, but its decoder failed
    CHANGED = "changed while it was read"
    REFUSED_ADDRESS = "refused address"  # a URL that leads to no public web server
    NOT_SERVED = "not served"  # the web server answered without a photo
    UNREACHABLE = "unreachable"  # no answer from the web server, or none in time
    TOO_MANY_BYTES = "too many bytes"  # more than is read from the web


WEB_REASONS = (
    Reason.REFUSED_ADDRESS,
    Reason.NOT_SERVED,
    Reason.UNREACHABLE,
    Reason.TOO_MANY_BYTES,
)


class Kind(StrEnum):
    """How a pair came into its table; metrics are reported for each."""

    EDITED = "edited"  # positive: one photo, at least one side edited
    SAME_PLACE = "same_place"  # positive: the same place in another photo
    EXACT_COPY = "exact_copy"  # positive: another file with the same pixels
    UNIFORM = "uniform"  # negative, all equally likely
    HASH_WEIGHTED = "hash_weighted"  # negative, the likelier the nearer the perceptual hashes
    SAME_PROPERTY = "same_property"  # negative from one home
    SAME_ROOM_TYPE = "same_room_type"  # negative of one room type
    HARD = "hard"  # negative that a trained model takes for near


POSITIVE_KINDS = (Kind.EDITED, Kind.SAME_PLACE, Kind.EXACT_COPY)


@dataclass(frozen=True, slots=True)
class Photo:
    """One image file and what is known about it without opening it."""

    path: Path
    key: str  # path below the data root with forward slashes: the photo's name in every table
    place: str  # equal for photos of one room or house front
    property: str | None = None  # the home that the place is a part of, where known
    room_type: str | None = None
    zone: str | None = None  # two photos of one zone may see each other's room: never a negative
    split: str | None = None  # "train" or "test" where the data set itself says so
    city: str | None = None
    tags: tuple[tuple[str, str], ...] = ()  # name and value, such as ("storeys", "two")


@dataclass(frozen=True, slots=True)
class View:
    """A photo as a detector sees it: the file after an edit."""

    photo: Photo
    edit: str = ""  # text form of the edit, such as "rotate:7"; "" is the photo as it is


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that gave no photo, and why."""

    path: Path
    reason: Reason
    detail: str  # the decoder's own words, one line
    url: str | None = None  # where the file was to come from, if from the web

    @property
    def name(self) -> str:
        """By what a user knows it: the URL of a file from the web, the path of any other."""
        return self.url or str(self.path)


@dataclass(frozen=True, slots=True)
class Interval:
    """A measured value and its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class TagHead:
    """What a photo is asked, such as how many storeys it shows, and the possible answers."""

    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TagSet:
    """The heads of a tagger; their labels stand side by side in one row of probabilities."""

    heads: tuple[TagHead, ...]

    @property
    def columns(self) -> tuple[slice, ...]:
        """Where the labels of each head stand in a row."""
        ends = [sum(len(head.labels) for head in self.heads[: n + 1]) for n in range(len(self))]
        return tuple(map(slice, [0, *ends[:-1]], ends))

    @property
    def width(self) -> int:
        """How many labels all heads have together."""
        return sum(len(head.labels) for head in self.heads)

    def __len__(self) -> int:
        return len(self.heads)


@dataclass(frozen=True, slots=True)
class Listing:
    """What is advertised once, a home or a product: photos, text and attributes."""

    key: str  # its name in its data set
    title: str = ""
    description: str = ""
    category: str | None = None
    price: float | None = None  # in the data set's own currency
    attributes: tuple[tuple[str, str], ...] = ()  # name and value, in the data set's order
    location: str | None = None
    metro: str | None = None  # the underground station next to it
    latitude: float | None = None  # degrees, -90 to 90
    longitude: float | None = None  # degrees, -180 to 180
    photos: tuple[str, ...] = ()  # paths below the data set's photo root, URLs or photo ids
    family: str | None = None  # variants of one product: like each other, but no duplicates
    seller: str | None = None


@dataclass(frozen=True, slots=True)
class ListingPair:
    """Two listings by key, and whether they are the same thing."""

    left: str
    right: str
    is_duplicate: bool | None  # None where the data set does not tell
    split: str | None = None  # "train", "validation" or "test" where the data set itself says so
    source: str | None = None  # how the pair was found and labelled, in the data set's own words

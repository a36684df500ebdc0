"""Photos that look the same where they should not: in two splits, or labelled as two places.

Splits keep a home on one side by its name. A photo that was listed under two names shows itself by
its bytes, its pixels or its perceptual hash. In two splits it leaks: what a detector learns from
it, it is then tested on. Under the names of two places it is suspect, in one split or in two: it
may become a negative pair, which teaches a wrong label and caps every measured precision.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from seentwice.data.parts import Parts
from seentwice.data.sampling.items import codes_of, codes_of_known
from seentwice.data.sampling.pair_space import PairSpace
from seentwice.data.source import Progress
from seentwice.hamming import find_near_items
from seentwice.records import Photo

# Of the Houses-dataset's 1.3 million pairs of photos, "perception" finds the 23 that are known
# duplicates and no other; the nearest other pair is 12 bits apart. "difference" finds the same
# with less room (9 bits), "average" 5 others and "wavelet" 23 others.
HASH = "perception"
MOST_BITS = 2
# A thousand blank photos make half a million pairs: all are counted, the strongest are listed.
MOST_LISTED = 1000


class Likeness(StrEnum):
    """What two photos share, the surest first."""

    SAME_BYTES = "same bytes"
    SAME_PIXELS = "same pixels"
    NEAR_HASH = "near hash"


LIKENESSES: tuple[Likeness, ...] = tuple(Likeness)


@dataclass(frozen=True, slots=True)
class Lookalike:
    """Two photos that are one photo, or nearly."""

    left: str  # key of the photo that comes first in the data set
    right: str
    left_place: str
    right_place: str
    left_split: str
    right_split: str
    how: Likeness
    bits: int  # distance of their perceptual hashes


COLUMNS = tuple(field.name for field in fields(Lookalike))


@dataclass(frozen=True, slots=True)
class Lookalikes:
    """All of one sort counted, the surest of them listed."""

    counts: Mapping[Likeness, int]  # of every likeness, also where there is none
    listed: tuple[Lookalike, ...]  # surest first, at most `MOST_LISTED`

    @property
    def total(self) -> int:
        """How many there are, listed or not."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class FoundLookalikes:
    """What one pass over the photos finds; a pair may be both."""

    leaks: Lookalikes  # in two parts of the data
    suspects: Lookalikes  # labelled as two places, anywhere


def find_lookalikes(
    photos: Sequence[Photo],
    parts: Parts,
    file_digests: Sequence[bytes],
    pixel_digests: Sequence[bytes],
    hashes: NDArray[np.uint64],
    readable: NDArray[np.bool_],
    threads: int,
    on_progress: Progress,
    most_listed: int = MOST_LISTED,
) -> FoundLookalikes:
    """Find every pair of photos with hashes at most `MOST_BITS` apart that should look otherwise.

    Suspects are what the labels alone let be a negative pair: two places, no zone in common. Two
    photos of one home are no exception, since its rooms are negatives of each other, and one photo
    under two rooms is as wrong there. With `sampling=mixed` pairs of the same pixels are never
    drawn as negatives, but the other photos of the two places are.

    A pair counts once, under the surest of its reasons: equal bytes give equal pixels, and those
    equal hashes, so the near pairs hold all three kinds. Time follows the photos and the near
    pairs; memory the photos, the near pairs of different hashes and `most_listed`.

    Args:
        photos: n of them.
        parts: of the n photos.
        file_digests: (n,) of each file's bytes.
        pixel_digests: (n,) of each upright photo's size and pixels.
        hashes: (n,) "perception" of each photo.
        readable: (n,) photos without pixels look like nothing.
        threads: how many compare hashes; what is found does not depend on it.
        on_progress: told of near pairs that were looked at.
        most_listed: how many leaks to list, and how many suspects.
    """
    chosen = np.flatnonzero(readable & (parts.number >= 0))
    seen = [photos[index] for index in chosen.tolist()]
    part = parts.number[chosen]
    same_file = _codes_of_digests(file_digests)[chosen]
    same_pixels = _codes_of_digests(pixel_digests)[chosen]
    anywhere = np.zeros(len(chosen), np.int64)
    across_parts = PairSpace(anywhere, (part,))
    across_places = PairSpace(
        anywhere,
        (
            codes_of([photo.place for photo in seen]),
            codes_of_known([photo.zone for photo in seen]),
        ),
    )
    leaks, suspects = (_Surest(len(chosen), most_listed) for _ in range(2))
    found = find_near_items(hashes[chosen], MOST_BITS, threads)
    done = 0
    for near in found.blocks:
        how = np.where(
            same_file[near.low] == same_file[near.high],
            LIKENESSES.index(Likeness.SAME_BYTES),
            np.where(
                same_pixels[near.low] == same_pixels[near.high],
                LIKENESSES.index(Likeness.SAME_PIXELS),
                LIKENESSES.index(Likeness.NEAR_HASH),
            ),
        )
        for surest, space in ((leaks, across_parts), (suspects, across_places)):
            held = space.holds(near.low, near.high)
            surest.add(how[held], near.bits[held], near.low[held], near.high[held])
        done += len(near.bits)
        on_progress(done, found.total)
    names = [parts.names[number] for number in part.tolist()]
    return FoundLookalikes(leaks.name(seen, names), suspects.name(seen, names))


class _Surest:
    """Counts pairs of n photos that arrive block by block, and keeps the surest of them."""

    def __init__(self, photos: int, most_listed: int) -> None:
        # A pair as one number, the surest the smallest, so that listing some takes no sort of all.
        self._shape = (len(LIKENESSES), MOST_BITS + 1, photos, photos)
        self._most_listed = most_listed
        self._counts = np.zeros(len(LIKENESSES), np.int64)
        self._ranks = np.empty(0, np.int64)

    def add(
        self,
        how: NDArray[np.int64],
        bits: NDArray[np.uint8],
        low: NDArray[np.int64],
        high: NDArray[np.int64],
    ) -> None:
        """Take k more pairs: indices into `LIKENESSES`, bits, and indices of both photos."""
        self._counts += np.bincount(how, minlength=len(LIKENESSES))
        ranks = np.ravel_multi_index((how, bits, low, high), self._shape)
        ranks = np.concatenate([self._ranks, ranks])
        if len(ranks) > self._most_listed:
            ranks = np.partition(ranks, self._most_listed)[: self._most_listed]
        self._ranks = ranks

    def name(self, photos: Sequence[Photo], parts: Sequence[str]) -> Lookalikes:
        """Return the counts, and the surest pairs by the names of the n photos and their parts."""
        surest = np.transpose(np.unravel_index(np.sort(self._ranks), self._shape)).tolist()
        return Lookalikes(
            dict(zip(LIKENESSES, self._counts.tolist(), strict=True)),
            tuple(
                Lookalike(
                    photos[low].key,
                    photos[high].key,
                    photos[low].place,
                    photos[high].place,
                    parts[low],
                    parts[high],
                    LIKENESSES[how],
                    bits,
                )
                for how, bits, low, high in surest
            ),
        )


def lookalikes_to_csv(found: Lookalikes) -> str:
    """Return what is listed as a table with the columns `COLUMNS`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for pair in found.listed:
        writer.writerow([getattr(pair, column) for column in COLUMNS])
    return text.getvalue()


def describe_leaks(leaks: Lookalikes) -> str:
    """Say how many photos are in two splits, and how that was seen: "3 pairs (2 ...)"."""
    return _describe(leaks, "of photos across splits")


def describe_suspects(suspects: Lookalikes) -> str:
    """Say how many photos of two places look the same, and how that was seen."""
    return _describe(suspects, "of photos that look the same, labelled as two places")


def _describe(found: Lookalikes, what: str) -> str:
    counts = ", ".join(f"{count:,} {how.value}" for how, count in found.counts.items() if count)
    pairs = "1 pair" if found.total == 1 else f"{found.total:,} pairs"
    return f"{pairs} {what} ({counts})" if counts else "none"


def _codes_of_digests(digests: Sequence[bytes]) -> NDArray[np.int64]:
    """Number equal digests alike: (n,)."""
    return np.unique(np.array(digests, dtype=object), return_inverse=True)[1]

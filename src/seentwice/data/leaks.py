"""The same photo in two splits: what a detector learns from it, it is then tested on.

Splits keep a home on one side by its name. A photo that was listed under two names leaks, and
shows itself by its bytes, its pixels or its perceptual hash.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from seentwice.data.source import Progress
from seentwice.data.splits import Split
from seentwice.hamming import count_blocks, iterate_near_pairs

# Of the Houses-dataset's 1.3 million pairs of photos, "perception" finds the 23 that are known
# duplicates and no other; the nearest other pair is 12 bits apart. "difference" finds the same
# with less room (9 bits), "average" 5 others and "wavelet" 23 others.
HASH = "perception"
MOST_BITS = 2
# A thousand blank photos make half a million leaks: all are counted, the strongest are listed.
MOST_LISTED = 1000


class LeakKind(StrEnum):
    """What two photos share, the surest first."""

    SAME_BYTES = "same bytes"
    SAME_PIXELS = "same pixels"
    NEAR_HASH = "near hash"


KINDS: tuple[LeakKind, ...] = tuple(LeakKind)


@dataclass(frozen=True, slots=True)
class Parts:
    """Which part of the data each of n photos is in; whatever links two parts leaks."""

    names: tuple[str, ...]
    number: NDArray[np.int64]  # (n,) index into names; -1 for a photo in no part

    def members(self) -> list[tuple[str, NDArray[np.int64]]]:
        """Return each part's name and the indices of its photos."""
        return [(name, np.flatnonzero(self.number == part)) for part, name in enumerate(self.names)]


@dataclass(frozen=True, slots=True)
class Leak:
    """Two photos in different parts that are one photo, or nearly."""

    left: str  # key of the photo that comes first in the data set
    right: str
    left_split: str
    right_split: str
    how: LeakKind
    bits: int  # distance of their perceptual hashes


COLUMNS = tuple(field.name for field in fields(Leak))


@dataclass(frozen=True, slots=True)
class Leaks:
    """All leaks counted, the surest of them listed."""

    counts: Mapping[LeakKind, int]  # of every kind, also where there is none
    listed: tuple[Leak, ...]  # surest first, at most `MOST_LISTED`

    @property
    def total(self) -> int:
        """How many there are, listed or not."""
        return sum(self.counts.values())


def parts_of(splits: Sequence[Split], photos: int) -> Parts:
    """Name the part of each photo: its split, or of several folds the one that tests it.

    Two folds' parts are on different sides in at least one of the folds, so what leaks between
    any two parts leaks in a fold.

    Args:
        splits: one, or one a fold.
        photos: how many there are.
    """
    number = np.full(photos, -1)
    if len(splits) > 1:
        for fold, split in enumerate(splits):
            number[split.test] = fold
        return Parts(tuple(f"fold {fold + 1}" for fold in range(len(splits))), number)
    for part, indices in enumerate((splits[0].train, splits[0].validation, splits[0].test)):
        number[indices] = part
    return Parts(("train", "validation", "test"), number)


def find_leaks(
    keys: Sequence[str],
    parts: Parts,
    file_digests: Sequence[bytes],
    pixel_digests: Sequence[bytes],
    hashes: NDArray[np.uint64],
    readable: NDArray[np.bool_],
    threads: int,
    on_progress: Progress,
    most_listed: int = MOST_LISTED,
) -> Leaks:
    """Find every pair of photos in two parts with hashes at most `MOST_BITS` apart.

    A pair counts once, under the surest of its reasons: equal bytes give equal pixels, and those
    equal hashes, so the near pairs hold all three kinds. All pairs are looked at, some 3 billion
    a second on two cores; memory follows the photos and `most_listed`.

    Args:
        keys: (n,) the photos' names.
        parts: of the n photos.
        file_digests: (n,) of each file's bytes.
        pixel_digests: (n,) of each upright photo's size and pixels.
        hashes: (n,) "perception" of each photo.
        readable: (n,) photos without pixels leak nothing.
        threads: how many compare hashes; the leaks do not depend on it.
        on_progress: told of every block of pairs.
        most_listed: how many leaks to list.
    """
    chosen = np.flatnonzero(readable & (parts.number >= 0))
    part = parts.number[chosen]
    same_file = _codes_of(file_digests)[chosen]
    same_pixels = _codes_of(pixel_digests)[chosen]
    counts = np.zeros(len(KINDS), np.int64)
    # A leak as one number, the surest the smallest, so that listing some takes no sort of all.
    shape = (len(KINDS), MOST_BITS + 1, len(chosen), len(chosen))
    ranks = np.empty(0, np.int64)
    blocks = count_blocks(len(chosen))
    for done, near in enumerate(iterate_near_pairs(hashes[chosen], MOST_BITS, threads), 1):
        crosses = part[near.low] != part[near.high]
        low, high = near.low[crosses], near.high[crosses]
        how = np.where(
            same_file[low] == same_file[high],
            KINDS.index(LeakKind.SAME_BYTES),
            np.where(
                same_pixels[low] == same_pixels[high],
                KINDS.index(LeakKind.SAME_PIXELS),
                KINDS.index(LeakKind.NEAR_HASH),
            ),
        )
        counts += np.bincount(how, minlength=len(KINDS))
        found = np.ravel_multi_index((how, near.bits[crosses], low, high), shape)
        ranks = np.concatenate([ranks, found])
        if len(ranks) > most_listed:
            ranks = np.partition(ranks, most_listed)[:most_listed]
        on_progress(done, blocks)
    surest = np.transpose(np.unravel_index(np.sort(ranks), shape)).tolist()
    return Leaks(
        dict(zip(KINDS, counts.tolist(), strict=True)),
        tuple(
            Leak(
                keys[chosen[low]],
                keys[chosen[high]],
                parts.names[part[low]],
                parts.names[part[high]],
                KINDS[how],
                bits,
            )
            for how, bits, low, high in surest
        ),
    )


def leaks_to_csv(leaks: Leaks) -> str:
    """Return the listed leaks as a table with the columns `COLUMNS`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for leak in leaks.listed:
        writer.writerow([getattr(leak, column) for column in COLUMNS])
    return text.getvalue()


def describe_leaks(leaks: Leaks) -> str:
    """Say how many photos are in two splits, and how that was seen: "3 pairs (2 ...)"."""
    counts = ", ".join(f"{count:,} {how.value}" for how, count in leaks.counts.items() if count)
    pairs = "1 pair" if leaks.total == 1 else f"{leaks.total:,} pairs"
    return f"{pairs} of photos across splits ({counts})" if counts else "none"


def _codes_of(digests: Sequence[bytes]) -> NDArray[np.int64]:
    """Number equal digests alike: (n,)."""
    return np.unique(np.array(digests, dtype=object), return_inverse=True)[1]

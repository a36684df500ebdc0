"""Ask an index about one photo that is not in it: which of its photos is this one a copy of?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seentwice.block_hashing import BlockLook
from seentwice.dedupe.findings import Evidence, Match
from seentwice.dedupe.looking import Decoding
from seentwice.dedupe.pictures import Indices, PhotoTable
from seentwice.dedupe.query_views import QueryViews, look_at_query
from seentwice.dedupe.same_pixels import digest_pixels
from seentwice.dedupe.verify import open_hash_verifier
from seentwice.errors import UserError
from seentwice.hamming import MOST_BITS, find_near_queries
from seentwice.index.columns import READ, encode_text, make_texts, name_hash
from seentwice.index.photo_row import PhotoRow
from seentwice.index.store import PhotoStore

MOST_VERIFIED = 1_000
"""Photos nearest by their hashes that are verified, however many are near."""


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """What is taken for a copy."""

    hash_bits: int  # the widest distance by a hash, 0 to 12
    least_score: float  # of a match, in [0, 1]
    is_turned: bool  # whether a mirrored or turned photo is a copy
    max_pixels: int
    threads: int

    def __post_init__(self) -> None:
        """Refuse numbers out of their ranges."""
        if not 0 <= self.hash_bits <= MOST_BITS:
            raise UserError(f"hash_bits={self.hash_bits}: choose 0 to {MOST_BITS}")
        if not 0 <= self.least_score <= 1:
            raise UserError(f"least_score={self.least_score}: give a number from 0 to 1")
        for name, number in (("max_pixels", self.max_pixels), ("threads", self.threads)):
            if number < 1:
                raise UserError(f"{name}={number}: give a whole number from 1 on")


@dataclass(frozen=True, slots=True, eq=False)
class _Hashes:
    """What is scanned of an index."""

    generation: int
    places: NDArray[np.int64]  # (n,) of photos with content
    columns: tuple[NDArray[np.uint64], ...]  # (n,) a hash each
    blank_places: NDArray[np.int64]  # of the others, by which the same bytes alone are found
    blank_hashes: NDArray[np.uint64]  # (b, h)
    all_places: NDArray[np.int64]  # (m,) of all photos
    starts: NDArray[np.uint64]  # (m,) the first 64 bits of their sha256


class PhotoChecker:
    """An index that is asked again and again: its hashes stay in memory, 8 bytes a hash."""

    def __init__(self, store: PhotoStore, settings: CheckSettings) -> None:
        """Take an open index.

        Args:
            store: open to be read; it stays the caller's to close.
            settings: what is taken for a copy.
        """
        self.store = store
        self.settings = settings
        self.root = Path(store.meta.root)
        self.decoding: Decoding = "full" if store.meta.decoding == "full" else "blocks"
        self._hashes: _Hashes | None = None

    def check(self, photo: Path) -> list[Match]:
        """Return the photos of the index that a file is a copy of, the surest first.

        The left of each match is the key of a photo of the index, the right the file's path. The
        file itself is among them where it lies in the folder of the index.

        Raises:
            PhotoError: the file gives no photo; see `Reason`.
            UserError: the index is damaged, closed, or holds no photo; or the file is no `Path`.
        """
        given: object = photo  # whatever its annotation says
        if not isinstance(given, Path):
            raise UserError(f"photo={given!r}: give Path({str(given)!r})")
        settings = self.settings
        seen = look_at_query(photo, self.decoding, settings.max_pixels, settings.is_turned)
        with self.store.snapshot():
            hashes = self._read_hashes()
            if not len(hashes.all_places):
                raise UserError(f"the index of {str(self.root)!r} holds no photo; dedupe it again")
            start = np.frombuffer(seen.sha256[:8], np.uint64)
            same = hashes.all_places[hashes.starts == start]
            places = np.union1d(same, self._find_near(hashes, seen))
            rows = self.store.read_rows(places)
        return list(self._verify(photo, seen, rows))

    def _read_hashes(self) -> _Hashes:
        """Return the hashes of the index, read anew where it has changed."""
        if self._hashes is None or self._hashes.generation != self.store.generation():
            names = [name_hash(name) for name in self.store.meta.hash_names]
            found = self.store.scan((*names, READ, "has_content", "sha256"))
            read = np.flatnonzero(found[READ])
            shown = np.flatnonzero(found[READ] & found["has_content"])
            blank = np.flatnonzero(found[READ] & ~found["has_content"])
            self._hashes = _Hashes(
                found.generation,
                found.places[shown],
                tuple(np.ascontiguousarray(found[name][shown]) for name in names),
                found.places[blank],
                np.stack([found[name][blank] for name in names], axis=1),
                found.places[read],
                np.ascontiguousarray(found["sha256"][read, :8]).view(np.uint64)[:, 0],
            )
        return self._hashes

    def _find_near(self, hashes: _Hashes, seen: QueryViews) -> Indices:
        """Return the places of the photos nearest by a hash, `MOST_VERIFIED` at most."""
        if not seen.look.has_content:
            same = (hashes.blank_hashes == seen.hashes[0]).all(axis=1)
            blank: Indices = hashes.blank_places[same][:MOST_VERIFIED]
            return blank
        settings = self.settings
        least: dict[int, int] = {}
        for number, column in enumerate(hashes.columns):
            queries = np.unique(seen.hashes[:, number])
            for near in find_near_queries(column, queries, settings.hash_bits, settings.threads):
                for position, bits in zip(near.position.tolist(), near.bits.tolist(), strict=True):
                    least[position] = min(bits, least.get(position, bits))
        nearest = sorted(least, key=lambda position: (least[position], position))
        shown: Indices = hashes.places[np.array(nearest[:MOST_VERIFIED], np.int64)]
        return shown

    def _verify(self, photo: Path, seen: QueryViews, rows: list[PhotoRow]) -> Iterator[Match]:
        """Yield the rows that match, by the score that they have with the photo in its table."""
        if not rows:
            return
        table = _make_table(seen, rows)
        verifier = open_hash_verifier(table, self.settings.is_turned)
        others = np.arange(1, len(table))
        explained = verifier.explain(np.zeros_like(others), others)
        # Decoded in full at most once, however many rows have its size and hashes.
        own = cache(lambda: digest_pixels(photo, seen.sha256, self.settings.max_pixels))
        matches = []
        for number, row in enumerate(rows):
            evidence = self._find_evidence(own, seen, row, bool(explained.is_turned[number]))
            is_same = evidence in (Evidence.SAME_BYTES, Evidence.SAME_PIXELS)
            score = 1.0 if is_same else float(explained.scores[number])
            if score >= self.settings.least_score:
                bits = int(explained.hash_bits[number]) if row.has_content else None
                matches.append(Match(row.key, str(photo), score, (evidence,), bits))
        yield from sorted(matches, key=lambda match: (-match.score, match.left))

    def _find_evidence(
        self, own: Callable[[], bytes], seen: QueryViews, row: PhotoRow, is_turned: bool
    ) -> Evidence:
        if row.sha256 == seen.sha256:
            return Evidence.SAME_BYTES
        if (row.width, row.height, row.hashes) == (seen.width, seen.height, seen.look.hashes):
            other = digest_pixels(self.root / row.key, row.sha256, self.settings.max_pixels)
            if any(other) and other == own():
                return Evidence.SAME_PIXELS
        return Evidence.NEAR_ONCE_TURNED if is_turned else Evidence.NEAR_HASHES


def _make_table(seen: QueryViews, rows: list[PhotoRow]) -> PhotoTable:
    """Return a table of a photo, then of the rows."""
    looks: list[BlockLook | PhotoRow] = [seen.look, *rows]
    sized: list[QueryViews | PhotoRow] = [seen, *rows]
    return PhotoTable(
        keys=make_texts([b"", *(encode_text(row.key) for row in rows)]),
        size_bytes=np.zeros(len(looks), np.int64),
        modified_ns=np.zeros(len(looks), np.int64),
        sha256=np.zeros((len(looks), 32), np.uint8),
        width=np.array([each.width for each in sized], np.uint32),
        height=np.array([each.height for each in sized], np.uint32),
        hashes=np.array([look.hashes for look in looks], np.uint64),
        signature=np.stack([np.frombuffer(look.signature, np.uint8) for look in looks]),
        has_content=np.array([look.has_content for look in looks]),
        is_own=np.zeros(len(looks), bool),
    )

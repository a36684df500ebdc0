"""The table of photos as a service writes it, and what it needs of it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seentwice.dedupe.looking import Decoding, Looking
from seentwice.index.database import FILE
from seentwice.index.photo_row import PhotoRow
from seentwice.index.store import PhotoStore


class PhotoWriter(Protocol):
    """Keeps what was seen of new photos, all on the disk when it returns."""

    def begin(self) -> Looking:
        """Return how the files of the folder are looked at, as the table there says now.

        Raises:
            UserError: it is gone, or cannot be written.
        """
        ...

    def write(
        self, rows: Sequence[PhotoRow], fingerprint: str, values: NDArray[np.float32]
    ) -> None:
        """Add photos and what was seen of them.

        Args:
            rows: n photos of different bytes.
            fingerprint: of the reader.
            values: (n, t + e).
        """
        ...


class StoreWriter:
    """Writes the table of photos, in the one thread that it is open in.

    A table that took the place of this one is opened instead by `begin`.
    """

    def __init__(self, folder: Path, max_pixels: int) -> None:
        """Open the table.

        Args:
            folder: of the index.
            max_pixels: of a photo.

        Raises:
            UserError: it cannot be written.
        """
        self._folder = folder
        self._max_pixels = max_pixels
        self._thread = ThreadPoolExecutor(1, "write")
        self._mark = mark_table(folder)
        self._looking, self._store = self._thread.submit(self._open).result()

    def begin(self) -> Looking:
        """Return how files are looked at; see `PhotoWriter`."""
        return self._thread.submit(self._begin).result()

    def write(
        self, rows: Sequence[PhotoRow], fingerprint: str, values: NDArray[np.float32]
    ) -> None:
        """Add photos and what was seen of them; see `PhotoWriter`."""
        self._thread.submit(self._write, rows, fingerprint, values).result()

    def close(self) -> None:
        """Finish what runs."""
        self._thread.submit(self._store.close)
        self._thread.shutdown()

    def _open(self) -> tuple[Looking, PhotoStore]:
        with PhotoStore.open_to_read(self._folder, _wait) as store:
            decoding: Decoding = "full" if store.meta.decoding == "full" else "blocks"
            looking = Looking(Path(store.meta.root), decoding, self._max_pixels)
        return looking, PhotoStore.open(self._folder, looking.meta, _wait)

    def _begin(self) -> Looking:
        mark = mark_table(self._folder)
        if mark != self._mark:
            before = self._store
            self._looking, self._store = self._open()
            before.close()
            self._mark = mark
        return self._looking

    def _write(
        self, rows: Sequence[PhotoRow], fingerprint: str, values: NDArray[np.float32]
    ) -> None:
        self._store.write(rows)
        digests = np.frombuffer(b"".join(row.sha256 for row in rows), np.uint8).reshape(-1, 32)
        self._store.write_embeddings(fingerprint, digests, values.astype(np.float16))


def mark_table(folder: Path) -> tuple[int, int] | None:
    """Return what tells the table of a folder from another in its place; None where it is gone.

    As long as a table is open, no other has its numbers.
    """
    try:
        status = (folder / FILE).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _wait() -> None:
    """Wait while another process writes."""

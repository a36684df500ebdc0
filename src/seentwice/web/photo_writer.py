"""The table of photos as a service writes it, and what it needs of it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seentwice.dedupe.looking import Decoding, Looking
from seentwice.index.photo_row import PhotoRow
from seentwice.index.store import PhotoStore


class PhotoWriter(Protocol):
    """Keeps what was seen of new photos, all on the disk when it returns."""

    @property
    def looking(self) -> Looking:
        """How the files of the folder are looked at."""
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
    """Writes the table of photos, in the one thread that it is open in."""

    def __init__(self, folder: Path, max_pixels: int) -> None:
        """Open the table.

        Args:
            folder: of the index.
            max_pixels: of a photo.

        Raises:
            UserError: it cannot be written.
        """
        self._thread = ThreadPoolExecutor(1, "write")
        with PhotoStore.open_to_read(folder, _wait) as store:
            decoding: Decoding = "full" if store.meta.decoding == "full" else "blocks"
            root = Path(store.meta.root)
        self.looking = Looking(root, decoding, max_pixels)
        self._store = self._thread.submit(
            PhotoStore.open, folder, self.looking.meta, _wait
        ).result()

    def write(
        self, rows: Sequence[PhotoRow], fingerprint: str, values: NDArray[np.float32]
    ) -> None:
        """Add photos and what was seen of them; see `PhotoWriter`."""
        self._thread.submit(self._write, rows, fingerprint, values).result()

    def close(self) -> None:
        """Finish what runs."""
        self._thread.submit(self._store.close)
        self._thread.shutdown()

    def _write(
        self, rows: Sequence[PhotoRow], fingerprint: str, values: NDArray[np.float32]
    ) -> None:
        self._store.write(rows)
        digests = np.frombuffer(b"".join(row.sha256 for row in rows), np.uint8).reshape(-1, 32)
        self._store.write_embeddings(fingerprint, digests, values.astype(np.float16))


def _wait() -> None:
    """Wait while another process writes."""

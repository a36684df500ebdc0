"""A folder of rendered rooms with its store, for tests of what embeds and compares them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seentwice.dedupe.looking import Looking
from seentwice.dedupe.pictures import PhotoTable, read_table
from seentwice.dedupe.reading import update_table
from seentwice.index.store import PhotoStore

MAX_PIXELS = 10**8


@contextmanager
def open_table(root: Path, index: Path) -> Iterator[tuple[PhotoStore, PhotoTable]]:
    """Read a folder, and give its store and its table."""
    looking = Looking(root, "blocks", MAX_PIXELS)
    with PhotoStore.open(index, looking.meta, lambda: None) as store:
        update_table(store, looking, 1, lambda done, total: None)
        yield store, read_table(store)

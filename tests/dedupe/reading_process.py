"""Brings a table up to date for a test, and says on its standard output how far it is.

    python reading_process.py PHOTOS INDEX WORKERS [HOLD_AT] [MOST_BYTES]

prints how many files are read after each few; at HOLD_AT and after it waits for a line of its
input. No file that it writes may be larger than MOST_BYTES.
"""

import resource
import sys
from pathlib import Path

from seentwice.dedupe import reading
from seentwice.dedupe.looking import Looking
from seentwice.errors import UserError
from seentwice.index.store import PhotoStore

LIMIT = 1_000_000


def main() -> None:
    root, index, workers = sys.argv[1:4]
    hold_at, most_bytes = (int(word) for word in (*sys.argv[4:], 0, 0)[:2])
    # So that a few files are many chunks and batches.
    reading._CHUNK, reading._BATCH = 2, 8
    looking = Looking(Path(root), "blocks", LIMIT)
    is_held = bool(hold_at)

    def tell(done: int, total: int) -> None:
        nonlocal is_held
        print(done, flush=True)
        if is_held and done >= hold_at:
            is_held = False
            sys.stdin.readline()

    try:
        with PhotoStore.open(Path(index), looking.meta, lambda: None) as store:
            if most_bytes:
                resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
            reading.update_table(store, looking, int(workers), tell)
    except UserError as error:
        print(error, flush=True)
        sys.exit(2)


if __name__ == "__main__":
    main()

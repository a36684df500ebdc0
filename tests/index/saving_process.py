"""Saves an index for a test, and says on its standard output how far it is.

    python saving_process.py FOLDER STEP

says "inside" and waits: within its file of rows (`rows`), before that file counts (`described`), or
after (`removed`). `full` lets no file be larger than a page and tells the error.
"""

import resource
import sys
from pathlib import Path

import numpy as np

from seentwice.errors import UserError
from seentwice.index import near_snapshot, row_files
from seentwice.index.near_index import NearIndex


def make_rows(version):
    """The rows of one version, (100, 5)."""
    return np.random.default_rng(version).normal(size=(100, 5)).astype(np.float32)


def stop(*arguments):
    print("inside", flush=True)
    sys.stdin.read()


def main():
    folder, step = sys.argv[1:]
    index = NearIndex.create(5)
    index.add(7000 + np.arange(100), make_rows(7))
    if step == "rows":
        row_files.zlib.crc32 = stop
    if step == "described":
        near_snapshot.write_atomically = stop
    if step == "removed":
        near_snapshot._remove_unnamed = stop
    if step == "full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        index.add(np.arange(2000), np.ones((2000, 5), np.float32))
    try:
        index.save(Path(folder))
    except UserError as error:
        print(error, flush=True)


if __name__ == "__main__":
    main()

"""Writes a table for a test, and says on its standard output how far it is.

    python writing_process.py FOLDER NUMBER BATCHES

writes as many batches of 50 rows, with a line after each. Instead of BATCHES: `held` says "inside"
within the first transaction and waits there, `merging` does so within the first merge, and
`full BYTES` lets no file be larger and tells the error.
"""

import resource
import sys
from pathlib import Path

from photo_rows import META, make_row

from seentwice.errors import UserError
from seentwice.index import compaction, store
from seentwice.index.batches import append_rows, merge_batches
from seentwice.index.store import PhotoStore


def list_keys(name, number):
    """The keys of one batch: those of this process, and ten that all processes write."""
    own = [f"{name}/{number:03d}/{index:02d}.jpg" for index in range(40)]
    return own + [f"shared/{index:02d}.jpg" for index in range(10)]


def make_rows(name, number):
    """The rows of one batch, which tell whose they are."""
    return [make_row(key, int(name) * 1_000 + number) for key in list_keys(name, number)]


def stop_after(function):
    """Do what the function does, then tell and wait for the end."""

    def stop(*arguments):
        function(*arguments)
        print("inside", flush=True)
        sys.stdin.read()

    return stop


def main():
    folder, name, how = sys.argv[1:4]
    if how == "held":
        store.append_rows = stop_after(append_rows)
    if how == "merging":
        compaction.merge_batches = stop_after(merge_batches)
    with PhotoStore.open(Path(folder), META, lambda: None) as opened:
        print("open", flush=True)
        sys.stdin.readline()
        if how == "full":
            limit = int(sys.argv[4])
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        for number in range(int(how) if how.isdigit() else 1_000):
            try:
                opened.write(make_rows(name, number))
            except UserError as error:
                print(error, flush=True)
                return
            print(number, flush=True)


if __name__ == "__main__":
    main()

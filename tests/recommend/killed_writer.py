"""Replaces the listings of a table, and is killed on the way."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from seentwice.recommend.listing_table import replace_listings
from seentwice.recommend.listings import ListingRecord


class Dying(list[ListingRecord]):
    """Records whose last one never comes."""

    def __iter__(self) -> Iterator[ListingRecord]:
        for number in range(12_000):
            yield ListingRecord(f"N{number}", ("q" * 500,))
        os.kill(os.getpid(), signal.SIGKILL)


replace_listings(Path(sys.argv[1]), Dying())

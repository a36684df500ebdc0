"""Look at the photos of a folder once, so that what looks alike can be recommended."""

from collections.abc import Sequence

from seentwice.commands.index_options import read_options
from seentwice.commands.progress import open_console

ON_STOP = "the same command goes on where it stopped"


def run(arguments: Sequence[str]) -> int:
    """Bring an index up to date with its folder; 1 where some files, rows or photos are missing."""
    options = read_options(arguments)
    from seentwice.commands.index_job import index_photos  # brings numba, which --help need not

    return index_photos(options, open_console())

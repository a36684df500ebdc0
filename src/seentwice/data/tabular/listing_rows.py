"""The listings of a table, one a row: what catalogues and listings have in common."""

from collections.abc import Callable, Iterator
from pathlib import Path

from seentwice.data.source import Progress
from seentwice.data.tabular.key_index import open_key_index
from seentwice.data.tabular.rejects import Rejects, RowError
from seentwice.data.tabular.rows import Row, read_rows
from seentwice.records import Listing

MakeListing = Callable[[Row], Listing]
"""Makes the listing of a row, or raises RowError."""


def read_listings(
    file: Path,
    delimiter: str | None,
    choose: Callable[[Row], MakeListing],
    rejects: Rejects,
    on_progress: Progress,
) -> Iterator[Listing]:
    """Yield the listings of a table one at a time, of those with the same key the first.

    Args:
        file: see `read_rows`.
        delimiter: see `read_rows`.
        choose: looks at the first row and returns what makes a listing of each.
        rejects: told of every row that gives none.
        on_progress: told of the bytes that are read.

    Raises:
        UserError: see `read_rows`; or no row can be read.
    """
    count = 0
    make: MakeListing | None = None
    with open_key_index() as seen:
        for row in read_rows(file, delimiter, rejects, on_progress):
            make = make or choose(row)
            try:
                listing = make(row)
                before = seen.add(listing.key, row.line)
                if before is not None:
                    raise RowError(f"the id {listing.key[:80]!r} again; it is on line {before}")
            except RowError as error:
                rejects.add(file, row.line, str(error), row.text)
            else:
                count += 1
                yield listing
        rejects.check_any_read(file, count)

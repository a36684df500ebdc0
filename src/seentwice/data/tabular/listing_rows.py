"""The records of a table, one a row: what listings, pairs of them and catalogues share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from seentwice.data.source import Progress
from seentwice.data.tabular.columns import Made
from seentwice.data.tabular.key_index import open_key_index
from seentwice.data.tabular.rejects import Rejects, RowError
from seentwice.data.tabular.rows import Row, read_rows
from seentwice.data.tabular.spelling import CONFIG, TableSpelling
from seentwice.records import Listing

Record = TypeVar("Record")
MakeListing = Callable[[Row], Made]
"""Makes the listing of a row, or raises RowError."""
_REPEATED_SHARE = 0.1
"""Of the rows: with fewer, ids that were there before are slips."""


def read_records(
    file: Path,
    delimiter: str | None,
    choose: Callable[[Row], Callable[[Row], Record]],
    rejects: Rejects,
    on_progress: Progress,
    spelling: TableSpelling = CONFIG,
) -> Iterator[Record]:
    """Yield the records of a table one at a time.

    Args:
        file: see `read_rows`.
        delimiter: see `read_rows`.
        choose: looks at the first row and returns what makes a record of each, or raises RowError.
        rejects: told of every row that gives none.
        on_progress: told of the bytes that are read.
        spelling: see `read_rows`.

    Raises:
        UserError: see `read_rows`; or no row can be read.
    """
    count = 0
    make: Callable[[Row], Record] | None = None
    for row in read_rows(file, delimiter, rejects, on_progress, spelling):
        make = make or choose(row)
        try:
            record = make(row)
        except RowError as error:
            rejects.add(file, row.line, str(error), row.text)
        else:
            count += 1
            yield record
    rejects.end_file(file, count)


def read_listings(
    file: Path,
    delimiter: str | None,
    choose: Callable[[Row], MakeListing],
    rejects: Rejects,
    on_progress: Progress,
    repeated_hint: str | None = None,
    spelling: TableSpelling = CONFIG,
) -> Iterator[Listing]:
    """Yield the listings of a table one at a time, of those with the same key the first.

    Args:
        file: see `read_rows`.
        delimiter: see `read_rows`.
        choose: looks at the first row and returns what makes a listing of each.
        rejects: told of every row that gives none, and of what is odd in the others.
        on_progress: told of the bytes that are read.
        repeated_hint: what to do where many rows have the id of another one, if anything.
        spelling: see `read_rows`.

    Raises:
        UserError: see `read_rows`; or no row can be read.
    """
    count = repeated = 0
    with open_key_index() as seen:

        def choose_new(first: Row) -> Callable[[Row], Listing]:
            make = choose(first)

            def make_new(row: Row) -> Listing:
                nonlocal count, repeated
                made = make(row)
                before = seen.add(made.listing.key, row.line)
                if before is not None:
                    repeated += 1
                    shown = made.listing.key[:80]
                    raise RowError(f"the id {shown!r} again; it is on line {before}")
                count += 1
                tell_odd(made, file, row, rejects)
                return made.listing

            return make_new

        yield from read_records(file, delimiter, choose_new, rejects, on_progress, spelling)
    if repeated_hint is not None and repeated > _REPEATED_SHARE * (count + repeated):
        rows = "1 row has" if repeated == 1 else f"{repeated:,} rows have"
        rejects.add_hint(f"{file}: {rows} the id of another row; {repeated_hint}")


def tell_odd(made: Made, file: Path, row: Row, rejects: Rejects) -> None:
    """Tell of what is odd in a row that is kept."""
    for odd in made.odd:
        rejects.add_cell(file, row.line, odd, row.text)

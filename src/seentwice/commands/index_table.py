"""The table of `seentwice index --listings`: read, compared with the photos, and kept."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from seentwice.commands.index_options import IndexOptions
from seentwice.commands.progress import describe_rejects, print_plainly, show_progress
from seentwice.data.tabular.rejects import collect_rejects
from seentwice.data.tabular.spelling import TableSpelling
from seentwice.dedupe.reading import Updated
from seentwice.display import name_count, name_first, show_text
from seentwice.errors import UserError
from seentwice.recommend.listing_table import replace_listings
from seentwice.recommend.listings import ListingRecord
from seentwice.recommend.listings_file import find_bare, find_missing, read_listings
from seentwice.recommend.snapshot import Snapshot, name_table

REJECTS = "listings_rejects.csv"
_SPELLING = TableSpelling(
    delimiter="--delimiter",
    ask_delimiter="--delimiter '{character}'",
    ask_column="name one of {columns} {field} in the header",
    no_column="by leaving the column out",
    photo_rows="an id on several rows",
)


@dataclass(frozen=True, slots=True)
class ListingsTable:
    """What a table gave."""

    records: tuple[ListingRecord, ...]
    rejected: int  # rows

    def follow_links(self, updated: Updated) -> "ListingsTable":
        """Name photos as the index does: a link by the file that it leads to."""
        name = {same.key: same.same_as for same in updated.same_files}
        records = (
            replace(record, photos=tuple(name.get(key, key) for key in record.photos))
            for record in self.records
        )
        return replace(self, records=tuple(records))

    def require_photos(self, snapshot: Snapshot, root: Path) -> None:
        """Refuse a table whose paths start somewhere else.

        Raises:
            UserError: not one photo of the listings is in the index.
        """
        missing = find_missing(self.records, snapshot.photos.number())
        if len(missing) == len({key for record in self.records for key in record.photos}):
            named = f"such as {missing[0]!r}" if missing else "since it names none"
            raise UserError(
                f"--listings: no photo of it is in {show_text(str(root))}, {named}; paths start in "
                "that folder"
            )

    def keep(self, folder: Path, snapshot: Snapshot) -> Snapshot:
        """Write listings into a table of their own, which counts once a state names it."""
        name = name_table()
        replace_listings(folder / name, self.records)
        return replace(snapshot, about=replace(snapshot.about, listings=name))

    def describe_missing(self, snapshot: Snapshot) -> Iterator[str]:
        """Yield lines that tell of photos that were not read, and listings without another."""
        known = snapshot.photos.number()
        missing, bare = find_missing(self.records, known), find_bare(self.records, known)
        if missing:
            yield (
                f"  {name_count(len(missing), 'photo', 'photos')} of listings are not among those "
                f"that were read: {name_first(missing)}"
            )
        if bare:
            have = "listing has" if len(bare) == 1 else "listings have"
            yield (
                f"  {len(bare):,} {have} no photo that was read, and cannot be recommended: "
                f"{name_first(bare)}"
            )


def read_table(options: IndexOptions, root: Path, console: Console) -> ListingsTable | None:
    """Read the table that is named, if one is; list the rows that give no listing.

    Raises:
        UserError: the table cannot be read, lacks a column, or has no row that gives a listing.
    """
    if options.listings is None:
        return None
    with (
        collect_rejects(options.index / REJECTS) as rejects,
        show_progress("Reading the table (bytes)", console) as progress,
    ):
        records = read_listings(
            options.listings, root, options.delimiter, rejects, progress, _SPELLING
        )
    for line in describe_rejects(rejects.summary()):
        print_plainly(line, console)
    return ListingsTable(records, rejects.count)

"""`manifest.csv` beside photos: what their names cannot say."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seentwice.data.plain_table import read_plain_table

MANIFEST = "manifest.csv"
COLUMNS = ("file", "property", "zone_id")


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """What a manifest knows of a photo beyond its name."""

    property: str | None
    zone: str | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says."""

    rows: Mapping[str, ManifestRow]  # by file
    unknown: tuple[str, ...]  # names of columns that nothing is read from


def read_manifest(path: Path) -> Manifest | None:
    """Return what a manifest says of each file; None where there is no manifest.

    Spaces around the names of columns do not count, nor do those after commas if the first line
    has such.

    Raises:
        UserError: it is empty, no table of comma-separated values in UTF-8, lacks the column
            `file`, has a row of more cells than columns, or names a file twice.
    """
    wanted = "the columns file, property and zone_id"
    table = read_plain_table(path, "file", wanted, ", or delete it")
    if table is None:
        return None
    rows = {
        file: ManifestRow(row.cells.get("property") or None, row.cells.get("zone_id") or None)
        for file, row in table.rows.items()
    }
    return Manifest(rows, tuple(name for name in table.columns if name not in COLUMNS))

"""Files that gave no photo: the first on the terminal, all of them in a table of the run."""

from collections.abc import Sequence
from pathlib import Path

from seentwice.commands.progress import describe_unreadable
from seentwice.data.variants.tables import open_table
from seentwice.records import Unreadable

TABLE = "unreadable.csv"
MOST_LISTED = 20


def list_unreadable(files: Sequence[Unreadable], table: Path) -> list[str]:
    """Return a line for each of the first `MOST_LISTED`, and one that names the table of all."""
    lines = [describe_unreadable(file) for file in files[:MOST_LISTED]]
    if len(files) > MOST_LISTED:
        lines.append(f"  and {len(files) - MOST_LISTED:,} more, in {table}")
    return lines


def report_unreadable(files: Sequence[Unreadable], folder: Path) -> list[str]:
    """Write `TABLE` into the run's folder where there is something to list; return the lines.

    Raises:
        OSError: the folder cannot be written.
    """
    if files:
        with open_table(folder / TABLE, ("file", "reason", "detail")) as write_row:
            for file in files:
                write_row((file.name, file.reason.value, file.detail))
    return list_unreadable(files, folder / TABLE)

"""List what the feature bank holds, and throw rows away."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from seentwice.bank.entries import Entry, list_entries, remove_entry
from seentwice.commands.options import OptionParser
from seentwice.commands.progress import open_console, print_plainly
from seentwice.display import show_text
from seentwice.errors import UserError

ON_STOP = "what was thrown away is gone, the rest is there"
DEFAULT = "data/prepared/bank"
"""Where configurations keep it unless SEENTWICE_BANK names a folder; see configs/bank/disk.yaml."""

_EXAMPLES = """\
  seentwice bank                        what is there, by data set
  seentwice bank clear --data rooms     throw away the rows of one data set
  seentwice bank clear                  throw all of it away
"""


def run(arguments: Sequence[str]) -> None:
    """List the bank, or clear it."""
    usual = Path(os.environ.get("SEENTWICE_BANK") or DEFAULT)
    parser = OptionParser(
        "bank",
        "The bank keeps what was computed of photos, such as a frozen trunk's features, for every\n"
        "later run with the same photos, edits and weights. Whatever is thrown away is computed\n"
        "again when it is needed.",
        _EXAMPLES,
    )
    parser.add_argument("action", nargs="?", choices=("list", "clear"), default="list")
    parser.add_argument("--folder", type=Path, default=usual, help=f"default: {usual}")
    parser.add_argument("--data", metavar="NAME", help="of this data set alone")
    options = parser.parse(arguments)
    console = open_console()
    if not options.folder.is_dir():
        if options.folder != usual:
            raise UserError(f"--folder {options.folder}: no such folder")
        print_plainly(f"{usual} is not there: nothing is kept yet", console)
        return
    entries = list_entries(options.folder)
    known = sorted({entry.data for entry in entries})
    if options.data is not None and options.data not in known:
        raise UserError(f"--data {options.data}: choose one of {', '.join(known) or 'none'}")
    chosen = [entry for entry in entries if options.data in (None, entry.data)]
    if options.action == "clear":
        _clear(chosen, options.folder, console)
    else:
        _show(chosen, options.folder, console)


def _clear(entries: Sequence[Entry], folder: Path, console: Console) -> None:
    try:
        busy = [entry for entry in entries if not remove_entry(entry)]
    except OSError as error:
        raise UserError(
            f"{folder}: nothing can be thrown away there ({error.strerror}); let your account "
            "write it"
        ) from error
    gone = sum(entry.bytes for entry in entries) - sum(entry.bytes for entry in busy)
    print_plainly(f"{_parts(len(entries) - len(busy))} thrown away, {_size(gone)}", console)
    if busy:
        names = ", ".join(sorted({entry.data for entry in busy}))
        why = "being added to right now, or another account's"
        print_plainly(f"{_parts(len(busy))} {why}, which stay: {names}", console)


def _show(entries: Sequence[Entry], folder: Path, console: Console) -> None:
    table = Table()
    for name in ("data", "rows of", "made with", "rows", "size", "last used"):
        table.add_column(name, justify="right" if name in ("rows", "size") else "left")
    for entry in sorted(entries, key=lambda entry: -entry.used):
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used))
        made = ", ".join(value for what, value in entry.parts if what in ("backbone", "cut"))
        cells = entry.data, entry.recipe, made, f"{entry.rows:,}", _size(entry.bytes), used
        table.add_row(*(Text(show_text(cell)) for cell in cells))
    if entries:
        console.print(table)
    total = sum(entry.bytes for entry in entries)
    print_plainly(f"{folder}: {_parts(len(entries))}, {_size(total)}", console)


def _parts(count: int) -> str:
    return "1 part" if count == 1 else f"{count:,} parts"


def _size(count: int) -> str:
    """Return bytes in the unit that people read best."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count} bytes"

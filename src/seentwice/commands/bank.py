"""List what the feature bank holds, and throw rows away."""

import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from seentwice.bank.entries import UNKNOWN, Entry, count_entry, list_entries, remove_entry
from seentwice.bank.segment import ABOUT, KEYS, ROWS, Count
from seentwice.bank.shelf import RECIPE
from seentwice.commands.options import OptionParser
from seentwice.commands.progress import open_console, print_plainly
from seentwice.display import name_bytes, name_count, show_text
from seentwice.errors import UserError

ON_STOP = "what was thrown away is gone, the rest is there"
DEFAULT = "data/prepared/bank"
"""Where configurations keep it unless SEENTWICE_BANK names a folder; see configs/bank/disk.yaml."""

_MADE_WITH = {
    "backbone": "{}",
    "cut": "{}",
    "weights": "weights {:.8}",
    "preprocessing": "{}",
    "engine": "{}",
    "reduced": "decoded {}",
}
"""The parts of a recipe that a user chooses, and how they are shown."""
_AGAIN = "what is missing is computed again when it is needed"

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
    known = sorted({_data_of(entry) for entry in entries})
    if options.data is not None and options.data not in known:
        raise UserError(f"--data {options.data}: choose one of {', '.join(known) or 'none'}")
    chosen = [entry for entry in entries if options.data in (None, _data_of(entry))]
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
    print_plainly(f"{_parts(len(entries) - len(busy))} thrown away, {name_bytes(gone)}", console)
    if busy:
        names = ", ".join(sorted({_data_of(entry) for entry in busy}))
        why = "being added to right now, or another account's"
        print_plainly(f"{_parts(len(busy))} {why}, which stay: {names}", console)


def _show(entries: Sequence[Entry], folder: Path, console: Console) -> None:
    table = Table()
    for name in ("data", "rows of", "a row", "made with", "rows", "size", "last used"):
        table.add_column(name, justify="right" if name in ("rows", "size") else "left")
    counts = {entry: count_entry(entry) for entry in entries}
    for entry in sorted(entries, key=lambda entry: -entry.used):
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used))
        rows = counts[entry]
        count = UNKNOWN if rows is None else f"{rows.found:,}"
        cells = _data_of(entry), *_recipe_cells(entry), count, name_bytes(entry.bytes), used
        table.add_row(*(Text(show_text(cell)) for cell in cells))
    if entries:
        console.print(table)
    for line in (*_tell_of_damage(entries), *_tell_of_lost_rows(counts)):
        print_plainly(line, console)
    total = sum(entry.bytes for entry in entries)
    print_plainly(f"{folder}: {_parts(len(entries))}, {name_bytes(total)}", console)


def _data_of(entry: Entry) -> str:
    return UNKNOWN if entry.data is None else entry.data


def _recipe_cells(entry: Entry) -> tuple[str, str, str]:
    """Return what the rows are of, what one of them holds, and what made them."""
    if entry.recipe is None:
        return UNKNOWN, UNKNOWN, UNKNOWN
    parts = dict(entry.recipe.parts)
    if "preprocessing" in parts:
        parts["preprocessing"] = _show_preprocessing(parts["preprocessing"])
    made = [shown.format(parts[name]) for name, shown in _MADE_WITH.items() if parts.get(name)]
    row = f"{' x '.join(map(str, entry.recipe.shape))} {entry.recipe.dtype}".strip()
    return entry.recipe.name, row, ", ".join(made)


def _tell_of_damage(entries: Sequence[Entry]) -> list[str]:
    """Return a line for each description that cannot be read; what killed fills left needs none."""
    kept = [entry for entry in entries if entry.has_keys]
    recipes = {entry.segment.parent / RECIPE for entry in kept if entry.recipe is None}
    data = [entry.segment.with_suffix(ABOUT) for entry in kept if entry.data is None]
    return [
        *(
            f"{file}: damaged or gone, so what these rows are of is not known; they are used all "
            "the same, and the next run that uses them writes it anew"
            for file in sorted(recipes)
        ),
        *(
            f"{file}: damaged or gone, so of which data set these rows are is not known; they are "
            f"used all the same, and seentwice bank clear --data {UNKNOWN} throws them away"
            for file in sorted(data)
        ),
    ]


def _tell_of_lost_rows(counts: Mapping[Entry, Count | None]) -> list[str]:
    """Return a line for each part of which rows cannot be found, with the file that is at fault."""
    lines = []
    for entry, count in sorted(counts.items(), key=lambda pair: pair[0].segment):
        keys, rows = (entry.segment.with_suffix(suffix) for suffix in (KEYS, ROWS))
        if entry.has_keys != entry.has_rows:
            gone = rows if entry.has_keys else keys
            lines.append(f"{gone}: gone, so none of these rows can be found; {_AGAIN}")
        elif count == Count(0, 0, 0) and entry.has_keys:
            lines.append(f"{keys}: holds no key, so none of these rows can be found; {_AGAIN}")
        elif count is not None:
            for file, fault, lost in ((keys, "damaged", count.damaged), (rows, "cut", count.cut)):
                if lost:
                    number = name_count(lost, "row", "rows")
                    lines.append(f"{file}: {fault}, so {number} cannot be found; {_AGAIN}")
    return lines


def _show_preprocessing(text: str) -> str:
    """Return the input size and the normalisation of a `Preprocessing` of which this is the text.

    Of another version's it may be another text: "".
    """
    found = re.search(r"height_px=(\d+), width_px=(\d+),.* normalisation='(\w+)'", text)
    return f"{found[2]} x {found[1]} px, normalisation {found[3]}" if found else ""


def _parts(count: int) -> str:
    return name_count(count, "part", "parts")

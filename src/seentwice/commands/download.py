"""Fetch a published checkpoint by its name."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from seentwice.commands.options import OptionParser, quote_path
from seentwice.commands.progress import open_console, print_plainly, show_progress
from seentwice.commands.published import PublishedCheckpoint, find_table, read_published
from seentwice.display import name_bytes
from seentwice.errors import UserError
from seentwice.files import digest_file, write_atomically

if TYPE_CHECKING:
    from seentwice.data.fetching.published_file import PublishedFile

ON_STOP = "nothing was written; the same command starts again"

_LONGEST_HEADER = 4 << 20  # bytes; see `checkpoint_file`
_OF_TAGGERS = b'"format":"seentwice-tagger-'

_EXAMPLES = """\
  seentwice download                           what is published
  seentwice download NAME --to checkpoints     into a folder
"""


def run(arguments: Sequence[str]) -> None:
    """List what is published, or fetch one of it."""
    parser = OptionParser(
        "download",
        "Fetches a checkpoint of the table in checkpoints/README.md, and checks its sha256 before\n"
        "the file takes its name. What is there already is not fetched again, and no file is\n"
        "replaced. One that lies in the repository is checked there, and copied with --to alone.",
        _EXAMPLES,
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="without it, all are listed")
    parser.add_argument(
        "--to", type=Path, metavar="FOLDER", help="default of a download: the working folder"
    )
    options = parser.parse(arguments)
    console = open_console()
    table = find_table()
    rows = read_published(table)
    if options.name is None:
        _list(rows, console)
        return
    row = rows.get(options.name)
    if row is None:
        choices = f"choose one of {', '.join(rows)}" if rows else "none is published yet"
        raise UserError(f"no published checkpoint {options.name!r}: {choices}")
    folder: Path | None = options.to
    if row.is_remote:
        path = _download(row, folder or Path(), console)
    else:
        path = _find_beside(row, table.parent, console)
        if folder is not None:
            path = _copy(row, path, folder, console)
    words = shlex.join(["seentwice", _measuring(path), f"checkpoint={quote_path(path)}"])
    print_plainly(f"Next: {words}", console)


def _measuring(path: Path) -> str:
    """Return the command that measures a checkpoint: its header says which kind it is."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = file.read(min(length, _LONGEST_HEADER))
    return "tagger" if _OF_TAGGERS in header else "evaluate"


def _list(rows: Mapping[str, PublishedCheckpoint], console: Console) -> None:
    if not rows:
        print_plainly("No checkpoint is published yet; seentwice train writes your own", console)
    for row in rows.values():
        place = row.where if row.is_remote else f"in the repository, checkpoints/{row.where}"
        print_plainly(f"{row.name}: {name_bytes(row.bytes)}, {place}", console)


def _find_beside(row: PublishedCheckpoint, folder: Path, console: Console) -> Path:
    """Return a file of the repository.

    Raises:
        UserError: it is not there, as in an installed package, or another one.
    """
    path = folder / row.where
    if not path.is_file():
        raise UserError(
            f"{row.name}: is checkpoints/{row.where} of the repository, which is not here; clone it"
        )
    if path.stat().st_size != row.bytes or digest_file(path).hex() != row.sha256:
        raise UserError(
            f"{row.name}: {path} is not the file of the table; git checkout brings it back"
        )
    print_plainly(f"{row.name}: in the repository, {path}; its sha256 is right", console)
    return path


def _copy(row: PublishedCheckpoint, source: Path, folder: Path, console: Console) -> Path:
    """Copy a file of the repository, and return the copy."""
    from seentwice.data.fetching.published_file import is_there

    published, path = _place(row, folder)
    is_new = not is_there(published, path)
    if is_new:
        write_atomically(path, source.read_bytes())
    _tell(path, "copied" if is_new else "there already", row, console)
    return path


def _download(row: PublishedCheckpoint, folder: Path, console: Console) -> Path:
    # Only now: --help should not wait for the packages that read photos.
    from seentwice.data.fetching.published_file import download_published

    published, path = _place(row, folder)
    with show_progress(f"Downloading {row.name}", console) as progress:
        is_new = download_published(published, path, progress)
    _tell(path, "downloaded" if is_new else "there already", row, console)
    return path


def _tell(path: Path, done: str, row: PublishedCheckpoint, console: Console) -> None:
    print_plainly(f"{path}: {done}, {name_bytes(row.bytes)}; its sha256 is right", console)


def _place(row: PublishedCheckpoint, folder: Path) -> "tuple[PublishedFile, Path]":
    """Make the folder, and return what comes into it under which name."""
    from seentwice.data.fetching.published_file import PublishedFile

    folder.mkdir(parents=True, exist_ok=True)
    published = PublishedFile(row.where, row.sha256, row.bytes)
    return published, folder / f"{row.name}.safetensors"

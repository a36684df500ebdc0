"""The table of published checkpoints, which people read in checkpoints/README.md, too."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from seentwice.commands.provenance import find_checkout
from seentwice.display import show_text
from seentwice.errors import UserError

TABLE = "checkpoints/README.md"
HEADER = ("name", "file or URL", "sha256", "bytes")


@dataclass(frozen=True, slots=True)
class PublishedCheckpoint:
    """A row of the table."""

    name: str
    where: str  # https://..., or the name of a file beside the table
    sha256: str
    bytes: int

    @property
    def is_remote(self) -> bool:
        """Whether it is to be fetched, and not in the repository."""
        return ":" in self.where


def find_table() -> Path:
    """Return the table: the checkout's, or the one inside an installed package."""
    module = Path(__file__)
    checkout = find_checkout(module)
    if checkout is not None and (checkout / TABLE).is_file():
        return checkout / TABLE
    return module.resolve().parents[1] / TABLE


def read_published(path: Path) -> dict[str, PublishedCheckpoint]:
    """Read the rows of the table, by name.

    Raises:
        UserError: the file is missing, or a row is not as `HEADER` says; the message names it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: the table of checkpoints cannot be read ({error})") from error
    rows: dict[str, PublishedCheckpoint] = {}
    in_table = False
    for number, line in enumerate(lines, 1):
        cells = tuple(cell.strip().strip("`<>") for cell in line.strip().strip("|").split("|"))
        if not line.lstrip().startswith("|"):
            in_table = False
        elif cells == HEADER:
            in_table = True
        elif in_table and not all(re.fullmatch(":?-+:?", cell) for cell in cells):
            row = _read_row(cells, f"{path}, line {number}")
            if row.name in rows:
                raise UserError(f"{path}, line {number}: {row.name} stands there twice")
            rows[row.name] = row
    return rows


def _read_row(cells: tuple[str, ...], line: str) -> PublishedCheckpoint:
    if len(cells) != len(HEADER):
        raise UserError(f"{line}: {len(cells)} cells instead of {len(HEADER)}: {', '.join(HEADER)}")
    name, where, sha256, size = cells
    plain = size.replace(",", "")
    file = PurePosixPath(where)
    is_beside = ":" not in where and not file.is_absolute() and ".." not in file.parts
    for key, value, is_right, right in (
        ("name", name, re.fullmatch("[a-z0-9][a-z0-9_.-]{0,99}", name), "a-z, 0-9, _, . and -"),
        ("file or URL", where, where and (is_beside or "://" in where), "a file beside, or https"),
        ("sha256", sha256, re.fullmatch("[0-9a-f]{64}", sha256), "64 hexadecimal digits"),
        ("bytes", size, re.fullmatch("[1-9][0-9]{0,14}", plain), "a whole number"),
    ):
        if not is_right:
            raise UserError(f"{line}: {key} {show_text(value)!r}: give {right}")
    return PublishedCheckpoint(name, where, sha256, int(plain))

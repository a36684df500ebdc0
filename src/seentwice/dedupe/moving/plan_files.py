"""A plan of moves to read before it is applied: as text, and as a table."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from seentwice.dedupe.moving.plan import MovePlan
from seentwice.dedupe.report.csv_file import guard_cell
from seentwice.display import name_bytes, name_count, show_text
from seentwice.files import open_atomically

COLUMNS = ("move", "path", "kept", "to", "bytes", "reason")


def describe_plan(plan: MovePlan) -> Iterator[str]:
    """Yield the lines that show a plan: each photo that moves, each that stays, and their sum."""
    for move in plan.moves:
        target = show_text(str(plan.to / move.path))
        yield f"{show_text(move.path)} -> {target} (kept: {show_text(move.kept)})"
    for photo in plan.staying:
        yield f"{show_text(photo.path)} stays: {show_text(photo.reason)}"
    size = name_bytes(sum(move.size_bytes for move in plan.moves))
    moving = name_count(len(plan.moves), "photo", "photos")
    yield f"{moving} to move ({size}), {len(plan.staying):,} to stay"


def write_plan_csv(path: Path, plan: MovePlan) -> None:
    r"""Write a plan as a table with the columns `COLUMNS`.

    It is UTF-8 and says so in its first bytes ("utf-8-sig" in Python). Bytes of names that are not
    UTF-8 are `\udc80` to `\udcff`, names with line ends stand in quotes, and texts that a
    spreadsheet would run have an apostrophe before them, as in groups.csv.

    Args:
        path: in a folder that exists; what it held is replaced.
        plan: those that move first.

    Raises:
        UnwritableError: see `open_atomically`.
    """
    with open_atomically(path) as file:
        # With both of its characters at the end of lines, names that hold either are quoted.
        text = io.TextIOWrapper(file, "utf-8-sig", "backslashreplace", newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        for move in plan.moves:
            target = str(plan.to / move.path)
            names = map(guard_cell, (move.path, move.kept, target))
            writer.writerow(["yes", *names, move.size_bytes, ""])
        for photo in plan.staying:
            names = map(guard_cell, (photo.path, "", "", "", photo.reason))
            writer.writerow(["no", *names])
        text.detach()

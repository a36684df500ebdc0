"""The file that tells where moved photos came from, one a line after a line about all.

It reaches the disk whole before the first photo moves, so it holds more moves than were made if
the program is killed: that a photo is still in its place is no error.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePosixPath

from seentwice.dedupe.moving.placing import give_name, sync_folder
from seentwice.dedupe.moving.plan import Move, MovePlan
from seentwice.display import show_text
from seentwice.errors import UserError
from seentwice.files import UnwritableError, open_atomically

_VERSION = 1
_PARTIAL = re.compile(r"\.[0-9a-f]{16}\.partial")


@dataclass(frozen=True, slots=True)
class Journal:
    """Moves that were made or were about to be."""

    root: Path  # where the photos were
    to: Path  # where they went
    partial: str  # name of a copy that is not whole, in the folder of the photo
    moves: tuple[Move, ...]


def write_journal(path: Path, plan: MovePlan, partial: str) -> None:
    r"""Write the moves of a plan as JSON Lines, in ASCII: a byte that is not UTF-8 is `\udce9`.

    Args:
        path: a new file in a folder that exists.
        plan: whose moves are written.
        partial: see `Journal`.

    Raises:
        UserError: there is such a file, or it cannot be written.
    """
    # The draft keeps what it holds until the name is taken for good.
    draft = path.with_name(partial)
    with open_atomically(draft) as file:
        header = {"version": _VERSION, "root": str(plan.root), "to": str(plan.to)}
        for line in (header | {"partial": partial}, *map(asdict, plan.moves)):
            file.write(f"{json.dumps(line)}\n".encode("ascii"))
    try:
        give_name(draft, path)
        sync_folder(path.parent)
    except FileExistsError as error:
        raise UserError(
            f"{show_text(str(path))} is there already and may undo earlier moves; name another file"
        ) from error
    except OSError as error:
        raise UnwritableError(
            f"{show_text(str(path))} cannot be written ({error.strerror}); name another file"
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def read_journal(path: Path) -> Journal:
    """Read what `write_journal` wrote; lines of moves may have been taken out.

    Raises:
        UserError: no such file, or a line that tells no move.
    """
    try:
        lines = list(_read_lines(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text"
        raise UserError(
            f"{show_text(str(path))} cannot be read ({reason}); name the file that was written "
            "when the photos were moved"
        ) from error
    header = lines[0] if lines else {}
    partial = header.get("partial")
    root, to = header.get("root"), header.get("to")
    is_known = header.get("version") == _VERSION and isinstance(partial, str)
    if not (is_known and isinstance(root, str) and isinstance(to, str)):
        raise UserError(f"{show_text(str(path))}, line 1: does not tell of moves of this version")
    if not _PARTIAL.fullmatch(str(partial)) or not (os.path.isabs(root) and os.path.isabs(to)):  # noqa: PTH117
        raise UserError(f"{show_text(str(path))}, line 1: was changed; restore it")
    moves = (_to_move(path, number, line) for number, line in enumerate(lines[1:], 2))
    return Journal(Path(root), Path(to), str(partial), tuple(moves))


def _read_lines(path: Path) -> Iterator[dict[str, object]]:
    with path.open(encoding="ascii") as file:
        for number, line in enumerate(file, 1):
            try:
                values = json.loads(line)
            except ValueError:
                values = None
            if not isinstance(values, dict):
                raise UserError(
                    f"{show_text(str(path))}, line {number}: no JSON object; restore it"
                )
            yield values


def _to_move(path: Path, number: int, values: dict[str, object]) -> Move:
    known = {field.name: field.type for field in fields(Move)}
    is_whole = values.keys() == known.keys() and all(
        type(value) is known[name] for name, value in values.items()
    )
    if not is_whole or not _is_below(str(values["path"])):
        raise UserError(f"{show_text(str(path))}, line {number}: tells no move; restore it")
    return Move(**values)  # type: ignore[arg-type]  # they were looked at


def _is_below(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts and "\0" not in path

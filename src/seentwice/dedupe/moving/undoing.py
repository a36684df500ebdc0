"""Moved photos that are put back where they were."""

import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from seentwice.data.source import Progress
from seentwice.dedupe.moving.journal import Journal, read_journal
from seentwice.dedupe.moving.placing import ChangedError, is_same_move, move_file
from seentwice.dedupe.moving.plan import Move, Staying
from seentwice.display import show_text
from seentwice.errors import UserError
from seentwice.files import digest_file


@dataclass(frozen=True, slots=True)
class Undone:
    """What `undo_moves` did."""

    back: int  # photos that were put back
    in_place: int  # that were there: never moved, or put back before
    staying: tuple[Staying, ...]  # that could not be put back


def undo_moves(undo: Path, on_progress: Progress) -> Undone:
    """Put moved photos back, and take away the folders that are empty then.

    It may be run again, also after moving or undoing was killed. A photo that was changed since it
    was moved stays where it is, as does one whose old name is taken, and both are listed.

    Args:
        undo: the file that `apply_plan` wrote; it is left as it is.
        on_progress: told of every photo.

    Raises:
        UserError: the file cannot be read or is no such file, or the folder that the photos came
            from is not there, such as one on a disk that is away.
    """
    journal = read_journal(undo)
    if not journal.root.is_dir():
        raise UserError(
            f"{show_text(str(journal.root))}: no such folder, where photos are to be put back; let "
            "its disk be there, or make the folder"
        )
    back = in_place = 0
    staying: list[Staying] = []
    for done, move in enumerate(journal.moves, 1):
        try:
            if _put_back(journal, move):
                back += 1
            else:
                in_place += 1
        except OSError as error:
            staying.append(Staying(move.path, str(error.strerror or error)))
        on_progress(done, len(journal.moves))
    return Undone(back, in_place, tuple(staying))


def _put_back(journal: Journal, move: Move) -> bool:
    """Put one photo back; say whether it was away.

    Raises:
        OSError: it cannot be put back.
    """
    home, away = journal.root / move.path, journal.to / move.path
    was_away = False
    if os.path.lexists(away):
        if os.path.lexists(home):
            _join(home, away, journal.partial, move)
        else:
            _forget_partials(home, away, journal.partial)
            _return(home, away, journal.partial, move)
            was_away = True
    elif not os.path.lexists(home):
        raise FileNotFoundError(errno.ENOENT, f"is neither there nor at {away}")
    _forget_partials(home, away, journal.partial)
    _remove_empty(away.parent, journal.to)
    return was_away


def _return(home: Path, away: Path, partial: str, move: Move) -> None:
    seen = away.lstat()
    if not (stat.S_ISREG(seen.st_mode) and digest_file(away).hex() == move.sha256):
        raise ChangedError(errno.EBUSY, f"changed since it was moved: {away}")
    home.parent.mkdir(parents=True, exist_ok=True)
    move_file(away, home, partial, seen, move)


def _join(home: Path, away: Path, partial: str, move: Move) -> None:
    """Take away the second name, or the copy, that a move left when it was killed."""
    is_ours = is_same_move(home, away, partial)
    if not is_ours or digest_file(home).hex() != move.sha256:
        raise FileExistsError(errno.EEXIST, f"its name is taken; what is at {away} stays there")
    away.unlink()


def _forget_partials(home: Path, away: Path, partial: str) -> None:
    for path in (home.with_name(partial), away.with_name(partial)):
        if os.path.lexists(path):
            path.unlink()


def _remove_empty(folder: Path, above: Path) -> None:
    while folder != above:
        with suppress(OSError):  # not empty, or not there
            folder.rmdir()
        folder = folder.parent

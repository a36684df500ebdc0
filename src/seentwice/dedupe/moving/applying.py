"""Duplicates that are moved out of the way; nothing is deleted, and nothing is overwritten."""

import errno
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from seentwice.data.source import Progress
from seentwice.dedupe.moving.journal import write_journal
from seentwice.dedupe.moving.placing import ChangedError, move_file
from seentwice.dedupe.moving.plan import Move, MovePlan, Staying
from seentwice.display import show_text
from seentwice.errors import UserError
from seentwice.files import digest_file


@dataclass(frozen=True, slots=True)
class Moved:
    """What `apply_plan` did."""

    moved: tuple[Move, ...]
    staying: tuple[Staying, ...]  # of the plan's moves, those that were not made


def apply_plan(plan: MovePlan, undo: Path, on_progress: Progress) -> Moved:
    """Move the photos of a plan, each only if it and the one to keep are still what they were.

    `undo_moves` puts them back, wherever this broke off. What cannot be moved is listed, and the
    rest is done. Each moved photo is read once, and each kept one. Times and permissions stay;
    across file systems two names of one file become two files.

    Args:
        plan: where nothing is to be moved, nothing is written.
        undo: a new file, in a folder that exists or that photos are moved to.
        on_progress: told of every photo.

    Raises:
        UserError: the file is there already or cannot be written, or the folder to move to cannot
            be made: then no photo was moved.
    """
    if not plan.moves:
        return Moved((), ())
    _make_folder(plan.to)
    partial = f".{secrets.token_hex(8)}.partial"
    write_journal(undo, plan, partial)
    moved: list[Move] = []
    staying: list[Staying] = []
    kept, kept_seen = "", None
    for done, move in enumerate(plan.moves, 1):
        try:
            if move.kept != kept:
                kept, kept_seen = move.kept, None
            kept_seen = _check_kept(plan.root / kept, move, kept_seen)
            _move(plan, move, partial, kept_seen)
            moved.append(move)
        except OSError as error:
            staying.append(Staying(move.path, _describe(error, plan.to / move.path)))
        on_progress(done, len(plan.moves))
    return Moved(tuple(moved), tuple(staying))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{show_text(str(folder))} cannot be made ({error.strerror}); name another folder to "
            "move to"
        ) from error


def _check_kept(path: Path, move: Move, seen: os.stat_result | None) -> os.stat_result:
    """Return the file that is kept, read again only if it is not as it was seen before."""
    try:
        found = path.stat()
        is_seen = seen is not None and _is_as_seen(found, seen)
        if not is_seen and (not stat.S_ISREG(found.st_mode) or _digest(path) != move.kept_sha256):
            raise ChangedError(errno.EBUSY, "changed since it was found")
    except OSError as error:
        raise OSError(
            error.errno, f"{move.kept}, which was to be kept: {error.strerror}"
        ) from error
    return found


def _move(plan: MovePlan, move: Move, partial: str, kept: os.stat_result) -> None:
    source, target = plan.root / move.path, plan.to / move.path
    seen = source.lstat()
    if os.path.samestat(seen, kept):
        raise ChangedError(errno.EBUSY, f"is the same file as {move.kept} now")
    is_seen = (seen.st_size, seen.st_mtime_ns) == (move.size_bytes, move.modified_ns)
    if not (stat.S_ISREG(seen.st_mode) and is_seen and _digest(source) == move.sha256):
        raise ChangedError(errno.EBUSY, "changed since it was found")
    target.parent.mkdir(parents=True, exist_ok=True)
    move_file(source, target, partial, seen, move)


def _is_as_seen(found: os.stat_result, seen: os.stat_result) -> bool:
    # Its inode's own time, too, which no program can set back.
    return os.path.samestat(found, seen) and (
        (found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        == (seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
    )


def _digest(path: Path) -> str:
    return digest_file(path).hex()


def _describe(error: OSError, target: Path) -> str:
    if isinstance(error, FileExistsError):
        return f"its name is taken: {target}"
    return str(error.strerror or error)

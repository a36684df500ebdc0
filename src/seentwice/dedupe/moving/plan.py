"""What to move of the duplicates that were found, and what to leave where it is.

Of each group one photo is kept. Another goes only if it matches the kept one itself: a chain of
matches is no reason to take a photo away.
"""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from seentwice.dedupe.findings import Duplicates, FoundPhoto, Group
from seentwice.display import show_text
from seentwice.errors import UserError

# Of the times that a file was changed: a float of today's seconds is exact to 0.24 µs.
_TIME_SLACK_SECONDS = 1e-6


@dataclass(frozen=True, slots=True)
class Move:
    """A photo that goes from one folder to the same path below another."""

    path: str  # below both, with forward slashes
    kept: str  # path below the first of the photo that stays in its stead
    size_bytes: int
    modified_ns: int  # since 1970
    mode: int  # permission bits
    sha256: str  # of the file, in hexadecimal
    kept_sha256: str


@dataclass(frozen=True, slots=True)
class Staying:
    """A photo that is not moved, or not put back."""

    path: str  # below the root, with forward slashes
    reason: str


@dataclass(frozen=True, slots=True)
class MovePlan:
    """What `apply_plan` would do."""

    root: Path  # absolute
    to: Path  # absolute, neither in `root` nor around it
    moves: tuple[Move, ...]  # those of one kept photo next to each other
    staying: tuple[Staying, ...]  # of the photos that are not the ones to keep


def plan_moves(duplicates: Duplicates, to: Path) -> MovePlan:
    """Decide which duplicates move to a folder, each to its path below the root.

    Nothing is written. Stay: photos that do not match the kept one directly, that are its own file
    under another name, that are links or that a link below the root leads to, that changed since
    they were found, and those whose name is taken in the folder.

    Args:
        duplicates: what was found; the first photo of each group is kept.
        to: the folder, which need not be there. One within the root would be searched with it the
            next time, and one around the root might hold its names.

    Raises:
        UserError: the folder is a file, or lies within the root or around it.
    """
    root = Path(os.path.abspath(duplicates.root))  # noqa: PTH100 - links stay as they are
    to = Path(os.path.abspath(to))  # noqa: PTH100
    _check_apart(root, to)
    moves: list[Move] = []
    staying: list[Staying] = []
    links = {
        same.same_as: same.key
        for same in duplicates.same_files
        if (duplicates.root / same.key).is_symlink()
    }
    for group in duplicates.groups:
        for decision in _decide(root, to, group, links):
            if isinstance(decision, Move):
                moves.append(decision)
            else:
                staying.append(decision)
    return MovePlan(root, to, tuple(moves), tuple(staying))


def _check_apart(root: Path, to: Path) -> None:
    if os.path.lexists(to) and not to.is_dir():
        raise UserError(f"{show_text(str(to))} is no folder; name another one to move to")
    real_root, real_to = (Path(os.path.realpath(path)) for path in (root, to))
    if real_to.is_relative_to(real_root) or real_root.is_relative_to(real_to):
        raise UserError(
            f"{show_text(str(to))} is in {show_text(str(root))} or around it, so what is moved "
            "would be mixed with what stays; name a folder beside it"
        )


def _decide(
    root: Path, to: Path, group: Group, links: Mapping[str, str]
) -> Iterator[Move | Staying]:
    kept, *others = group.photos
    kept_path = _path_below(root, kept)
    kept_stat = _stat(kept.path)
    matched = {
        match.right if match.left == kept.key else match.left
        for match in group.matches
        if kept.key in (match.left, match.right)
    }
    led_to = _find_led_to(group.photos)
    for photo in others:
        path = _path_below(root, photo)
        if path is None or kept_path is None:
            which = photo.key if path is None else kept.key
            yield Staying(photo.key, f"{which} is not below {root}")
            continue
        if photo.key in links:
            reason = f"{links[photo.key]} is a link to it"
        elif photo.key not in matched:
            reason = f"does not match {kept.key} itself"
        else:
            reason = _find_obstacle(photo, to / path, kept.key, kept_stat, led_to)
        if reason:
            yield Staying(path, reason)
        else:
            found = photo.path.lstat()
            yield Move(
                path=path,
                kept=kept_path,
                size_bytes=found.st_size,
                modified_ns=found.st_mtime_ns,
                mode=stat.S_IMODE(found.st_mode),
                sha256=photo.sha256,
                kept_sha256=kept.sha256,
            )


def _find_obstacle(
    photo: FoundPhoto,
    target: Path,
    kept_key: str,
    kept: os.stat_result | None,
    led_to: dict[tuple[int, int], str],
) -> str:
    """Return why a photo cannot move; "" where it can."""
    try:
        found = photo.path.lstat()
    except OSError as error:
        return f"cannot be looked at any more ({error.strerror})"
    if kept is None:
        return f"{kept_key}, which was to be kept, is gone"
    file = _stat(photo.path)
    if file is not None and os.path.samestat(file, kept):
        return f"is the same file as {kept_key}, under another name"
    if stat.S_ISLNK(found.st_mode):
        return "is a link"
    leading = led_to.get((found.st_dev, found.st_ino))
    if leading is not None:
        return f"{leading} is a link to it"
    if not _is_unchanged(found, photo):
        return "changed since it was found"
    if os.path.lexists(target):
        return f"its name is taken: {target}"
    return ""


def _find_led_to(photos: Sequence[FoundPhoto]) -> dict[tuple[int, int], str]:
    """Return the files that links among the photos lead to, each with such a link."""
    led_to = {}
    for photo in photos:
        file = _stat(photo.path) if photo.path.is_symlink() else None
        if file is not None:
            led_to[file.st_dev, file.st_ino] = photo.key
    return led_to


def _is_unchanged(found: os.stat_result, photo: FoundPhoto) -> bool:
    late_seconds = abs(found.st_mtime_ns / 1e9 - photo.modified_seconds)
    return found.st_size == photo.size_bytes and late_seconds <= _TIME_SLACK_SECONDS


def _stat(path: Path) -> os.stat_result | None:
    """Return what a path leads to; None where that is nothing."""
    try:
        return path.stat()
    except OSError:
        return None


def _path_below(root: Path, photo: FoundPhoto) -> str | None:
    path = Path(os.path.abspath(photo.path))  # noqa: PTH100
    if not path.is_relative_to(root):
        return None
    return str(PurePosixPath(path.relative_to(root)))

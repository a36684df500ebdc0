"""Files that go to another name, and overwrite nothing there, whoever else writes.

A hard link takes a name only where nobody has it, in one step. Across file systems a copy is made
beside its destination first, read again, and then takes its name in the same way.
"""

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

from seentwice.dedupe.moving.plan import Move
from seentwice.files import digest_file

# Another file system, one without hard links, one that lets nobody link others' files, one more
# link than it can count.
_NO_LINK = (
    *(errno.EXDEV, errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK),
)


class ChangedError(OSError):
    """A file that is not the one any more that was looked at."""


def move_file(source: Path, target: Path, partial: str, seen: os.stat_result, move: Move) -> None:
    """Give a file another name, in a folder that exists.

    After a crash the file is at one of both names, or at both: then `is_same_move` says so, except
    of a copy on a file system without links.

    Args:
        source: the file, no link.
        target: its new name.
        partial: name of a copy that is not whole, in the folder of the target.
        seen: the file when its sha256 was found to be that of `move`.
        move: what a copy must hold, and the permissions and the time that it takes.

    Raises:
        FileExistsError: the new name is taken.
        ChangedError: the file changed meanwhile.
        OSError: of either folder; whatever is raised, the file is where it was.
    """
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        _move_copy(source, target, partial, seen, move)
        return
    _leave(source, target, seen)


def is_same_move(source: Path, target: Path, partial: str) -> bool:
    """Say whether one of two files is there only since a move between them broke off."""
    at_source, at_target = source.lstat(), target.lstat()
    if os.path.samestat(at_source, at_target):
        return True
    copies = ((source, at_source), (target, at_target))
    for path, found in copies:
        beside = path.with_name(partial)
        if os.path.lexists(beside) and os.path.samestat(beside.lstat(), found):
            return True
    return False


def give_name(partial: Path, target: Path) -> None:
    """Give a file a name in its folder that nobody has; where there are links it keeps its own.

    Raises:
        FileExistsError: the name is taken.
        OSError: the folder cannot be written.
    """
    try:
        os.link(partial, target)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        # Taken in one step, too, but by an empty file.
        target.touch(exist_ok=False)
        partial.replace(target)


def sync_folder(folder: Path) -> None:
    """Let the names in a folder outlast a power cut.

    Raises:
        OSError: the folder cannot be read.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _move_copy(source: Path, target: Path, partial: str, seen: os.stat_result, move: Move) -> None:
    if os.path.lexists(target):  # before much is copied in vain
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    beside = target.with_name(partial)
    try:
        _copy(source, beside, move)
        give_name(beside, target)
        sync_folder(target.parent)
        _leave(source, target, seen)
    finally:
        beside.unlink(missing_ok=True)


def _copy(source: Path, beside: Path, move: Move) -> None:
    with source.open("rb") as stream, beside.open("xb") as copy:
        shutil.copyfileobj(stream, copy)
        copy.flush()
        owner = os.fstat(stream.fileno())
        with suppress(PermissionError):  # an account may give nothing away
            os.fchown(copy.fileno(), owner.st_uid, owner.st_gid)
        with suppress(PermissionError):  # a file system may have no permissions
            shutil.copystat(source, beside)
            beside.chmod(move.mode)
        os.utime(copy.fileno(), ns=(move.modified_ns, move.modified_ns))
        os.fsync(copy.fileno())
    if digest_file(beside).hex() != move.sha256:
        raise ChangedError(errno.EIO, "its copy is not the same")


def _leave(source: Path, target: Path, seen: os.stat_result) -> None:
    """Take the old name away, or else the new one."""
    try:
        found = source.lstat()
        if not os.path.samestat(found, seen) or found.st_mtime_ns != seen.st_mtime_ns:
            raise ChangedError(errno.EBUSY, "changed while it was moved")
        source.unlink()
    except FileNotFoundError:  # somebody else took it away
        return
    except OSError:
        target.unlink()
        raise

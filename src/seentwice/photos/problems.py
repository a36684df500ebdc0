"""Why a path gave no photo, in one line."""

import errno
import os
import stat
from pathlib import Path

from seentwice.photos.formats import HEIC
from seentwice.records import Reason, Unreadable

_LONGEST_DETAIL = 200


class PhotoError(Exception):
    """A file that gave no photo; `unreadable` is the record of it."""

    def __init__(self, unreadable: Unreadable) -> None:
        super().__init__(f"{unreadable.path}: {unreadable.reason}: {unreadable.detail}")
        self.unreadable = unreadable


def find_problem(path: Path) -> Unreadable | None:
    """Return why a path is no file that can be opened, without opening it: a FIFO would hang."""
    try:
        status = path.stat()
    except OSError as error:
        return record_refusal(path, error)
    return find_obstacle(str(path), status)


def find_obstacle(path: str, status: os.stat_result) -> Unreadable | None:
    """Return why a path of this status is no file that can be opened."""
    if not stat.S_ISREG(status.st_mode):
        return Unreadable(Path(path), Reason.NOT_A_FILE, _kind_of(status.st_mode))
    if not os.access(path, os.R_OK):
        return Unreadable(Path(path), Reason.NO_PERMISSION, "may not be read")
    return None


def _kind_of(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def record_refusal(path: Path, error: OSError) -> Unreadable:
    """Record what the operating system says of a path that it does not open."""
    if error.errno in (errno.EACCES, errno.EPERM):
        reason = Reason.NO_PERMISSION
    elif error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG):
        reason = Reason.MISSING
    else:
        reason = Reason.DAMAGED
    return Unreadable(path, reason, to_line(error.strerror or error))


def record_undecoded(path: Path, name: str) -> Unreadable:
    """Record a photo of a format that is not decoded here; `name` is the format's."""
    way = "pip install 'seentwice[heic]', or convert" if name == HEIC else "convert"
    return Unreadable(path, Reason.UNDECODED, f"{name}; {way} it to JPEG or PNG")


def to_line(message: object) -> str:
    """Return a message without line breaks and control characters, which files may bring in."""
    words = " ".join(str(message).split()) or type(message).__name__
    return "".join(c if c.isprintable() else "?" for c in words)[:_LONGEST_DETAIL]

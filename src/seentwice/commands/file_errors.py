"""What the user can do where a file cannot be read or written."""

import errno
import os
from pathlib import Path

from seentwice.display import show_text

_IN_THE_WAY = (errno.ENOTDIR, errno.EEXIST)
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_OTHER_FOLDER = (
    "work in a folder that you may write to, or give one for the results, hydra.run.dir=FOLDER"
)


def describe_file_error(error: OSError, results: Path | None) -> str:
    """Return one line: the file or folder, what is wrong with it, and what to do.

    Args:
        error: that reading or writing ended with.
        results: the folder of the run's results; None before it was made.
    """
    if error.filename is None:
        return show_text(str(error))
    path = Path(str(error.filename2 or error.filename)).absolute()
    fault = f"{show_text(str(error.filename2 or error.filename))}: {error.strerror}"
    is_result = results is None or path.is_relative_to(results.absolute())
    # What is there and is not readable was to be read; the rest was to be written.
    is_read = os.path.lexists(path) and not os.access(path, os.R_OK)
    if error.errno in _FULL:
        return f"{fault}; free some, or work in another folder"
    if error.errno in (*_NOT_ALLOWED, *_IN_THE_WAY) and is_result and not is_read:
        return f"{fault}; {_OTHER_FOLDER}"
    if error.errno in _NOT_ALLOWED:
        return f"{fault}; let your account {'read' if is_read else 'write'} it"
    if error.errno in _IN_THE_WAY:
        return f"{fault}; a file has the name of a folder there: rename it, or name another folder"
    if error.errno == errno.ENOENT:
        return f"{fault}; it was there and is not any more, or a folder above it is missing"
    return fault

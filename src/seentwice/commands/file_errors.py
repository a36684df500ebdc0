"""What the user can do where a file cannot be read or written."""

import errno
from pathlib import Path

from seentwice.display import show_text

_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)
_FULL = (errno.ENOSPC, errno.EDQUOT)


def describe_file_error(error: OSError) -> str:
    """Return one line: the file or folder, what is wrong with it, and what to do."""
    if error.filename is None:
        return show_text(str(error))
    path = Path(str(error.filename2 or error.filename))
    where = show_text(str(path))
    if error.errno in _FULL:
        return f"{where}: {error.strerror}; free some, or work in another folder"
    if error.errno in _NOT_WRITABLE:
        return (
            f"{where}: {error.strerror}; work in a folder that you may write to, or "
            "give one for the results, hydra.run.dir=FOLDER"
        )
    return f"{where}: {error.strerror}"

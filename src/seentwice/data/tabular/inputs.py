"""Files that a data set writes: none of its other files, and in folders that can be made."""

import os
from collections.abc import Iterable
from pathlib import Path

from seentwice.display import show_text
from seentwice.errors import UserError


def keep_inputs(key: str, output: Path, inputs: Iterable[Path]) -> None:
    """Refuse a path to write to that leads to another file of the data set.

    Args:
        key: of the setting that names the output, for the error.
        output: the path, be there a file or not.
        inputs: the other files; links and other spellings of a path are seen through.

    Raises:
        UserError: it is one of them.
    """
    written = os.path.realpath(output)
    for path in inputs:
        if os.path.realpath(path) == written:
            raise UserError(f"{key}={output}: is {path}, which is used already; name another file")


def make_folder_of(key: str, output: Path) -> None:
    """Make the folder of a file that is to be written.

    Args:
        key: of the setting that names the file, for the error.
        output: the file.

    Raises:
        UserError: it cannot be made.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{key}={show_text(str(output))}: its folder cannot be made ({error.strerror}); name a "
            "file elsewhere"
        ) from error

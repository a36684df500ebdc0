"""What is written must not be one of the other files of a data set."""

import os
from collections.abc import Iterable
from pathlib import Path

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

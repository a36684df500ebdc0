"""The folders that `seentwice dedupe` writes to: apart from the photos, and writable."""

import os
from collections.abc import Mapping
from pathlib import Path

from seentwice.errors import UserError


def check_apart(root: Path, given: Mapping[str, Path], usual: Mapping[str, Path]) -> None:
    """Refuse to write where photos are looked for: thumbnails and tables would be found again.

    Args:
        root: the folder of the photos.
        given: option -> the folder that it named.
        usual: option that was not given -> the folder that is taken, below the current one.

    Raises:
        UserError: a folder of results is the folder of the photos, or lies in it.
    """
    inside = [
        f"{option} {folder}"
        for option, folder in (*given.items(), *usual.items())
        if lies_in(folder, root)
    ]
    if not inside:
        return
    missing = [option for option, folder in usual.items() if lies_in(folder, root)]
    advice = "name folders outside"
    if missing:
        options = " ".join(f"{option} FOLDER" for option in missing)
        advice = f"run from another folder, or give {options} outside"
    raise UserError(
        f"{' and '.join(inside)}: in the folder of the photos, where it would be searched; {advice}"
    )


def lies_in(folder: Path, root: Path) -> bool:
    """Say whether a folder is another one, or in it, wherever links lead."""
    return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(root))


def make_folder(option: str, folder: Path) -> None:
    """Make a folder that an option names, where it is missing.

    Raises:
        UserError: it cannot be made, or cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UserError(
            f"{option} {folder}: a file has the name of a folder there; name another one"
        ) from error
    except OSError as error:
        raise UserError(
            f"{option} {folder}: cannot be made ({error.strerror or error}); name a folder where "
            "you may write"
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"{option} {folder}: cannot be written; name a folder where you may write")

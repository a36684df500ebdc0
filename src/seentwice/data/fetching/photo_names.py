"""Whether an archive holds the photos that a data set is made of."""

from collections.abc import Callable
from pathlib import Path

from seentwice.display import name_first
from seentwice.errors import UserError
from seentwice.photos import find_photos


def check_photo_names(
    folder: Path, is_named: Callable[[str], bool], names: str, source: str
) -> None:
    """Refuse a folder that was unpacked from another archive than is wanted.

    A few other names are let through: whoever reads the folder names them, and there they can be
    mended.

    Args:
        folder: what came out; the errors do not name it, since it is not kept.
        is_named: whether the data set names its photos like a key, the path below the folder.
        names: how it names them.
        source: where the archive is to be had.

    Raises:
        UserError: no photo, or most are named otherwise.
    """
    try:
        files, _ = find_photos(folder)
    except UserError as error:
        raise UserError(f"holds no photo {names}, as that of {source} does") from error
    keys = [file.relative_to(folder).as_posix() for file in files]
    others = [key for key in keys if not is_named(key)]
    if 2 * len(others) > len(keys):
        raise UserError(
            f"{len(others):,} of its {len(keys):,} photos are not named {names}, as those of "
            f"{source} are ({name_first(others)})"
        )

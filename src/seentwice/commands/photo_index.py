"""Where the index of a folder of photos lies, which some commands make and others ask."""

import hashlib
import shlex
from pathlib import Path

from seentwice.commands.result_folders import lies_in
from seentwice.dedupe.looking import Decoding
from seentwice.errors import UserError
from seentwice.photos.finding import check_root

INDEXES = Path("data/prepared/index")
_SHOWN = 48  # characters of the folder's own name


def index_of(photos: Path, decoding: Decoding) -> Path:
    """Return the folder of the index of a folder of photos, by its path.

    Hashes of two ways of decoding are never compared, so each has an index of its own.
    """
    whole = photos.absolute()
    digest = hashlib.sha256(f"{decoding} {whole}".encode("utf-8", "surrogateescape")).hexdigest()
    name = "".join(char if char.isascii() and char.isalnum() else "_" for char in whole.name)
    return INDEXES / f"{name[:_SHOWN] or 'photos'}-{digest[:12]}"


def choose_index(
    index: Path | None, photos: Path | None, option: str = "--against", maker: str = "dedupe"
) -> Path:
    """Return the index that a photo is asked of: the one that is meant, or the only one.

    Args:
        index: its folder, if given.
        photos: the folder of its photos, if given.
        option: that gives the folder of photos.
        maker: the command that makes such an index.

    Raises:
        UserError: there is none, more than one to choose from, or no such folder of photos.
    """
    if index is not None:
        return index
    if photos is not None:
        for decoding in ("blocks", "full"):
            found = index_of(photos, decoding)
            if found.is_dir():
                return found
        check_root(photos)
        if lies_in(INDEXES, photos):
            words = shlex.join(["seentwice", maker, str(photos.absolute())])
            raise UserError(
                f"{str(photos)!r} has no index yet, and none may lie in it: in another folder run "
                f"{words}, and ask from there"
            )
        raise UserError(
            f"{str(photos)!r} has no index yet; make one: "
            f"{shlex.join(['seentwice', maker, str(photos)])}"
        )
    found_all = sorted(INDEXES.iterdir()) if INDEXES.is_dir() else []
    if len(found_all) == 1:
        return found_all[0]
    if not found_all:
        raise UserError(f"no index yet; make one: seentwice {maker} PHOTOS")
    names = ", ".join(str(path) for path in found_all[:5])
    raise UserError(f"several indexes; give {option} PHOTOS, or --index one of {names}")

"""Find the photos below a folder by their names, and list what only looks like one."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from seentwice.display import one_line
from seentwice.errors import UserError
from seentwice.photos.formats import HEAD_BYTES, RAW, decoder_of, name_format
from seentwice.photos.problems import find_problem, record_refusal, record_undecoded
from seentwice.records import Reason, Unreadable

EXTENSIONS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".bmp", ".dib"),
    *(".gif", ".tif", ".tiff", ".avif"),
)
# HEIC is not decoded here; files of these names that hold JPEG or AVIF are.
_HEIC_EXTENSIONS = (".heic", ".heif", ".hif")
# Many begin like a TIFF, which holds a small picture of them.
_UNDECODED_EXTENSIONS: Mapping[str, str] = {
    **dict.fromkeys((".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".rw2"), RAW),
    **dict.fromkeys((".jp2", ".j2k"), "JPEG 2000"),
    ".jxl": "JPEG XL",
}
_BITMAP = b"BM"  # two letters that texts begin with, too


def find_photos(root: Path) -> tuple[list[Path], list[Unreadable]]:
    """Find the files below a folder, at any depth, whose extension is one of `EXTENSIONS`.

    The extension, in either case, decides what is looked for; what a file holds decides how
    `read_photo` decodes it. Hidden files and folders are passed over, and so are links to
    folders, which may lead in circles; links to files are followed. Files of these extensions are
    not opened. Of others the first bytes are read, so that none that begins like a photo is passed
    over; those named as HEIC that hold another format are photos, too.

    Returns:
        The photos, and what is named or begins like a photo but is none that can be opened or
        decoded, together with the folders that cannot be listed; both in the order of their paths
        below `root`.

    Raises:
        UserError: `root` is missing, is no folder, cannot be listed, or holds no photo; or it is
            no `Path`.
    """
    _check_root(root)
    photos: list[str] = []
    unreadable: list[Unreadable] = []

    def refuse(error: OSError) -> None:
        path = Path(error.filename)
        if path == root:
            raise _unlisted(root, error)
        unreadable.append(record_refusal(path, error))

    start = len(os.path.join(root, ""))  # noqa: PTH118 - of the keys in the paths of os.walk
    for folder, folders, files in os.walk(root, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in (*folders, *files):
            if name.startswith("."):
                continue
            path = Path(folder, name)
            extension = path.suffix.lower()
            is_named = extension in EXTENSIONS or extension in _HEIC_EXTENSIONS
            problem = find_problem(path) if is_named else _find_resemblance(path)
            if problem is None and extension in _HEIC_EXTENSIONS:
                problem = _find_format(path, _read_head(path))
            if problem is not None:
                unreadable.append(problem)
            elif is_named:
                photos.append(os.path.join(folder, name)[start:])  # noqa: PTH118
    if not photos:
        first = next((f" ({str(p.path)!r}: {p.reason}: {p.detail})" for p in unreadable), "")
        raise UserError(
            f"{str(root)!r} holds no photo that is read{first}; give a folder that holds files of "
            f"{', '.join(EXTENSIONS)}"
        )
    photos.sort()
    unreadable.sort(key=lambda problem: problem.path.relative_to(root).as_posix())
    return [root / key for key in photos], unreadable


def _check_root(root: Path) -> None:
    given: object = root  # whatever its annotation says
    if not isinstance(given, Path):
        raise UserError(f"root={given!r}: give Path({str(given)!r})")
    try:
        mode = root.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UserError(
            f"{str(root)!r}: no such folder; give the folder that holds the photos"
        ) from error
    except OSError as error:
        raise _unlisted(root, error) from error
    if not stat.S_ISDIR(mode):
        raise UserError(f"{str(root)!r} is no folder; give the folder that holds the photos")


def _unlisted(root: Path, error: OSError) -> UserError:
    return UserError(
        f"{str(root)!r} cannot be listed ({error.strerror or one_line(error)}); let your account "
        "read it, or give another folder of photos"
    )


def _find_resemblance(path: Path) -> Unreadable | None:
    """Return why a file that is not named as a photo gives none; None where it is like none."""
    undecoded = _UNDECODED_EXTENSIONS.get(path.suffix.lower())
    if undecoded is not None:
        return find_problem(path) or record_undecoded(path, undecoded)
    head = _read_head(path)
    decoder = decoder_of(head)
    if decoder is None or decoder.format is None or head.startswith(_BITMAP):
        return _find_format(path, head)
    detail = f"begins like {decoder.format}; rename it to end in .{decoder.format.lower()}"
    return Unreadable(path, Reason.MISNAMED, detail)


def _find_format(path: Path, head: bytes) -> Unreadable | None:
    undecoded = name_format(head)
    return None if undecoded is None else record_undecoded(path, undecoded)


def _read_head(path: Path) -> bytes:
    """Return the first bytes of a file, none where it cannot be read: a FIFO would hang."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return b""
        with path.open("rb") as stream:
            return stream.read(HEAD_BYTES)
    except OSError:  # neither by name nor by content a photo, as far as one can see
        return b""

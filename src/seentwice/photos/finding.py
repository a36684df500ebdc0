"""Find the photos below a folder by their names, and list what only looks like one."""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seentwice.display import one_line
from seentwice.errors import UserError
from seentwice.photos.formats import HEAD_BYTES, RAW, decoder_of, name_format
from seentwice.photos.problems import (
    find_obstacle,
    find_problem,
    record_refusal,
    record_undecoded,
)
from seentwice.records import Reason, Unreadable

EXTENSIONS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".bmp", ".dib"),
    *(".gif", ".tif", ".tiff", ".avif"),
)
# Files of these names may hold JPEG or AVIF, and HEIC is decoded with an extra alone.
_HEIC_EXTENSIONS = (".heic", ".heif", ".hif")
# Many begin like a TIFF, which holds a small picture of them.
_UNDECODED_EXTENSIONS: Mapping[str, str] = {
    **dict.fromkeys((".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".rw2"), RAW),
    **dict.fromkeys((".jp2", ".j2k"), "JPEG 2000"),
    ".jxl": "JPEG XL",
}
_BITMAP = b"BM"  # two letters that texts begin with, too


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that is named as a photo, not opened yet."""

    key: str  # its path below the root with forward slashes; bytes that are not UTF-8 as surrogates
    size_bytes: int
    modified_ns: int  # since 1970
    device: int
    inode: int  # of the file that a link leads to; files of one device and inode are one
    is_link: bool  # a symbolic one


def find_photos(root: Path) -> tuple[list[Path], list[Unreadable]]:
    """Find the files below a folder, at any depth, whose extension is one of `EXTENSIONS`.

    See `walk_photos`.

    Returns:
        The photos, and what is named or begins like a photo but is none that can be opened or
        decoded, together with the folders that cannot be listed; both in the order of their paths
        below `root`.

    Raises:
        UserError: `root` is missing, is no folder, cannot be listed, or holds no photo; or it is
            no `Path`.
    """
    photos: list[str] = []
    unreadable: list[Unreadable] = []
    for found in walk_photos(root):
        if isinstance(found, Unreadable):
            unreadable.append(found)
        else:
            photos.append(found.key)
    if not photos:
        raise no_photos(root, unreadable)
    photos.sort()
    sort_unreadable(unreadable, root)
    return [root / key for key in photos], unreadable


def walk_photos(root: Path) -> Iterator[FoundFile | Unreadable]:
    """Yield the files below a folder, at any depth, whose extension is one of `EXTENSIONS`.

    The extension, in either case, decides what is looked for; what a file holds decides how
    `read_photo` decodes it. Hidden files and folders are passed over, and so are links to
    folders, which may lead in circles; links to files are followed. Files of these extensions are
    not opened. Of others the first bytes are read, so that none that begins like a photo is passed
    over; those named as HEIC that hold another format are photos, too.

    Yields:
        The photos, and what is named or begins like a photo but is none that can be opened or
        decoded, together with the folders that cannot be listed; in no order.

    Raises:
        UserError: `root` is missing, is no folder or cannot be listed; or it is no `Path`.
    """
    check_root(root)
    start = len(os.path.join(root, ""))  # noqa: PTH118 - of the keys in the paths of scandir
    folders = [str(root)]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if _is_folder(entry):
                        folders.append(entry.path)
                    found = _look_at(entry, start)
                    if found is not None:
                        yield found
        except OSError as error:  # of the folder: files have theirs told one by one
            if folder == str(root):
                raise _unlisted(root, error) from error
            yield record_refusal(Path(folder), error)


def no_photos(root: Path, unreadable: Sequence[Unreadable]) -> UserError:
    """Return the error of a folder without photos, which names what came nearest to one."""
    first = next((f" ({str(p.path)!r}: {p.reason}: {p.detail})" for p in unreadable), "")
    return UserError(
        f"{str(root)!r} holds no photo that is read{first}; give a folder that holds files of "
        f"{', '.join(EXTENSIONS)}"
    )


def sort_unreadable(unreadable: list[Unreadable], root: Path) -> None:
    """Put them in the order of their paths below the root."""
    unreadable.sort(key=lambda problem: problem.path.relative_to(root).as_posix())


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:  # gone, or on a disk that fails; looking at it tells
        return False


def _look_at(entry: os.DirEntry[str], start: int) -> FoundFile | Unreadable | None:
    """Return a file that is named as a photo, why it is none, or None of what is like none."""
    extension = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122 - of a million names
    is_heic = extension in _HEIC_EXTENSIONS
    if extension not in EXTENSIONS and not is_heic:
        return _find_resemblance(Path(entry.path))
    try:
        status = entry.stat()
    except OSError as error:
        return record_refusal(Path(entry.path), error)
    problem = find_obstacle(entry.path, status)
    if problem is None and is_heic:
        problem = _find_format(Path(entry.path), _read_head(Path(entry.path)))
    if problem is not None:
        return problem
    return FoundFile(
        entry.path[start:],
        status.st_size,
        status.st_mtime_ns,
        status.st_dev,
        status.st_ino,
        entry.is_symlink(),
    )


def check_root(root: Path) -> None:
    """Refuse a path that is no folder.

    Raises:
        UserError: it is missing, is no folder, cannot be looked at, or is no `Path`.
    """
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

"""Zip archives from outside: refused before a byte is written, or unpacked whole."""

import errno
import hashlib
import os
import re
import shutil
import stat
import struct
import unicodedata
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from seentwice.data.source import Progress
from seentwice.display import one_line
from seentwice.errors import UserError

CHECKSUMS = "SHA256SUMS"
"""Beside the files that were unpacked; `sha256sum --check SHA256SUMS` reads it."""
ARCHIVE_CHECKSUM = "ARCHIVE_SHA256"
"""Beside them too: the checksum of the archive that they came in."""

MAX_ENTRIES = 200_000
MAX_BYTES = 32 << 30
MAX_RATIO = 100
"""Bytes out of one byte of archive: photos hardly shrink, and a bomb of zeros reaches 1,032."""

Check = Callable[[Path], None]
"""Looks at what was unpacked; raises UserError, which says what the archive lacks."""

_OWN_FILES = (CHECKSUMS, ARCHIVE_CHECKSUM)
_CHUNK_BYTES = 1 << 20
_ENCRYPTED = 1  # bit of an entry's flags
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What zipfile and its decompressor raise of bytes that are no zip, or not the whole of one.
_DAMAGES = (BadZipFile, zlib.error, EOFError, struct.error, ValueError, NotImplementedError)


def extract_archive(
    archive: Path, folder: Path, shown: str, check: Check, on_progress: Progress
) -> None:
    """Unpack a zip into a folder that appears at once, when it is whole and on the disk.

    The folder gets the files `SHA256SUMS` and `ARCHIVE_SHA256` too; those that the zip of such a
    folder holds are left out. Until then all is in a hidden folder beside it, which a crash leaves
    behind and the next call removes. Callers keep other processes away.

    Args:
        archive: the zip.
        folder: absent or empty.
        shown: what errors call the archive.
        check: whether this is the archive that is wanted.
        on_progress: called with the files done so far and their total.

    Raises:
        UserError: no zip, a damaged one, or one that would write outside the folder, over another
            of its own files, or more than the limits above, or another than is wanted; `folder`
            is as it was.
        OSError: the disk is full, or may not be written.
    """
    draft = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        with ZipFile(archive) as opened:
            entries = opened.infolist()
            _check_names(entries, shown)
            _check_sizes(entries, archive.stat().st_size, shown)
            draft.mkdir()
            _write_files(opened, entries, draft, on_progress)
        _check_content(draft, check, shown)
        (draft / ARCHIVE_CHECKSUM).write_text(f"{_sha256_of(archive)}\n", encoding="utf-8")
        _flush(draft)
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
        _flush_folder(folder.parent)
    except (*_DAMAGES, OSError) as error:
        # EINVAL without a name: zipfile sought what a wrong entry puts before the beginning. With
        # one: the file system does not take the name.
        if isinstance(error, OSError) and (error.errno != errno.EINVAL or error.filename):
            raise
        detail = one_line(error) or "it ends early"
        raise UserError(f"{shown}: not a whole zip ({detail}); fetch it again") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def list_missing(folder: Path) -> tuple[list[str], int]:
    """Return the files of a folder's `SHA256SUMS` that are gone, and how many it lists.

    Only names are looked at; a folder without that file misses nothing.

    Raises:
        UserError: the file is damaged.
        OSError: it cannot be read.
    """
    sums = folder / CHECKSUMS
    if not sums.is_file():
        return [], 0
    # A line is 64 digits, two spaces, the name, which may hold line ends of Unicode, but no "\n".
    try:
        lines = sums.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise UserError(f"{sums} is damaged; delete the folder to fill it again") from error
    names = [line[66:] for line in lines if line]
    return [name for name in names if not (folder / name).is_file()], len(names)


def is_from(folder: Path, archive: Path) -> bool:
    """Whether what a folder holds was unpacked from this very archive.

    Raises:
        OSError: the archive cannot be read.
    """
    noted = folder / ARCHIVE_CHECKSUM
    return noted.is_file() and noted.read_bytes() == f"{_sha256_of(archive)}\n".encode()


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_names(entries: Sequence[ZipInfo], shown: str) -> None:
    # Some file systems tell neither case nor ways to write é apart: there, names that differ in
    # these alone are one file.
    files = {_fold(CHECKSUMS), _fold(ARCHIVE_CHECKSUM)}
    folders: set[str] = set()
    for entry in entries:
        if entry.orig_filename == "./":
            continue
        name = _name_of(entry)
        problem = _find_problem(entry, name)
        if problem is None and not entry.is_dir() and name not in _OWN_FILES:
            problem = "has the name of another" if _fold(name) in files else None
            files.add(_fold(name))
        if problem is not None:
            raise UserError(
                f"{shown}: its entry {entry.orig_filename!r} {problem}; nothing was unpacked"
            )
        if name in _OWN_FILES:
            continue
        path = PurePosixPath(_fold(name))
        folders.update(
            str(parent) for parent in (path, *path.parents)[0 if entry.is_dir() else 1 :]
        )
    both = sorted(files & folders)
    if both:
        raise UserError(f"{shown}: {both[0]!r} is a file and a folder in it; nothing was unpacked")


def _name_of(entry: ZipInfo) -> str:
    """Return the name below the archive's top, which some packers write as `./`."""
    # Not `filename`, where zipfile has cut what follows a NUL.
    return entry.orig_filename.removeprefix("./")


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _find_problem(entry: ZipInfo, name: str) -> str | None:
    """Say why an entry is not unpacked, whatever else is in the archive."""
    parts = name.removesuffix("/").split("/")
    kind = stat.S_IFMT(entry.external_attr >> 16)  # 0 where the packer knew no kinds
    if _CONTROL.search(name) or "\\" in name:
        return "has a name with a backslash or a control character"
    if not all(parts) or {".", ".."} & set(parts) or PureWindowsPath(name).drive:
        return "leaves the folder"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    if entry.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return "is packed in a way that is not read here"
    return None


def _check_sizes(entries: Sequence[ZipInfo], archive_bytes: int, shown: str) -> None:
    """Refuse bombs by what the entries say of themselves: zipfile gives no byte more."""
    total = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_ENTRIES:
        raise UserError(f"{shown}: {len(entries):,} entries, more than {MAX_ENTRIES:,}")
    if total > min(MAX_BYTES, MAX_RATIO * archive_bytes):
        raise UserError(
            f"{shown}: would unpack {archive_bytes:,} bytes to {total:,}, more than {MAX_RATIO} "
            f"times as many or than {MAX_BYTES:,}; nothing was unpacked"
        )


def _write_files(
    opened: ZipFile, entries: Sequence[ZipInfo], draft: Path, on_progress: Progress
) -> None:
    """Write every file, checked by its CRC, and their checksums."""
    files = [entry for entry in entries if not entry.is_dir() and _name_of(entry) not in _OWN_FILES]
    sums = []
    for number, entry in enumerate(files, start=1):
        path = draft / _name_of(entry)
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with opened.open(entry) as packed, path.open("xb") as file:
            while chunk := packed.read(_CHUNK_BYTES):
                digest.update(chunk)
                file.write(chunk)
        sums.append((_name_of(entry), digest.hexdigest()))
        on_progress(number, len(files))
    lines = [f"{digest}  {name}\n" for name, digest in sorted(sums)]
    (draft / CHECKSUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def _check_content(draft: Path, check: Check, shown: str) -> None:
    try:
        check(draft)
    except UserError as error:
        raise UserError(f"{shown}: {error}; nothing was kept") from error


def _flush(draft: Path) -> None:
    """Send all to the disk, after everything was written: one by one, each file would wait."""
    for folder, _, names in os.walk(draft):
        for name in names:
            with Path(folder, name).open("rb+") as file:
                os.fsync(file.fileno())
        _flush_folder(Path(folder))


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":  # opens no folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Photos that are fetched the first time they are used, by one process a host."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from seentwice.data.fetching.archives import (
    CHECKSUMS,
    Check,
    extract_archive,
    is_from,
    list_missing,
)
from seentwice.data.source import Progress
from seentwice.errors import UserError
from seentwice.locks import hold_lock

Fetch = Callable[[Path, Progress], None]
"""Downloads the archive into the file that it is given; raises UserError."""


def fill_folder(
    root: Path, archive: Path | None, fetch: Fetch | None, check: Check, on_progress: Progress
) -> None:
    """Unpack an archive into a folder, unless the folder already holds something.

    A folder that is not yet whole has another, hidden name, so what has this one is taken for
    whole. Processes that want the same folder wait for the one that fills it.

    Args:
        root: the folder; a missing or an empty one is filled.
        archive: a zip that is there already; it stays.
        fetch: downloads the zip, where there is none; None where nothing may be downloaded.
        check: whether what was unpacked is what is wanted; nothing else is kept.
        on_progress: called with (done, total): megabytes of the download, then files; (0, 0)
            while another process fills the folder.

    Raises:
        UserError: nothing to fill the folder with, an archive that is none, not fit to unpack or
            another than is wanted, a folder that holds something else than the archive, a download
            that fails, a full disk, what may not be read or written, or files that were there and
            are gone.
    """
    if archive is None and fetch is None:
        if not root.exists():
            raise UserError(
                f"{str(root)!r}: no such folder; give one that holds the photos, or "
                "data.archive=ZIP to fill it, or data.download_to=FOLDER to download them there"
            )
        return
    # A link is filled where it leads: a folder can be renamed only within a file system.
    root = Path(os.path.realpath(root))
    if archive is not None:
        with _read_errors(archive):
            if not archive.is_file():
                raise UserError(f"data.archive={archive}: no such file; give the zip of the photos")
            archive.open("rb").close()
    with _read_errors(root):
        is_filled = _is_filled(root)
    if not is_filled:
        with _disk_errors(root):
            root.parent.mkdir(parents=True, exist_ok=True)
            with hold_lock(root.with_name(f".{root.name}.lock"), lambda: on_progress(0, 0)):
                if not _is_filled(root):
                    _fill(root, archive, fetch, check, on_progress)
    if archive is not None:
        _check_origin(root, archive)
    with _read_errors(root):
        missing, count = list_missing(root)
    if missing:
        raise UserError(
            f"{root} lacks {len(missing):,} of the {count:,} files that {CHECKSUMS} lists, first "
            f"{missing[0]!r}; delete the folder to fill it again, or their lines to do without"
        )


def _check_origin(root: Path, archive: Path) -> None:
    """Refuse an archive that would go unused without a word."""
    with _read_errors(archive):
        is_same = is_from(root, archive)
    if not is_same:
        raise UserError(
            f"data.archive={archive}: {root} holds something else already; leave data.archive out "
            "to use that, or delete the folder, or give data.root=FOLDER, to unpack the archive"
        )


def _is_filled(root: Path) -> bool:
    return root.exists() and not (root.is_dir() and not any(root.iterdir()))


def _fill(
    root: Path, archive: Path | None, fetch: Fetch | None, check: Check, on_progress: Progress
) -> None:
    if archive is not None:
        extract_archive(archive, root, f"data.archive={archive}", check, on_progress)
    elif fetch is not None:
        part = root.with_name(f".{root.name}.zip.partial")
        try:
            fetch(part, on_progress)
            extract_archive(part, root, f"the download for {root}", check, on_progress)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def _read_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{error.filename or path} cannot be read ({error.strerror or error}); let your "
            "account read it, or give data.root=FOLDER or data.archive=ZIP that it may read"
        ) from error


@contextmanager
def _disk_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(f"{root}: the disk is full; make room and run the command again") from (
                error
            )
        raise UserError(
            f"{root} cannot be written ({error.strerror or error}); see to {root.parent}, or give "
            "data.download_to=FOLDER"
        ) from error

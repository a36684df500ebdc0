"""A file that was published with its size and its sha256."""

import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import urlsplit

from seentwice.data.fetching.addresses import Address, is_public
from seentwice.data.fetching.web import DownloadError, DownloadLimits, Web, fetch
from seentwice.data.source import Progress
from seentwice.errors import UserError
from seentwice.files import digest_file, open_atomically

_MEGABYTE = 1 << 20
_LOOPBACK_NAMES = ("127.0.0.1", "::1", "localhost")
LIMITS = DownloadLimits(total_seconds=24 * 3600, read_seconds=30)
"""Hours for large files over a slow line; one that stalls ends sooner, and is tried again."""


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """What was published, and where."""

    url: str
    sha256: str
    bytes: int


def download_published(
    published: PublishedFile, path: Path, on_progress: Progress, limits: DownloadLimits = LIMITS
) -> bool:
    """Download a file that is not there yet, and check it before it takes its name.

    A try that fails begins from the start; a file that is there is never replaced.

    Args:
        published: over https, or over http from this machine.
        path: the destination, in a folder that exists.
        on_progress: called with the megabytes done so far and their total.
        limits: of the download; the number of bytes is the published one.

    Returns:
        False where the very file was there already.

    Raises:
        UserError: another file is there, no network, or not what was published.
    """
    if is_there(published, path):
        return False
    web = replace(
        _choose_web(published.url),
        limits=replace(limits, max_bytes=published.bytes),
        accept="application/octet-stream, */*",
    )
    with open_atomically(path) as file:
        watched = _WatchedFile(file, published.bytes, on_progress)
        try:
            fetch(published.url, cast(BinaryIO, watched), web, threading.Event())
        except DownloadError as error:
            raise UserError(
                f"{published.url}: no file came ({error.reason.value}: {error.detail}); see to the "
                "network and run the command again"
            ) from error
        file.flush()
        found = digest_file(Path(file.name)).hex()
        if found != published.sha256:
            raise UserError(
                f"{published.url}: not what was published: its sha256 begins with {found[:12]} "
                f"instead of {published.sha256[:12]}, so it was not kept; run the command again"
            )
    return True


def is_there(published: PublishedFile, path: Path) -> bool:
    """Say whether the very file is there already.

    Raises:
        UserError: another file is.
    """
    if not path.exists():
        return False
    if path.is_file() and digest_file(path).hex() == published.sha256:
        return True
    raise UserError(f"{path}: holds something else; rename it, or give --to FOLDER")


def _choose_web(url: str) -> Web:
    """Return how a URL may be reached: a name from outside leads to no machine of a network here.

    Raises:
        UserError: it is neither https nor http to this machine itself.
    """
    try:
        parts = urlsplit(url)
        is_here = parts.hostname in _LOOPBACK_NAMES
    except ValueError as error:
        raise UserError(f"{url}: no URL; see the table of published checkpoints") from error
    if parts.scheme != "https" and not (parts.scheme == "http" and is_here):
        raise UserError(f"{url}: only https is fetched, or http from this machine")
    return Web(LIMITS, is_allowed=_is_loopback if is_here else is_public)


def _is_loopback(address: Address) -> bool:
    return address.is_loopback


class _WatchedFile:
    """What `fetch` needs of a file, with progress."""

    def __init__(self, file: BinaryIO, total_bytes: int, on_progress: Progress) -> None:
        self._file = file
        self._total = -(-total_bytes // _MEGABYTE)
        self._on_progress = on_progress

    def write(self, data: bytes) -> int:
        written = self._file.write(data)
        self._on_progress(-(-self._file.tell() // _MEGABYTE), self._total)
        return written

    def seek(self, offset: int) -> int:
        return self._file.seek(offset)

    def truncate(self) -> int:
        return self._file.truncate()

"""A public file, downloaded over HTTP."""

from collections.abc import Iterable, Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from seentwice.data.source import Progress
from seentwice.display import one_line
from seentwice.errors import UserError

TIMEOUT_S = 30
"""For the connection, and for the next bytes of one that stalls."""
MAX_BYTES = 16 << 30
_MEGABYTE = 1 << 20


def download_file(url: str, path: Path, on_progress: Progress) -> None:
    """Download a file, from its beginning; what `path` held is replaced.

    Args:
        url: http or https.
        path: in a folder that exists. After an error it may hold a part of the file.
        on_progress: called with the megabytes done so far and their total, 0 if unknown.

    Raises:
        UserError: no network, no such file, a broken connection, or more than `MAX_BYTES`.
    """
    if not url.startswith(("https://", "http://")):
        raise UserError(f"data.url={url}: give an address that begins with https://")
    try:
        response = urlopen(Request(url, headers={"User-Agent": "seentwice"}), timeout=TIMEOUT_S)
    except HTTPError as error:
        error.close()
        raise UserError(
            f"{url} answers {error.code} ({error.reason}); try later, or give data.url=ADDRESS, "
            "or data.archive=ZIP if you have the file"
        ) from error
    except (OSError, HTTPException, ValueError) as error:
        raise UserError(
            f"{url} cannot be reached ({one_line(error)}); see to the network and run the command "
            "again, or give data.archive=ZIP if you have the file"
        ) from error
    with response:
        length = response.headers.get("Content-Length")
        save_chunks(_read_chunks(response, url), path, _to_size(length), url, on_progress)


def save_chunks(
    chunks: Iterable[bytes],
    path: Path,
    total_bytes: int | None,
    source: str,
    on_progress: Progress,
) -> None:
    """Write what a server sends.

    Args:
        chunks: the parts of the file.
        path: in a folder that exists; what it held is replaced.
        total_bytes: what the server has announced, if anything.
        source: what errors call the server.
        on_progress: called with the megabytes done so far and their total, 0 if unknown.

    Raises:
        UserError: fewer bytes than announced, or more than `MAX_BYTES`.
    """
    done = 0
    with path.open("wb") as file:
        for chunk in chunks:
            done += len(chunk)
            if done > MAX_BYTES:
                raise UserError(f"{source} sends more than {MAX_BYTES:,} bytes; the download ends")
            file.write(chunk)
            on_progress(_to_megabytes(done), _to_megabytes(total_bytes or 0))
    if total_bytes is not None and done != total_bytes:
        raise interrupted(source, f"{done:,} of {total_bytes:,} bytes came")


def interrupted(source: str, detail: str) -> UserError:
    """Return the error of a connection that broke."""
    return UserError(f"{source}: the download broke off ({detail}); run the command again")


def _read_chunks(response: HTTPResponse, url: str) -> Iterator[bytes]:
    try:
        while chunk := response.read(_MEGABYTE):
            yield chunk
    except (OSError, HTTPException) as error:
        raise interrupted(url, one_line(error) or type(error).__name__) from error


def _to_size(length: str | None) -> int | None:
    return int(length) if length is not None and length.isdecimal() else None


def _to_megabytes(count: int) -> int:
    """Round up, so that only nothing is 0."""
    return -(-count // _MEGABYTE)

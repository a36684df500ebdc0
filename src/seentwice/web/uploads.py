"""Photos that are sent: files of a folder of their own while a request is answered."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from seentwice.files import digest_file
from seentwice.photos import HEAD_BYTES
from seentwice.photos.formats import decoder_of
from seentwice.photos.problems import PhotoError
from seentwice.web.failures import ApiError, invalid, later

_EXTENSIONS = {
    "AVIF": ".avif",
    "BMP": ".bmp",
    "GIF": ".gif",
    "JPEG": ".jpg",
    "PNG": ".png",
    "TIFF": ".tif",
    "WEBP": ".webp",
}


@dataclass(frozen=True, slots=True)
class SentPhoto:
    """A file that was sent."""

    file: Path
    sha256: bytes
    field: str  # of the request
    extension: str  # by what it holds; "" of what is no photo


Content = BinaryIO
"""Of a file that was sent."""


class UploadFolder:
    """A folder of files under names of chance, gone with the service."""

    def __init__(self) -> None:
        """Make it."""
        self._folder = Path(tempfile.mkdtemp(prefix="seentwice-uploads-"))

    def close(self) -> None:
        """Delete it, with all that is left there."""
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextmanager
    def keep(self, sent: Sequence[tuple[str, Content]]) -> Iterator[list[SentPhoto]]:
        """Have files that were sent on the disk during the block.

        Args:
            sent: the field and the content of each.

        Raises:
            ApiError: the disk is full.
        """
        kept: list[SentPhoto] = []
        try:
            for field, content in sent:
                path = self._folder / secrets.token_hex(16)
                kept.append(SentPhoto(path, b"", field, ""))
                kept[-1] = _write(path, content, field)
            yield kept
        finally:
            for photo in kept:
                photo.file.unlink(missing_ok=True)


def _write(path: Path, content: Content, field: str) -> SentPhoto:
    try:
        with path.open("xb") as file:
            content.seek(0)
            shutil.copyfileobj(content, file)
        return SentPhoto(path, digest_file(path), field, _extension_of(path))
    except OSError as error:
        raise later("unwritable", "what is sent cannot be kept now") from error


def check_photo(photo: SentPhoto) -> None:
    """Refuse what is no photo by its first bytes.

    Raises:
        ApiError: it is none.
    """
    if not photo.extension:
        raise invalid("no photo: not an image, or of a format that is not read", photo.field)


def tell_unreadable(error: PhotoError, field: str) -> ApiError:
    """Return the error of a file that gives no photo, without the name that it has here."""
    problem = error.unreadable
    return ApiError(
        422, "unreadable_photo", f"no photo: {problem.reason.value} ({problem.detail})", field
    )


def _extension_of(path: Path) -> str:
    with path.open("rb") as file:
        decoder = decoder_of(file.read(HEAD_BYTES))
    return "" if decoder is None else _EXTENSIONS[str(decoder.format)]

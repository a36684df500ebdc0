"""Photos of an index by the digest of their bytes, and nothing else of the disk."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from hashlib import file_digest
from pathlib import Path
from typing import BinaryIO

from fastapi import Response
from PIL import Image
from starlette.types import Receive, Scope, Send

from seentwice.dedupe.looking import open_regular
from seentwice.pages import make_thumbnail
from seentwice.photos import HEAD_BYTES, PhotoError, decode_photo
from seentwice.photos.formats import decoder_of
from seentwice.web.failures import ApiError
from seentwice.web.guard import PIECE_BYTES
from seentwice.web.live_index import OpenedIndex

SIDE_PX = 320
"""The longer side of a thumbnail."""
_MOST_BYTES = 1 << 27
"""Of a photo of which a thumbnail is made; a few are at a time."""


def open_indexed(opened: OpenedIndex, sha256: bytes) -> tuple[BinaryIO, str]:
    """Return the open file of a photo of the index, at its beginning, and its type.

    A file that was put in the place of a photo is not opened: its digest is another.

    Raises:
        ApiError: the index knows no such photo, or its file is gone or has changed.
    """
    recommender = opened.recommender
    state = recommender.state
    for number in state.find_same(sha256).tolist():
        with ExitStack() as stack, suppress(OSError, PhotoError):
            file = stack.enter_context(open_regular(recommender.root / state.photos.keys[number]))
            decoder = decoder_of(file.read(HEAD_BYTES))
            file.seek(0)
            if decoder is not None and file_digest(file, "sha256").digest() == sha256:
                file.seek(0)
                stack.pop_all()
                return file, Image.MIME[str(decoder.format)]
    raise ApiError(404, "not_found", "the index holds no photo of these bytes")


class FileAnswer(Response):
    """The content of an open file, read piece by piece as the client takes it, then closed."""

    def __init__(self, file: BinaryIO, media_type: str, headers: Mapping[str, str]) -> None:
        """Take a file at its beginning."""
        size = os.fstat(file.fileno()).st_size
        super().__init__(None, 200, {**headers, "Content-Length": str(size)}, media_type)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        with self._file:
            start = {"status": self.status_code, "headers": self.raw_headers}
            await send({"type": "http.response.start", **start})
            while piece := await asyncio.to_thread(self._file.read, PIECE_BYTES):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


def shrink(file: BinaryIO, max_pixels: int) -> bytes:
    """Return a small JPEG of a photo.

    Raises:
        ApiError: it cannot be decoded.
    """
    side = (SIDE_PX, SIDE_PX)
    try:
        image = decode_photo(file.read(_MOST_BYTES), Path("photo"), max_pixels, side)
    except PhotoError as error:
        raise ApiError(404, "not_found", "the photo cannot be shown") from error
    return make_thumbnail(image, SIDE_PX)

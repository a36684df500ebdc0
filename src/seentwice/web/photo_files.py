"""Photos of an index by the digest of their bytes, and nothing else of the disk."""

from pathlib import Path

from PIL import Image

from seentwice.dedupe.looking import open_regular
from seentwice.pages import make_thumbnail
from seentwice.photos import HEAD_BYTES, PhotoError, decode_photo
from seentwice.photos.formats import decoder_of
from seentwice.web.failures import ApiError
from seentwice.web.live_index import OpenedIndex
from seentwice.web.uploads import digest_bytes

SIDE_PX = 320
"""The longer side of a thumbnail."""
_MOST_BYTES = 1 << 28


def read_indexed(opened: OpenedIndex, sha256: bytes) -> tuple[bytes, str]:
    """Return the bytes of a photo of the index, and their type.

    What is read is told only if it has this digest: a file that was put in its place is not.

    Raises:
        ApiError: the index knows no such photo, or its file is gone or has changed.
    """
    recommender = opened.recommender
    state = recommender.state
    for number in state.find_same(sha256).tolist():
        try:
            with open_regular(recommender.root / state.photos.keys[number]) as file:
                content = file.read(_MOST_BYTES)
        except (OSError, PhotoError):
            continue
        decoder = decoder_of(content[:HEAD_BYTES])
        if decoder is not None and digest_bytes(content) == sha256:
            return content, Image.MIME[str(decoder.format)]
    raise ApiError(404, "not_found", "the index holds no photo of these bytes")


def shrink(content: bytes, max_pixels: int) -> bytes:
    """Return a small JPEG of a photo.

    Raises:
        ApiError: it cannot be decoded.
    """
    side = (SIDE_PX, SIDE_PX)
    try:
        image = decode_photo(content, Path("photo"), max_pixels, side)
    except PhotoError as error:
        raise ApiError(404, "not_found", "the photo cannot be shown") from error
    return make_thumbnail(image, SIDE_PX)

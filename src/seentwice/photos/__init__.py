"""Photos as files: find them, and decode each to upright RGB pixels or to the reason why not."""

from seentwice.photos.decoding import decode_photo, read_photo
from seentwice.photos.finding import EXTENSIONS, FoundFile, find_photos, walk_photos
from seentwice.photos.formats import HEAD_BYTES, is_photo_head
from seentwice.photos.problems import PhotoError

__all__ = [
    "EXTENSIONS",
    "HEAD_BYTES",
    "FoundFile",
    "PhotoError",
    "decode_photo",
    "find_photos",
    "is_photo_head",
    "read_photo",
    "walk_photos",
]

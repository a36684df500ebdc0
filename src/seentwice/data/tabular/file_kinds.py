"""What a file is that should have been a table of text, by its first bytes."""

import codecs
from io import BufferedReader
from pathlib import Path

from seentwice.errors import UserError
from seentwice.photos import HEAD_BYTES, is_photo_head

_AS_TEXT = "save the table as CSV in UTF-8"
_UNPACK = "unpack it, and name the table that it holds"
_WEB_PAGE = ("a web page", "download the table itself")
_UTF_16 = ("text in UTF-16", "save the file in UTF-8")

_SIGNATURES: tuple[tuple[bytes, tuple[str, str]], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ("an old workbook, such as Excel's .xls", _AS_TEXT)),
    (b"SQLite format 3\0", ("a SQLite database", _AS_TEXT)),
    (b"%PDF-", ("a PDF document", _AS_TEXT)),
    (b"\x1f\x8b", ("packed with gzip", _UNPACK)),
    (b"\xfd7zXZ\0", ("packed with xz", _UNPACK)),
    (b"\x28\xb5\x2f\xfd", ("packed with zstd", _UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", ("a 7z archive", _UNPACK)),
    (b"Rar!\x1a\x07", ("a RAR archive", _UNPACK)),
    (b"\xff\xfe\0\0", ("text in UTF-32", "save the file in UTF-8")),
    (b"\xff\xfe", _UTF_16),
    (b"\xfe\xff", _UTF_16),
)
_WEB_PAGES = (b"<!doctype html", b"<html")
_ZIP, _PARQUET = b"PK\x03\x04", b"PAR1"
_OPEN_DOCUMENT = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
_EXCEL = (b"[Content_Types].xml", b"xl/", b"_rels/.rels", b"docProps/")
_NAME_AT = 30
"""Where the name of its first entry stands in a zip."""


def check_text(path: Path, stream: BufferedReader) -> None:
    """Refuse what is no text, such as a workbook; nothing is taken from the stream.

    Args:
        path: the file's name, for the error.
        stream: at its begin; of a FIFO what there is so far is looked at.

    Raises:
        UserError: it is another kind of file, which the message names.
    """
    kind = _kind_of(stream.peek())
    if kind is not None:
        name, what_to_do = kind
        raise UserError(f"{path}: is {name}; {what_to_do}")


def _kind_of(head: bytes) -> tuple[str, str] | None:
    """Return what a file is that begins like this, and what to do; None for a text."""
    if head.startswith(_ZIP):
        entry = head[_NAME_AT:]
        if entry.startswith(_OPEN_DOCUMENT):
            return "a workbook of OpenDocument (.ods)", _AS_TEXT
        if entry.startswith(_EXCEL):
            return "a workbook of Excel (.xlsx)", _AS_TEXT
        return "a zip archive", _UNPACK
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head.removeprefix(codecs.BOM_UTF8).lstrip().lower().startswith(_WEB_PAGES):
        return _WEB_PAGE
    if b"\0" not in head:  # the names of columns may begin as what follows does
        return None
    if head.startswith(_PARQUET):
        return "a Parquet file", _AS_TEXT
    if is_photo_head(head[:HEAD_BYTES]):
        return "a photo", "name the table that names the photos"
    # Latin letters in UTF-16 without a mark: every other byte is 0.
    return _UTF_16 if head[:1] == b"\0" or head[1:2] == b"\0" else None

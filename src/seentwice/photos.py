"""Photos as files: find them, and decode each to upright RGB pixels or to the reason why not."""

import errno
import os
import stat
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from seentwice.errors import UserError
from seentwice.records import Reason, Unreadable

# HEIC is not decoded here, but phones write it: it is found, so that it is listed as unreadable.
EXTENSIONS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".bmp", ".dib"),
    *(".gif", ".tif", ".tiff", ".avif", ".heic", ".heif"),
)
HEAD_BYTES = 12
"""So many bytes of a file tell how it is decoded."""
_LONGEST_DETAIL = 200


class PhotoError(Exception):
    """A file that gave no photo; `unreadable` is the record of it."""

    def __init__(self, unreadable: Unreadable) -> None:
        super().__init__(f"{unreadable.path}: {unreadable.reason}: {unreadable.detail}")
        self.unreadable = unreadable


def find_photos(root: Path) -> tuple[list[Path], list[Unreadable]]:
    """Find the files below a folder, at any depth, whose extension is one of `EXTENSIONS`.

    The extension, in either case, decides what is looked for; what a file holds decides how
    `read_photo` decodes it. Hidden files and folders are passed over, and so are links to
    folders, which may lead in circles; links to files are followed. No file is opened.

    Returns:
        The photos, and what is named like a photo but cannot be opened as a file, together with
        the folders that cannot be listed; both in the order of their paths below `root`.

    Raises:
        UserError: `root` is missing, is no folder, or holds no photo.
    """
    if not root.exists():
        raise UserError(f"{str(root)!r}: no such folder; give the folder that holds the photos")
    if not root.is_dir():
        raise UserError(f"{str(root)!r} is no folder; give the folder that holds the photos")
    photos: list[Path] = []
    unreadable: list[Unreadable] = []

    def refuse(error: OSError) -> None:
        unreadable.append(_refused(Path(error.filename), error))

    for folder, folders, files in os.walk(root, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in (*folders, *files):
            path = Path(folder, name)
            if name.startswith(".") or path.suffix.lower() not in EXTENSIONS:
                continue
            problem = _find_problem(path)
            if problem is None:
                photos.append(path)
            else:
                unreadable.append(problem)
    if not photos:
        first = f" ({str(unreadable[0].path)!r}: {unreadable[0].reason})" if unreadable else ""
        raise UserError(
            f"{str(root)!r} holds no photo{first}; give a folder that holds files of "
            f"{', '.join(EXTENSIONS)}"
        )
    photos.sort(key=lambda path: path.relative_to(root).as_posix())
    unreadable.sort(key=lambda problem: problem.path.relative_to(root).as_posix())
    return photos, unreadable


def read_photo(path: Path, max_pixels: int) -> Image.Image:
    """Decode the first frame of a photo as it is meant to be seen.

    The photo is upright (EXIF orientation) and RGB. Transparent pixels lie on white. Of 16 bits
    the upper 8 are kept, as Pillow does in colour photos; other deep modes: see `_to_8_bits`.
    Colour profiles are not applied; `format` is what the file holds, whatever its name says. Called
    from several threads, it changes nothing that they share.

    For TIFF, WebP and GIF, Pillow's own `Image.MAX_IMAGE_PIXELS` holds beside `max_pixels`.
    Pillow warns of some malformed tags of TIFF, AVIF and animated PNG, with which no photo is
    lost unless warnings are errors; libtiff writes to stderr of its own accord.

    Args:
        path: A file; links are followed.
        max_pixels: Photos with more, by their header, are not decoded.

    Raises:
        PhotoError: the file is missing, empty, no image, damaged, ...: see `Reason`.
    """
    problem = _find_problem(path)
    if problem is not None:
        raise PhotoError(problem)
    try:
        with path.open("rb") as stream:
            return _decode(path, stream, max_pixels)
    except PhotoError:
        raise
    except PermissionError as error:
        raise PhotoError(_refused(path, error)) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoError(Unreadable(path, Reason.TOO_LARGE, _one_line(error))) from error
    # Decoders meet broken files with whatever they stumble over: KeyError, zlib.error, ...
    except Exception as error:
        reason = Reason.TRUNCATED if _is_end_of_data(error) else Reason.DAMAGED
        raise PhotoError(Unreadable(path, reason, _one_line(error))) from error


class _PlainJpeg(JpegImagePlugin.JpegImageFile):
    """A JPEG whose EXIF is left alone: Pillow parses it for the resolution, with warnings."""

    def getexif(self) -> Image.Exif:
        return Image.Exif()


_SIGNATURES: Mapping[bytes, type[ImageFile.ImageFile]] = {
    b"\xff\xd8\xff": _PlainJpeg,  # of an MPO, the first of its photos
    b"\x89PNG\r\n\x1a\n": PngImagePlugin.PngImageFile,
    b"GIF87a": GifImagePlugin.GifImageFile,
    b"GIF89a": GifImagePlugin.GifImageFile,
    b"BM": BmpImagePlugin.BmpImageFile,
    b"II*\0": TiffImagePlugin.TiffImageFile,
    b"MM\0*": TiffImagePlugin.TiffImageFile,
    b"II+\0": TiffImagePlugin.TiffImageFile,
    b"MM\0+": TiffImagePlugin.TiffImageFile,
}


def _decoder_of(head: bytes) -> type[ImageFile.ImageFile] | None:
    """Return the plugin of a file that begins with these `HEAD_BYTES`.

    Pillow's own `Image.open` warns of large photos and knows formats that run other programs.
    """
    if head[:4] == b"RIFF" and head[8:] == b"WEBP":
        return WebPImagePlugin.WebPImageFile
    if head[4:8] == b"ftyp" and head[8:] in (b"avif", b"avis", b"mif1"):
        return AvifImagePlugin.AvifImageFile
    for signature, decoder in _SIGNATURES.items():
        if head.startswith(signature):
            return decoder
    return None


def is_photo_head(head: bytes) -> bool:
    """Whether `read_photo` has a decoder for files that begin with these `HEAD_BYTES`."""
    return _decoder_of(head) is not None


def _decode(path: Path, stream: BinaryIO, max_pixels: int) -> Image.Image:
    head = stream.read(HEAD_BYTES)
    if not head:
        raise PhotoError(Unreadable(path, Reason.EMPTY, "0 bytes"))
    decoder = _decoder_of(head)
    if decoder is None:
        detail = "begins like no JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF"
        raise PhotoError(Unreadable(path, Reason.NOT_AN_IMAGE, detail))
    size, needed = stream.seek(0, os.SEEK_END), _least_length(stream, head)
    if size < needed:
        detail = f"{size} bytes of {needed} or more"
        raise PhotoError(Unreadable(path, Reason.TRUNCATED, detail))
    with _open(decoder, stream) as image:
        width, height = image.size
        if width * height > max_pixels:
            detail = f"{width} x {height} pixels are more than {max_pixels}"
            raise PhotoError(Unreadable(path, Reason.TOO_LARGE, detail))
        image.load()
        photo = _to_rgb(image)
        # TIFF is turned by Pillow's plugin while it loads.
        turn = None if image.format == "TIFF" else _TURNS.get(_orientation(image.info.get("exif")))
    if turn is not None:
        photo = photo.transpose(turn)
    photo.info = {}
    photo.format = decoder.format
    return photo


def _open(decoder: type[ImageFile.ImageFile], stream: BinaryIO) -> ImageFile.ImageFile:
    """Read the header.

    Raises:
        EOFError: the file ends within its header, whatever the plugin makes of that.
    """
    stream.seek(0)
    try:
        return decoder(stream)
    except (SyntaxError, ValueError, OSError, struct.error) as error:
        reads_all = decoder in (WebPImagePlugin.WebPImageFile, AvifImagePlugin.AvifImageFile)
        if not reads_all and not stream.read(1):
            raise EOFError(f"ends within its header: {error}") from error
        raise


def _least_length(stream: BinaryIO, head: bytes) -> int:
    """Return the bytes that a WebP or a TIFF must have by its own account; 0 for other files.

    Their decoders do not tell a cut file from a broken one, and Pillow only warns of tags that
    lie beyond the end. TIFF 6.0, section 2: a directory of entries (tag, type, count, value),
    where what is longer than 4 bytes stands elsewhere in the file.
    """
    if head[:4] == b"RIFF":
        return 8 + int.from_bytes(head[4:8], "little")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(head[:4])
    if order is None or len(head) < 8:
        return 0
    start: int = struct.unpack_from(f"{order}I", head, 4)[0]
    stream.seek(start)
    count_bytes = stream.read(2)
    if len(count_bytes) < 2:
        return start + 2
    count: int = struct.unpack(f"{order}H", count_bytes)[0]
    end = start + 2 + 12 * count + 4
    entries = stream.read(12 * count)
    for kind, number, value in struct.iter_unpack(
        f"{order}2xHII", entries[: len(entries) // 12 * 12]
    ):
        length = number * _TIFF_TYPE_BYTES.get(kind, 0)
        if length > 4:
            end = max(end, value + length)
    return end


_TIFF_TYPE_BYTES: Mapping[int, int] = {
    **dict.fromkeys((1, 2, 6, 7), 1),
    **dict.fromkeys((3, 8), 2),
    **dict.fromkeys((4, 9, 11, 13), 4),
    **dict.fromkeys((5, 10, 12), 8),
}


def _to_rgb(image: Image.Image) -> Image.Image:
    """Return a new RGB image of a loaded one."""
    if image.mode.startswith("I") or image.mode == "F":
        return _to_8_bits(image).convert("RGB")
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        white = Image.new("RGBA", seen.size, "white")
        return Image.alpha_composite(white, seen).convert("RGB")
    return image.convert("RGB")


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Scale a deep grey image to 0..255, where Pillow's `convert` would clip it to white.

    Integers have 16 bits, or 31 where one needs more. White in floats is the smallest of 1, 255
    and 65535 that none exceeds; what is above 65535, below 0 or not a number is clipped.
    """
    values = np.asarray(image)
    if image.mode == "F":
        values = np.clip(np.nan_to_num(values, posinf=65535), 0, 65535)
        white = next(limit for limit in (1, 255, 65535) if values.max() <= limit)
        return Image.fromarray(np.rint(values * (255 / white)).astype(np.uint8))
    bits = 16 if values.max() < 1 << 16 else 31
    grey = (np.maximum(values, 0) >> (bits - 8)).astype(np.uint8)
    hidden = image.info.get("transparency")
    return Image.fromarray(grey if hidden is None else np.where(values == hidden, 255, grey))


_TURNS: Mapping[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _orientation(exif: bytes | None) -> int:
    """Read the orientation, 1 to 8, of an EXIF block; 1 where it has none or is broken.

    EXIF 2.32, section 4.6: a TIFF directory, of which tag 0x0112 is read. Pillow's reader warns
    of broken tags elsewhere in the block, which are many and say nothing of the pixels.
    """
    data = (exif or b"").removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (entries,) = struct.unpack_from(f"{order}H", data, start)
        for entry in range(entries):
            at = start + 2 + 12 * entry
            tag, kind = struct.unpack_from(f"{order}HH", data, at)
            if tag == 0x0112:
                (value,) = struct.unpack_from(order + ("I" if kind == 4 else "H"), data, at + 8)
                return int(value)
    except struct.error:
        pass
    return 1


def _find_problem(path: Path) -> Unreadable | None:
    """Return why a path is no file that can be opened, without opening it: a FIFO would hang."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return _refused(path, error)
    if not stat.S_ISREG(mode):
        return Unreadable(path, Reason.NOT_A_FILE, _kind_of(mode))
    if not os.access(path, os.R_OK):
        return Unreadable(path, Reason.NO_PERMISSION, "may not be read")
    return None


def _kind_of(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def _refused(path: Path, error: OSError) -> Unreadable:
    """Record what the operating system says of a path that it does not open."""
    if error.errno in (errno.EACCES, errno.EPERM):
        reason = Reason.NO_PERMISSION
    elif error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG):
        reason = Reason.MISSING
    else:
        reason = Reason.DAMAGED
    return Unreadable(path, reason, _one_line(error.strerror or error))


def _is_end_of_data(error: Exception) -> bool:
    """Whether a decoder's error says that the file ended early.

    "Cannot load" is what Pillow says of a JPEG that ends between its header and its pixels.
    """
    words = str(error).lower()
    return isinstance(error, EOFError) or "truncated" in words or "cannot load" in words


def _one_line(message: object) -> str:
    """Return a message without line breaks and control characters, which files may bring in."""
    words = " ".join(str(message).split()) or type(message).__name__
    return "".join(c if c.isprintable() else "?" for c in words)[:_LONGEST_DETAIL]

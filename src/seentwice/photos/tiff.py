"""TIFF directories, of files and of the EXIF blocks in others: Pillow's reader warns too much."""

import struct
from collections.abc import Mapping
from typing import BinaryIO


def least_length(stream: BinaryIO, head: bytes) -> int:
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


def read_orientation(exif: bytes | None) -> int:
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

"""The files of a folder as columns: a million take megabytes, not an object each."""

from array import array
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from numpy.typing import NDArray

from seentwice.index.columns import decode_text, encode_text, make_texts
from seentwice.photos import FoundFile, walk_photos
from seentwice.records import Unreadable

_PART = 1 << 16  # keys that become an Arrow array at once


@dataclass(frozen=True, slots=True, eq=False)
class WalkedFiles:
    """Files that are named as photos, in no order."""

    keys: pa.LargeBinaryArray  # (n,)
    size_bytes: NDArray[np.int64]  # (n,)
    modified_ns: NDArray[np.int64]  # (n,)
    device: NDArray[np.uint64]  # (n,)
    inode: NDArray[np.uint64]  # (n,)
    is_link: NDArray[np.bool_]  # (n,)
    unreadable: tuple[Unreadable, ...]  # that need not be opened to be told

    def __len__(self) -> int:
        return len(self.keys)

    def key(self, index: int) -> str:
        """Return the key of one file."""
        return decode_text(self.keys[index].as_py())


@dataclass(slots=True)
class _Gathered:
    """Columns that grow."""

    keys: list[bytes] = field(default_factory=list)
    parts: list[pa.LargeBinaryArray] = field(default_factory=list)
    size_bytes: "array[int]" = field(default_factory=lambda: array("q"))
    modified_ns: "array[int]" = field(default_factory=lambda: array("q"))
    device: "array[int]" = field(default_factory=lambda: array("Q"))
    inode: "array[int]" = field(default_factory=lambda: array("Q"))
    is_link: "array[int]" = field(default_factory=lambda: array("b"))

    def add(self, file: FoundFile) -> None:
        self.keys.append(encode_text(file.key))
        self.size_bytes.append(file.size_bytes)
        self.modified_ns.append(file.modified_ns)
        self.device.append(file.device)
        self.inode.append(file.inode)
        self.is_link.append(file.is_link)
        if len(self.keys) >= _PART:
            self.seal()

    def seal(self) -> None:
        self.parts.append(make_texts(self.keys))
        self.keys.clear()


def walk_files(root: Path) -> WalkedFiles:
    """Find the files of a folder; see `walk_photos`.

    Raises:
        UserError: the root is missing, is no folder or cannot be listed.
    """
    gathered = _Gathered()
    unreadable: list[Unreadable] = []
    for found in walk_photos(root):
        if isinstance(found, Unreadable):
            unreadable.append(found)
        else:
            gathered.add(found)
    gathered.seal()
    return WalkedFiles(
        keys=pa.concat_arrays(gathered.parts),
        size_bytes=np.array(gathered.size_bytes, np.int64),
        modified_ns=np.array(gathered.modified_ns, np.int64),
        device=np.array(gathered.device, np.uint64),
        inode=np.array(gathered.inode, np.uint64),
        is_link=np.array(gathered.is_link, bool),
        unreadable=tuple(unreadable),
    )

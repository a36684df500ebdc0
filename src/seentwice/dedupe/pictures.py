"""The pictures of a table of photos: files of the same bytes or pixels are one picture.

Everything that follows works on pictures, so a file that is there a thousand times costs as much as
one, and makes a thousand rows of a group rather than half a million pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from numpy.typing import NDArray

from seentwice.dedupe.looking import OWN_BLOCKS
from seentwice.index.columns import (
    READ,
    decode_text,
    encode_text,
    find_values,
    make_texts,
    name_hash,
    take_values,
)
from seentwice.index.store import PhotoStore

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PhotoTable:
    """The photos of a store that gave pixels, in the order of their keys."""

    keys: pa.LargeBinaryArray  # (n,)
    size_bytes: NDArray[np.int64]  # (n,)
    modified_ns: NDArray[np.int64]  # (n,)
    sha256: NDArray[np.uint8]  # (n, 32) of the files
    width: NDArray[np.uint32]  # (n,)
    height: NDArray[np.uint32]  # (n,)
    hashes: NDArray[np.uint64]  # (n, h), a column a name of the store's
    signature: NDArray[np.uint8]  # (n, s)
    has_content: NDArray[np.bool_]  # (n,)
    is_own: NDArray[np.bool_]  # (n,) whether a JPEG's own block means were looked at

    def __len__(self) -> int:
        return len(self.keys)

    def key(self, photo: int) -> str:
        """Return the path of a photo below the root."""
        return decode_text(self.keys[photo].as_py())


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Photos put together that are the same; p pictures of n photos."""

    of_photo: Indices  # (n,) the picture of each photo
    first: Indices  # (p,) the first photo of each picture, which stands for it


def read_table(store: PhotoStore) -> PhotoTable:
    """Read what the store knows of photos.

    Raises:
        UserError: the store is damaged.
    """
    hashes = tuple(name_hash(name) for name in store.meta.hash_names)
    plain = ("size_bytes", "modified_ns", "sha256", "width", "height", "signature", "has_content")
    found = store.read_columns((*plain, *hashes, READ, "decoding"))
    is_read = np.flatnonzero(found[READ])
    is_own = find_values(found["decoding"], make_texts([encode_text(OWN_BLOCKS)])) >= 0
    return PhotoTable(
        keys=take_values(found["key"], is_read),
        hashes=np.stack([found[name][is_read] for name in hashes], axis=1),
        is_own=is_own[is_read],
        **{name: found[name][is_read] for name in plain},
    )


def group_same(rows: NDArray[np.uint8]) -> Pictures:
    """Put rows of bytes together that are equal, (n, b) with b a multiple of 8.

    Pictures are numbered in the order of their first photos.
    """
    words = np.ascontiguousarray(rows).view(np.uint64)
    order = np.lexsort(words.T)
    is_new = np.ones(len(order), bool)
    is_new[1:] = (words[order[1:]] != words[order[:-1]]).any(axis=1)
    return _number(order, np.cumsum(is_new) - 1)


def merge_pictures(pictures: Pictures, same_as: Indices) -> Pictures:
    """Put pictures together.

    Args:
        pictures: p of them.
        same_as: (p,) a picture that each is the same as, itself where it is alone; one that
            others are the same as is the same as itself.
    """
    joined = same_as[pictures.of_photo]
    order = np.argsort(joined, kind="stable")
    is_new = np.ones(len(order), bool)
    is_new[1:] = joined[order[1:]] != joined[order[:-1]]
    return _number(order, np.cumsum(is_new) - 1)


def _number(order: Indices, group: Indices) -> Pictures:
    """Number groups of photos by their first ones.

    Args:
        order: (n,) photos, those of a group beside each other and rising.
        group: (n,) the group of each, in that order.
    """
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    first = order[starts]
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    of_photo = np.empty(len(order), np.int64)
    of_photo[order] = rank[group]
    return Pictures(of_photo, np.sort(first))


def paths_of(table: PhotoTable, photos: Indices, root: Path) -> Sequence[Path]:
    """Return the files of some photos."""
    return [root / table.key(photo) for photo in photos.tolist()]

"""The file that holds a checkpoint: safetensors, opened without trust in what it says of itself."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from seentwice.display import one_line

LONGEST_HEADER = 4 << 20
"""In bytes; the longest that seentwice writes, of a whole trunk with its record, has a tenth."""

_LENGTH_BYTES = 8  # of the header's length, before it
_LOOKS = {
    b"PK": "a zip archive, such as torch.save writes",
    b"\x80": "a pickle",
    b"<": "a web page",
    b"version https://git-lfs": "a pointer of Git LFS: git lfs pull brings the file",
}


class WrongFileError(Exception):
    """What is wrong with a file: no sentence of its own, since it does not say what to do."""


@contextmanager
def open_safetensors(path: Path) -> Iterator[Any]:
    """Open a file of safetensors; no value of a tensor is read before it is asked for.

    Raises:
        WrongFileError: another kind of file, a part of one, or one that cannot be read; also where
            the block asks for a tensor that is not there.
    """
    try:
        _check_start(path)
        with safe_open(path, framework="pt") as stream:
            yield stream
    except (SafetensorError, OSError) as error:
        raise WrongFileError(one_line(error)) from error


def _check_start(path: Path) -> None:
    """Refuse a header that claims more than there is, before memory is taken for it."""
    with path.open("rb") as file:
        start = file.read(64)
        size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(start[:_LENGTH_BYTES], "little")
    has_header = start[_LENGTH_BYTES : _LENGTH_BYTES + 1] == b"{"
    if not has_header or length > LONGEST_HEADER:
        for first, what in _LOOKS.items():
            if start.startswith(first):
                raise WrongFileError(f"it looks like {what}")
    if start and not has_header and length > LONGEST_HEADER:
        raise WrongFileError("it is no safetensors file at all")
    if length > LONGEST_HEADER:
        raise WrongFileError(f"its header claims {length:,} bytes")
    if size < _LENGTH_BYTES + length:
        raise WrongFileError(f"it ends after {size:,} bytes, in its header")


def read_state(path: Path, prefix: str, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Read tensors, once all of their shapes are right.

    Args:
        path: the file.
        prefix: of their names in the file.
        like: tensors of the right shapes by their names without the prefix; their values do not
            matter, and they may be on the meta device.

    Raises:
        WrongFileError: see `open_safetensors`; or a tensor has another shape.
    """
    with open_safetensors(path) as stream:
        for name, tensor in like.items():
            found = tuple(stream.get_slice(f"{prefix}{name}").get_shape())
            if found != tuple(tensor.shape):
                raise WrongFileError(
                    f"{name} has the shape {found} instead of {tuple(tensor.shape)}"
                )
        return {name: stream.get_tensor(f"{prefix}{name}") for name in like}

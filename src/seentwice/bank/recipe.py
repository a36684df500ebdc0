"""What a kind of row is made of: equal recipes give equal rows of equal photos."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

KEY = np.dtype("S16")
"""A row's key: the first 128 bits of a sha256."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the values of a row besides the photo's bytes and its edit.

    Raises:
        ValueError: two parts of one name, of which the digest would know the last alone.
    """

    name: str  # of the kind of row
    parts: tuple[tuple[str, str], ...]  # (what, which), such as ("trunk", fingerprint)
    shape: tuple[int, ...]  # of one row; () is a single number
    dtype: str  # NumPy's name

    def __post_init__(self) -> None:
        if len(dict(self.parts)) < len(self.parts):
            raise ValueError(f"{self.name}: two parts have one name: {self.parts}")

    @property
    def digest(self) -> str:
        """The first 64 bits of the sha256 of the recipe, in hexadecimal."""
        return digest_text(self.to_json())

    @property
    def row_bytes(self) -> int:
        """The size of one row."""
        return prod(self.shape) * np.dtype(self.dtype).itemsize

    def to_json(self) -> str:
        """Return the recipe as one line that is the same for equal recipes."""
        return json.dumps(
            {
                "name": self.name,
                "parts": dict(self.parts),
                "shape": list(self.shape),
                "dtype": self.dtype,
            },
            sort_keys=True,
        )

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """Return the recipe of which `to_json` gave this line; its parts are sorted by name."""
        values = json.loads(text)
        shape, parts = tuple(values["shape"]), tuple(values["parts"].items())
        return cls(values["name"], parts, shape, values["dtype"])


def digest_text(recipe: str) -> str:
    """Return the digest of a recipe that `to_json` gave."""
    return hashlib.sha256(recipe.encode()).hexdigest()[:16]


def row_keys(contents: Sequence[bytes], edits: Sequence[str]) -> NDArray[np.bytes_]:
    """Return the key (n,) of each view.

    Args:
        contents: the sha256 of each photo's file.
        edits: the text of each view's edit; "" is the photo as it is.
    """
    digests = (
        hashlib.sha256(content + edit.encode()).digest()[: KEY.itemsize]
        for content, edit in zip(contents, edits, strict=True)
    )
    return np.frombuffer(b"".join(digests), KEY)

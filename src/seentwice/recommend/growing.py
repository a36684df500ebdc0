"""Columns that grow by a few rows at a time, without a copy of all that they held before."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SPARE = 8  # a room has place for an eighth more than it was made for

Texts = NDArray[np.object_]
"""Strings of Python, (n,)."""
Columns = tuple[NDArray[Any], ...]
"""Arrays of n rows each."""


class Room:
    """Place for rows; who was given fewer goes on to see those, while others follow behind them."""

    def __init__(self, columns: Columns, rows: int) -> None:
        """Copy columns into place for more.

        Args:
            columns: of as many rows as there are.
            rows: that must fit.
        """
        self._used = len(columns[0])
        places = rows + rows // _SPARE
        self._buffers = tuple(np.empty((places, *one.shape[1:]), one.dtype) for one in columns)
        for buffer, column in zip(self._buffers, columns, strict=True):
            buffer[: self._used] = column

    def has_place(self, start: int, more: int) -> bool:
        """Say whether rows fit here, and no others were put there before."""
        return self._used == start and start + more <= len(self._buffers[0])

    def put(self, added: Columns) -> Columns:
        """Return the columns with rows behind them."""
        start, self._used = self._used, self._used + len(added[0])
        for buffer, rows in zip(self._buffers, added, strict=True):
            buffer[start : self._used] = rows
        return tuple(buffer[: self._used] for buffer in self._buffers)


def append_rows(room: Room | None, columns: Columns, added: Columns) -> tuple[Room, Columns]:
    """Return columns with rows behind them, and the room that they are in.

    Args:
        room: that the columns are in, if they are in one.
        columns: of n rows; they stay as they are.
        added: of m rows.
    """
    start, more = len(columns[0]), len(added[0])
    if room is None or not room.has_place(start, more):
        room = Room(columns, start + more)
    return room, room.put(added)


def hold_texts(texts: Sequence[str]) -> Texts:
    """Return strings as an array (n,)."""
    made = np.empty(len(texts), object)
    made[:] = texts
    return made

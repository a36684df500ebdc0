"""Thumbnails for as long as the page has room for them."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path

UNREADABLE, NO_ROOM = -1, -2  # in place of the place of a thumbnail


class ThumbnailBudget:
    """How many bytes of thumbnails are left, and how many photos had none.

    Attributes:
        left_bytes: In base64.
        left_out: Photos for which there was no room.
    """

    def __init__(
        self, make: Callable[[Path], bytes | None], left_bytes: int, executor: Executor
    ) -> None:
        self._make = make
        self._executor = executor
        self._made: Mapping[str, bytes | None] = {}
        self.left_bytes = left_bytes
        self.left_out = 0

    def prepare(self, paths: Mapping[str, Path]) -> None:
        """Make the thumbnails of the next rows, several at once.

        Args:
            paths: By content, equal for photos of the same bytes.
        """
        made = self._executor.map(self._make, paths.values()) if self.left_bytes > 0 else ()
        self._made = dict(zip(paths, made, strict=False))

    def begin_row(self) -> "ThumbnailRow":
        """Return the row of the next group."""
        return ThumbnailRow(self)

    def find(self, content: str) -> str | None:
        """Return a thumbnail in base64, or None where the photo could not be read."""
        jpeg = self._made[content]
        return None if jpeg is None else b64encode(jpeg).decode("ascii")


class ThumbnailRow:
    """The thumbnails of one group: one for all photos of the same content."""

    def __init__(self, budget: ThumbnailBudget) -> None:
        self._budget = budget
        self._thumbnails: list[str] = []
        self._places: dict[str, int] = {}

    @property
    def taken(self) -> tuple[str, ...]:
        """Those that the page holds."""
        return tuple(self._thumbnails)

    def take(self, content: str) -> int:
        """Return the place of a photo's thumbnail in the row, `UNREADABLE` or `NO_ROOM`."""
        place = self._places.get(content, NO_ROOM)
        if place == NO_ROOM and self._budget.left_bytes > 0:
            place = self._places[content] = self._add(content)
        self._budget.left_out += place == NO_ROOM
        return place

    def _add(self, content: str) -> int:
        thumbnail = self._budget.find(content)
        if thumbnail is None:
            return UNREADABLE
        if len(thumbnail) > self._budget.left_bytes:
            # A smaller one may still fit, but pages are easier to follow that stop at one place.
            self._budget.left_bytes = 0
            return NO_ROOM
        self._budget.left_bytes -= len(thumbnail)
        self._thumbnails.append(thumbnail)
        return len(self._thumbnails) - 1

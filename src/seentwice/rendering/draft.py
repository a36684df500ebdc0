"""A room while it is being furnished: which stretch of which wall is still free."""

from dataclasses import replace

from numpy.random import Generator

from seentwice.rendering.furniture import Piece
from seentwice.rendering.palettes import between
from seentwice.rendering.scene import Box, Lamp, Vector, Window

WALLS = ("back", "left", "right")
_FREE_M = 1.1
"""Depth at y = 0 that stays free, for cameras to stand in."""


class Draft:
    """A room while it is being furnished."""

    def __init__(self, rng: Generator, room_type: str, size_m: Vector) -> None:
        self.rng = rng
        self.room_type = room_type
        self.size_m = size_m
        self.boxes: list[Box] = []
        self.lamps: list[Lamp] = []
        self.windows: list[Window] = []
        # Spans along each wall, near the floor and at the height of pictures.
        self._low: dict[str, list[tuple[float, float]]] = {wall: [] for wall in WALLS}
        self._high: dict[str, list[tuple[float, float]]] = {wall: [] for wall in WALLS}

    def reach(self, wall: str) -> tuple[float, float]:
        """Return the span of the wall that may be used."""
        if wall == "back":
            return 0.0, self.size_m[0]
        return _FREE_M, self.size_m[1]

    def find_gap(self, wall: str, width_m: float, low: bool, high: bool) -> float | None:
        """Return a place along the wall that is still free, or None."""
        start, end = self.reach(wall)
        taken = (self._low[wall] if low else []) + (self._high[wall] if high else [])
        for _ in range(12):
            at = between(self.rng, start, end - width_m) if end - width_m > start else start
            if at + width_m > end:
                return None
            if all(at >= b or at + width_m <= a for a, b in taken):
                return at
        return None

    def stand(self, piece: Piece, wall: str, tall: bool = False, at: float | None = None) -> bool:
        """Stand the piece against the wall if there is room; say whether there was."""
        if at is None:
            at = self.find_gap(wall, piece.width_m, low=True, high=tall)
        if at is None:
            return False
        self._low[wall].append((at - 0.05, at + piece.width_m + 0.05))
        if tall:
            self._high[wall].append((at - 0.05, at + piece.width_m + 0.05))
        # What stands in a corner also takes the end of the wall round it.
        width, depth, _ = self.size_m
        if wall == "back":
            if at < 0.9:
                self._low["left"].append((depth - piece.depth_m - 0.05, depth))
            if at + piece.width_m > width - 0.9:
                self._low["right"].append((depth - piece.depth_m - 0.05, depth))
        elif at + piece.width_m > depth - 0.9:
            corner = (0.0, piece.depth_m) if wall == "left" else (width - piece.depth_m, width)
            self._low["back"].append(corner)
        self.put(piece, wall, at, 0.0)
        return True

    def hang(self, piece: Piece, wall: str, height_m: float) -> bool:
        """Hang the piece on the wall if there is room; say whether there was."""
        at = self.find_gap(wall, piece.width_m, low=False, high=True)
        if at is None:
            return False
        self._high[wall].append((at - 0.08, at + piece.width_m + 0.08))
        self.put(piece, wall, at, height_m)
        return True

    def place_free(self, piece: Piece, x: float, out_m: float) -> None:
        """Stand the piece in the room, this far out from the back wall."""
        self.put(piece, "back", x, 0.0, out_m)

    def put(self, piece: Piece, wall: str, at: float, height_m: float, out_m: float = 0.0) -> None:
        """Turn the piece to face away from the wall and add it."""
        first_lamp = len(self.lamps)
        for box in piece.boxes:
            a = self._turn(box.low, wall, at, height_m, out_m)
            b = self._turn(box.high, wall, at, height_m, out_m)
            low = (min(a[0], b[0]), min(a[1], b[1]), a[2])
            high = (max(a[0], b[0]), max(a[1], b[1]), b[2])
            lamp = box.lamp + first_lamp if box.lamp >= 0 else -1
            self.boxes.append(replace(box, low=low, high=high, lamp=lamp))
        for lamp_in_piece in piece.lamps:
            place = self._turn(lamp_in_piece.position, wall, at, height_m, out_m)
            self.lamps.append(replace(lamp_in_piece, position=place))

    def _turn(self, point: Vector, wall: str, at: float, height_m: float, out_m: float) -> Vector:
        along, out, up = at + point[0], point[1] + out_m, point[2] + height_m
        if wall == "back":
            return along, self.size_m[1] - out, up
        return (out, along, up) if wall == "left" else (self.size_m[0] - out, along, up)

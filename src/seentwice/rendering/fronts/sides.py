"""Random draws whose ranges are disjoint between training and test."""

from typing import Literal, TypeVar

from numpy.random import Generator

Side = Literal["train", "test"]
Choice = TypeVar("Choice")

_BANDS = 6
"""A range is cut into that many bands of one width: every other one is the test's."""
_USED = 0.8
"""Share of a band that is drawn from; the rest keeps the sides apart."""


class SideDraws:
    """Draws for one side: what one side can draw, the other cannot, but both span the range."""

    def __init__(self, rng: Generator, side: Side) -> None:
        self.rng = rng
        self.side = side

    def between(self, low: float, high: float) -> float:
        """Return a number of this side's bands of [low, high)."""
        band = 2 * int(self.rng.integers(_BANDS // 2)) + (self.side == "test")
        within = (1 - _USED) / 2 + _USED * float(self.rng.random())
        return low + (high - low) * (band + within) / _BANDS

    def choose(self, train: tuple[Choice, ...], test: tuple[Choice, ...]) -> Choice:
        """Return one of this side's choices, each as likely as it is listed."""
        choices = train if self.side == "train" else test
        return choices[int(self.rng.integers(len(choices)))]

    def pick(self, *choices: Choice) -> Choice:
        """Return one of the choices that both sides share."""
        return choices[int(self.rng.integers(len(choices)))]

    def chance(self, share: float) -> bool:
        """Return true in this share of the calls."""
        return float(self.rng.random()) < share

    def seed(self) -> int:
        """Return a seed for a pattern's noise."""
        return int(self.rng.integers(1 << 31))

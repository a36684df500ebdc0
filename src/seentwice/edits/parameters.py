"""The numbers of an edit: how they are read, where they are valid, from where they are drawn."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from random import Random
from typing import get_type_hints

_DECIMALS = 4
_NUMBER = re.compile(r"-?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number of an edit; it stands in the annotation of the edit's field."""

    lowest: float
    highest: float
    drawn: tuple[tuple[float, float], ...]  # ranges, one of which is chosen and drawn from
    is_whole: bool = False
    excludes_lowest: bool = False

    def check(self, name: str, value: float) -> None:
        """Refuse a value that is not valid.

        Raises:
            ValueError: the message names the parameter and its range.
        """
        low, high = f"{self.lowest:.10g}", f"{self.highest:.10g}"
        if not self.lowest <= value <= self.highest:  # false for nan, too
            raise ValueError(f"{name} lies in {low} to {high}")
        if self.excludes_lowest and value == self.lowest:
            raise ValueError(f"{name} lies above {low} and up to {high}")
        if self.is_whole and value != int(value):
            raise ValueError(f"{name} is a whole number from {low} to {high}")

    def draw(self, random: Random) -> float:
        """Draw a value of few decimals, each as likely as the others of its range."""
        chosen = self.drawn[0]
        if len(self.drawn) > 1:
            chosen = self.drawn[int(random.random() * len(self.drawn))]
        low, high = chosen
        # Of Python's generator only `random` is promised to stay as it is in every version.
        if self.is_whole:
            return int(low + random.random() * (high - low + 1))
        return draw_between(random, low, high)


def read_number(text: str) -> float:
    """Read a number as texts of edits hold it: 7, -2.5, .5 or 1e-05.

    Python's `float` takes spaces, 1_0, nan and other scripts' digits besides.

    Raises:
        ValueError: it looks otherwise.
    """
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no number")
    return float(text)


def share(drawn_from: float = 0, drawn_to: float = 1) -> Parameter:
    """Return a parameter of 0 to 1."""
    return Parameter(0, 1, ((drawn_from, drawn_to),))


SEED = Parameter(0, 2**31 - 1, ((0, 2**31 - 1),), is_whole=True)
"""What an edit draws more than a few numbers from."""


def draw_between(random: Random, low: float, high: float) -> float:
    """Draw a number of four decimals, so that texts stay short."""
    return round(low + (high - low) * random.random(), _DECIMALS)


@cache
def parameters_of(kind: type) -> Mapping[str, Parameter]:
    """Return the parameters of an edit's class, in the order of its text."""
    hints = get_type_hints(kind, include_extras=True)
    return {each.name: hints[each.name].__metadata__[0] for each in fields(kind)}

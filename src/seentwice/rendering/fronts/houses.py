"""The styles, and how often each has how many storeys."""

from collections.abc import Callable, Mapping

from numpy.random import Generator

from seentwice.rendering.fronts.contemporary import build_contemporary
from seentwice.rendering.fronts.palette import Palette
from seentwice.rendering.fronts.panels import Panel
from seentwice.rendering.fronts.ranch import build_ranch
from seentwice.rendering.fronts.sides import SideDraws
from seentwice.rendering.fronts.spanish import build_spanish
from seentwice.rendering.fronts.traditional import build_traditional

BUILDS: Mapping[str, Callable[[SideDraws, Palette, int], list[Panel]]] = {
    "contemporary": build_contemporary,
    "ranch": build_ranch,
    "traditional": build_traditional,
    "spanish": build_spanish,
}
STYLES = tuple(BUILDS)
STOREYS = ("one", "two", "three_or_more")

_RANCH = (5, 4, 0)
_OTHERS = (7, 8, 12)
"""Weights of the storeys. A ranch house has no third; so that each number of storeys is as frequent
over all styles, the others have it oftener: 5/9 + 3 * 7/27 = 4/9 + 3 * 8/27 = 3 * 12/27."""


def draw_storeys(rng: Generator, style: str) -> str:
    """Return how many storeys a house of the style has."""
    weights = _RANCH if style == "ranch" else _OTHERS
    at = int(rng.integers(sum(weights)))
    for storeys, weight in zip(STOREYS, weights, strict=True):
        if at < weight:
            return storeys
        at -= weight
    raise AssertionError("the weights end after their sum")

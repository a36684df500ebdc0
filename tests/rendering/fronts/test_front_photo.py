import hashlib
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import PCG64, Generator

from seentwice.rendering.fronts import photo
from seentwice.rendering.fronts.houses import BUILDS, STOREYS, STYLES, draw_storeys
from seentwice.rendering.fronts.palette import Palette
from seentwice.rendering.fronts.panels import Panel
from seentwice.rendering.fronts.photo import render_front
from seentwice.rendering.fronts.sides import Side, SideDraws

SIZE_PX = (64, 48)


@pytest.mark.parametrize(
    ("style", "checksum"),
    [
        ("spanish", "5bc8a7381738bea73afab38e5142ac610b885b0d4adf212924b555d7aa759909"),
        ("contemporary", "f766fc911522510d6d9800f05c26008a11505000e2abf128430624b2f20ffa7a"),
    ],
)
def test_pixels_are_the_same_on_every_machine(style: str, checksum: str) -> None:
    pixels = render_front(7, style, "two", "train", (160, 120))
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == checksum


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("side", ["train", "test"])
def test_every_style_gives_pictures_with_content(style: str, side: Side) -> None:
    for seed in range(12):
        storeys = STOREYS[seed % (2 if style == "ranch" else 3)]
        pixels = render_front(seed, style, storeys, side, SIZE_PX)
        assert pixels.shape == (48, 64, 3)
        assert pixels.dtype == np.uint8
        assert pixels.std() > 8


def test_seeds_styles_storeys_and_sides_all_change_the_picture() -> None:
    pictures = [
        render_front(seed, style, storeys, side, SIZE_PX).tobytes()
        for seed in (0, 1)
        for style in ("traditional", "spanish")
        for storeys in STOREYS
        for side in ("train", "test")
    ]
    assert len(set(pictures)) == len(pictures)


def test_one_seed_has_the_same_colours_whatever_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a colour could tell a style: this is what keeps the histogram near chance."""
    seen: list[tuple[str, Palette]] = []

    def record(style: str) -> Callable[[SideDraws, Palette, int], list[Panel]]:
        build = BUILDS[style]

        def build_recorded(draws: SideDraws, palette: Palette, floors: int) -> list[Panel]:
            seen.append((style, palette))
            return build(draws, palette, floors)

        return build_recorded

    monkeypatch.setattr(photo, "BUILDS", {style: record(style) for style in STYLES})
    for seed in range(4):
        for style in STYLES:
            for storeys in ("one", "two"):
                render_front(seed, style, storeys, "train", SIZE_PX)
    palettes = [palette for _, palette in seen]
    each = len(STYLES) * 2
    assert all(palettes[n] == palettes[n - n % each] for n in range(len(palettes)))
    assert any(palettes[n] != palettes[0] for n in range(each, len(palettes)))


def test_storeys_are_equally_frequent_over_the_styles() -> None:
    rng = Generator(PCG64(0))
    drawn = [(style, draw_storeys(rng, style)) for style in STYLES for _ in range(3000)]
    counts = Counter(storeys for _, storeys in drawn)
    assert all(abs(counts[storeys] - 4000) < 200 for storeys in STOREYS)
    assert ("ranch", "three_or_more") not in drawn

"""What holds for every edit and strength there is."""

from dataclasses import astuple
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seentwice.edits import EDITS, STRENGTHS, apply_edit, draw_edits, parse_edit, sizes_of
from seentwice.edits.geometry import Crop
from seentwice.edits.parameters import parameters_of

NAMES = tuple(EDITS)
SIZES = [(1, 1), (1, 9), (9, 1), (2, 2), (3, 300), (300, 3), (31, 17), (64, 48)]


def draw_photo(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def values_of(parameter):
    low, high = parameter.lowest, parameter.highest
    if parameter.is_whole:
        return st.integers(int(low), int(high))
    return st.floats(low, high, exclude_min=parameter.excludes_lowest)


def edits_of(kind):
    if kind is Crop:  # where the cut lies depends on its size
        return st.floats(0, 1, exclude_min=True).flatmap(
            lambda keep: st.builds(
                Crop, st.floats(0, 1 - keep), st.floats(0, 1 - keep), st.just(keep)
            )
        )
    return st.builds(kind, *(values_of(each) for each in parameters_of(kind).values()))


edits = st.sampled_from(NAMES).flatmap(lambda name: edits_of(EDITS[name]))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30, deadline=None)
@given(st.data())
def test_the_text_of_an_edit_reads_back_as_the_edit(name: str, data) -> None:
    edit = data.draw(edits_of(EDITS[name]))
    assert parse_edit(str(edit)) == edit
    assert str(parse_edit(str(edit))) == str(edit)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=12, deadline=None)
@given(st.data(), st.sampled_from(SIZES))
def test_an_edit_is_a_function_of_photo_and_text(name: str, data, size: tuple[int, int]) -> None:
    text = str(data.draw(edits_of(EDITS[name])))
    photo = draw_photo(*size)
    before = photo.tobytes()
    edited, again = apply_edit(photo, text), apply_edit(photo.copy(), text)
    assert edited.mode == "RGB"
    assert type(edited) is Image.Image
    assert (edited.size, edited.tobytes()) == (again.size, again.tobytes())
    assert min(edited.size) >= 1
    assert edited.size == parse_edit(text).resized(size)
    edited.paste("red", (0, 0, *edited.size))
    assert photo.tobytes() == before


@pytest.mark.parametrize("name", NAMES)
def test_drawn_edits_lie_in_their_drawn_ranges_and_vary(name: str) -> None:
    texts = {draw_edits(f"{number}.jpg", [name], 0)[0] for number in range(300)}
    parameters = list(parameters_of(EDITS[name]).values())
    if not parameters:
        assert texts == {name}
        return
    columns = zip(*(astuple(parse_edit(text)) for text in texts), strict=True)
    for parameter, column in zip(parameters, columns, strict=True):
        values = set(column)
        for low, high in parameter.drawn:
            assert parameter.lowest <= low <= high <= parameter.highest
            inside = [value for value in values if low <= value <= high]
            assert len(inside) >= min(3, high - low + 1 if parameter.is_whole else 3)
            values -= set(inside)
        assert not values
        assert all(value == round(value, 4) for value in column)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_numbers_draw_the_same_edit(name: str) -> None:
    assert EDITS[name].draw(Random(5)) == EDITS[name].draw(Random(5))


@pytest.mark.parametrize("name", NAMES)
def test_every_drawn_edit_shows(name: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (121, 161, 3), dtype=np.uint8)
    photo = Image.fromarray(pixels)
    for number in range(10):
        edited = apply_edit(photo, draw_edits(f"{number}.jpg", [name], 0)[0])
        if edited.size == photo.size:
            differing = (np.asarray(edited) != np.asarray(photo)).any(axis=2)
            assert differing.mean() > 0.005


@settings(max_examples=40, deadline=None)
@given(st.lists(edits, min_size=1, max_size=3), st.sampled_from(SIZES))
def test_any_chain_is_its_parts_one_after_another(chain, size: tuple[int, int]) -> None:
    photo = draw_photo(*size)
    stepwise, sizes = photo, []
    for edit in chain:
        stepwise = apply_edit(stepwise, str(edit))
        sizes.append(stepwise.size)
    whole = apply_edit(photo, "|".join(map(str, chain)))
    assert (whole.size, whole.tobytes()) == (stepwise.size, stepwise.tobytes())
    assert sizes_of(size, "|".join(map(str, chain))) == tuple(sizes)


@pytest.mark.parametrize(
    ("strength", "name"),
    [(strength, name) for strength, names in STRENGTHS.items() for name in names],
)
@pytest.mark.parametrize("size", [(1, 1), (1, 65), (64, 48)])
def test_every_strength_is_drawn_and_applied(
    strength: str, name: str, size: tuple[int, int]
) -> None:
    (text,) = draw_edits("a.jpg", [name], 0)
    assert text.count("|") == name.count("|")
    assert apply_edit(draw_photo(*size), text).mode == "RGB"


def test_names_are_unique_and_documented() -> None:
    assert all(kind.name == name and kind.__doc__ for name, kind in EDITS.items())
    assert len({name for names in STRENGTHS.values() for name in names}) == sum(
        len(names) for names in STRENGTHS.values()
    )

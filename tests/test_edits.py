from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seentwice.edits import (
    EDITS,
    Crop,
    HFlip,
    Rotate,
    Watermark,
    apply_edit,
    draw_edits,
    parse_edit,
)
from seentwice.errors import UserError

NAMES = tuple(EDITS)
SIZES = [(1, 1), (1, 7), (7, 1), (2, 2), (97, 61), (61, 97)]


def draw_photo(width: int, height: int, seed: int = 0) -> Image.Image:
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def changed(before: Image.Image, after: Image.Image) -> np.ndarray:
    return (np.asarray(before) != np.asarray(after)).any(axis=2)


shares = st.floats(0, 1)
edits = st.one_of(
    st.builds(Watermark, shares, shares, st.floats(1e-3, 1)),
    st.floats(1e-3, 1).flatmap(
        lambda keep: st.builds(Crop, st.floats(0, 1 - keep), st.floats(0, 1 - keep), st.just(keep))
    ),
    st.builds(Rotate, st.floats(-180, 180)),
    st.just(HFlip()),
)


@given(edits)
def test_the_text_of_an_edit_reads_back_as_the_edit(edit) -> None:
    assert parse_edit(str(edit)) == edit
    assert str(parse_edit(str(edit))) == str(edit)


@settings(max_examples=60, deadline=None)
@given(st.lists(edits, min_size=1, max_size=3), st.sampled_from(SIZES))
def test_any_chain_gives_a_new_photo_of_the_same_size(chain, size: tuple[int, int]) -> None:
    photo = draw_photo(*size)
    before = photo.tobytes()
    edited = apply_edit(photo, "|".join(map(str, chain)))
    assert (edited.mode, edited.size) == ("RGB", size)
    assert photo.tobytes() == before
    edited.paste("red", (0, 0, *size))
    assert photo.tobytes() == before


@pytest.mark.parametrize("name", NAMES)
def test_drawn_edits_lie_in_their_ranges_and_vary(name: str) -> None:
    texts = {draw_edits(f"{number}.jpg", [name], 0)[0] for number in range(500)}
    drawn = [parse_edit(text) for text in texts]
    assert {str(edit) for edit in drawn} == texts
    if name == "hflip":
        assert texts == {"hflip"}
        return
    assert len(texts) > 450
    for edit in drawn:
        if isinstance(edit, Crop):
            assert 0.85 <= edit.keep <= 0.95
            assert min(edit.left, edit.top) >= 0
            assert max(edit.left, edit.top) + edit.keep <= 1 + 1e-9
        elif isinstance(edit, Rotate):
            assert 2 <= abs(edit.degrees) <= 10
        else:
            assert isinstance(edit, Watermark)
            assert 0.2 <= edit.width <= 0.4
        assert all(number == round(number, 4) for number in astuple(edit))
    if name == "rotate":
        share = np.mean([edit.degrees > 0 for edit in drawn if isinstance(edit, Rotate)])
        assert 0.4 < share < 0.6


def test_golden_texts() -> None:
    assert draw_edits("kitchen/oslo_7_1.jpg", [*NAMES, "rotate|hflip"], 0) == (
        "watermark:0.5319,0.7342,0.3615",
        "crop:0.0406,0.0371,0.8652",
        "rotate:-9.6613",
        "hflip",
        "rotate:-9.6613|hflip",
    )


def test_an_edit_follows_from_seed_key_and_name_alone() -> None:
    together = draw_edits("a.jpg", NAMES, 0)
    assert draw_edits("a.jpg", NAMES[::-1], 0) == together[::-1]
    assert tuple(draw_edits("a.jpg", [name], 0)[0] for name in NAMES) == together
    for other in (draw_edits("b.jpg", NAMES, 0), draw_edits("a.jpg", NAMES, 1)):
        assert all(a != b for a, b in zip(other[:3], together[:3], strict=True))


def test_a_chain_is_drawn_and_applied_part_by_part() -> None:
    rotate, chain = draw_edits("a.jpg", ["rotate", "rotate|hflip"], 3)
    assert chain == f"{rotate}|hflip"
    photo = draw_photo(40, 30)
    by_hand = apply_edit(apply_edit(photo, rotate), "hflip")
    assert apply_edit(photo, chain).tobytes() == by_hand.tobytes()
    assert apply_edit(photo, f"hflip|{rotate}").tobytes() != by_hand.tobytes()


def test_keys_of_any_bytes_are_drawn_for() -> None:
    odd = b"caf\xe9\n.jpg".decode("utf-8", "surrogateescape")
    assert draw_edits(odd, ["crop"], 0) != draw_edits("caf.jpg", ["crop"], 0)


@pytest.mark.parametrize("name", NAMES)
def test_equal_texts_give_equal_pixels_and_every_edit_shows(name: str) -> None:
    photo = draw_photo(97, 61)
    (text,) = draw_edits("a.jpg", [name], 0)
    once, again = apply_edit(photo, text), apply_edit(photo.copy(), text)
    assert once.tobytes() == again.tobytes()
    assert changed(photo, once).any()


def test_mirroring_reverses_rows_and_twice_is_nothing() -> None:
    photo = draw_photo(9, 5)
    mirrored = np.asarray(apply_edit(photo, "hflip"))
    np.testing.assert_array_equal(mirrored, np.asarray(photo)[:, ::-1])
    assert apply_edit(photo, "hflip|hflip").tobytes() == photo.tobytes()


@pytest.mark.parametrize("text", ["crop:0,0,1", "rotate:0"])
def test_edits_of_nothing_change_nothing(text: str) -> None:
    photo = draw_photo(31, 17)
    assert apply_edit(photo, text).tobytes() == photo.tobytes()


def test_a_crop_shows_what_it_keeps() -> None:
    pixels = np.zeros((100, 100, 3), dtype=np.uint8)
    pixels[:10], pixels[:, :10] = 255, 255
    cropped = np.asarray(apply_edit(Image.fromarray(pixels), "crop:0.1,0.1,0.9"))
    assert cropped.max() == 0
    shifted = np.asarray(apply_edit(Image.fromarray(pixels), "crop:0.05,0,0.5"))
    # 5 of the 10 white columns are left, twice as wide.
    assert shifted[50, :9].min() == 255
    assert shifted[50, 11:].max() < 60
    assert shifted[50, 14:].max() == 0


def test_a_rotation_turns_counter_clockwise_and_opens_white_corners() -> None:
    pixels = np.zeros((101, 101, 3), dtype=np.uint8)
    pixels[48:53, 80:] = (255, 0, 0)  # a red hand at three o'clock
    turned = np.asarray(apply_edit(Image.fromarray(pixels), "rotate:10"))
    assert turned[0, 0].tolist() == turned[-1, -1].tolist() == [255, 255, 255]
    assert turned[50, 50].tolist() == [0, 0, 0]
    red = (turned[..., 0] > 200) & (turned[..., 1] < 50)
    assert np.nonzero(red)[0].mean() < 48


@pytest.mark.parametrize("ground", ["white", "black", "grey"])
def test_a_watermark_shows_on_any_ground_and_only_inside_its_plate(ground: str) -> None:
    photo = Image.new("RGB", (400, 300), ground)
    differs = changed(photo, apply_edit(photo, "watermark:0.5,0.5,0.3"))
    rows, columns = np.nonzero(differs)
    assert 0.003 < differs.mean() < 0.05
    assert columns.min() >= 140 - 1
    assert columns.max() <= 260
    assert rows.min() >= 138 - 1
    assert rows.max() <= 162


@pytest.mark.parametrize(
    ("text", "corner"),
    [("watermark:0,0,0.2", (0, 0)), ("watermark:1,1,0.2", (-1, -1)), ("watermark:1,0,1", (0, -1))],
)
def test_a_watermark_reaches_the_edge_and_stays_inside(text: str, corner) -> None:
    photo = Image.new("RGB", (200, 100), "white")
    differs = changed(photo, apply_edit(photo, text))
    assert differs[corner]
    assert differs.mean() < 0.4


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is no edit"),
        ("blur:3", "is no edit"),
        ("Hflip", "is no edit"),
        ("hflip:1", "is no edit"),
        ("hflip|", "is no edit"),
        ("crop:0.1,0.1", "is no edit"),
        ("rotate", "is no edit"),
        ("rotate:", "could not convert"),
        ("rotate:nan", "degrees lie in -180 to 180"),
        ("rotate:181", "degrees lie in -180 to 180"),
        ("crop:0,0,0", "keep lies above 0"),
        ("crop:0.2,0,0.9", "left and top lie in 0 to 1 - keep"),
        ("crop:nan,0,0.9", "left and top lie in 0 to 1 - keep"),
        ("watermark:0,2,0.3", "left and top lie in 0 to 1"),
        ("watermark:0,0,inf", "width lies above 0"),
    ],
)
def test_malformed_texts_are_refused_with_the_valid_forms(text: str, problem: str) -> None:
    with pytest.raises(UserError, match=problem) as caught:
        apply_edit(draw_photo(8, 8), text)
    for form in ("watermark:<left>,<top>,<width>", "crop:<left>,<top>,<keep>", "rotate:", "hflip"):
        assert form in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["blur", "", "rotate|blur", "rotate:5"])
def test_unknown_names_are_refused_with_the_valid_ones(name: str) -> None:
    with pytest.raises(UserError, match=r"^edits: .*watermark, crop, rotate, hflip"):
        draw_edits("a.jpg", ["crop", name], 0)


def test_other_modes_are_refused() -> None:
    with pytest.raises(ValueError, match="RGB images, got L"):
        apply_edit(Image.new("L", (8, 8)), "hflip")

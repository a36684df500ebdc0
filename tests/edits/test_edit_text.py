import hashlib

import pytest
from PIL import Image

from seentwice.edits import EDITS, STRENGTHS, apply_edit, draw_edits, expand_strengths
from seentwice.errors import UserError

NAMES = ("watermark", "crop", "rotate", "hflip")


def test_golden_texts() -> None:
    assert draw_edits("kitchen/oslo_7_1.jpg", [*NAMES, "rotate|hflip"], 0) == (
        "watermark:0.5319,0.7342,0.3615",
        "crop:0.0406,0.0371,0.8652",
        "rotate:-9.6613",
        "hflip",
        "rotate:9.4809|hflip",
    )


def test_an_edit_follows_from_seed_key_and_name_alone() -> None:
    together = draw_edits("a.jpg", NAMES, 0)
    assert draw_edits("a.jpg", NAMES[::-1], 0) == together[::-1]
    assert tuple(draw_edits("a.jpg", [name], 0)[0] for name in NAMES) == together
    for other in (draw_edits("b.jpg", NAMES, 0), draw_edits("a.jpg", NAMES, 1)):
        assert all(a != b for a, b in zip(other[:3], together[:3], strict=True))


def test_a_chain_is_drawn_and_applied_part_by_part() -> None:
    (chain,) = draw_edits("a.jpg", ["rotate|hflip"], 3)
    rotate, hflip = chain.split("|")
    assert hflip == "hflip"
    photo = Image.linear_gradient("L").convert("RGB")
    by_hand = apply_edit(apply_edit(photo, rotate), "hflip")
    assert apply_edit(photo, chain).tobytes() == by_hand.tobytes()
    assert apply_edit(photo, f"hflip|{rotate}").tobytes() != by_hand.tobytes()


def test_an_edit_is_drawn_anew_in_every_chain_and_at_every_place() -> None:
    names = ["rotate", "rotate|rotate", "rotate|hflip", "rotate|grey", "hflip|rotate"]
    texts = draw_edits("a.jpg", names, 3)
    turns = [part for text in texts for part in text.split("|") if part.startswith("rotate")]
    assert len(set(turns)) == len(turns) == 6
    assert draw_edits("a.jpg", names[::-1], 3) == texts[::-1]


def test_a_strength_never_draws_one_number_twice() -> None:
    texts = draw_edits("a.jpg", STRENGTHS["attack"], 0)
    drawn = [part for text in texts for part in text.split("|") if ":" in part]
    assert len(set(drawn)) == len(drawn)


def test_one_of_several_is_chosen_in_a_chain_too() -> None:
    drawn = [draw_edits(f"{number}.jpg", ["watermark/logo|grey"], 0)[0] for number in range(200)]
    assert 60 < sum(text.startswith("logo") for text in drawn) < 140


def test_keys_of_any_bytes_are_drawn_for() -> None:
    odd = b"caf\xe9\n.jpg".decode("utf-8", "surrogateescape")
    assert draw_edits(odd, ["crop"], 0) != draw_edits("caf.jpg", ["crop"], 0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is no edit"),
        ("smear:3", "is no edit"),
        ("Hflip", "is no edit"),
        ("hflip:1", "is no edit"),
        ("hflip|", "is no edit"),
        ("crop:0.1,0.1", "is no edit"),
        ("rotate", "is no edit"),
        ("rotate:", "'' is no number"),
        ("rotate:nan", "'nan' is no number"),
        ("rotate: 7", "' 7' is no number"),
        ("rotate:+7", "'\\+7' is no number"),
        ("rotate:1_0", "'1_0' is no number"),
        ("rotate:٧", "'٧' is no number"),
        ("rotate:7\n", "is no number"),
        ("rotate:1e999", "degrees lies in -180 to 180"),
        ("rotate:181", "degrees lies in -180 to 180"),
        ("crop:0,0,0", "keep lies above 0"),
        ("crop:0.2,0,0.9", "left and top lie in 0 to 1 - keep"),
        ("crop:-1,0,0.9", "left lies in 0 to 1;"),
        ("watermark:0,2,0.3", "top lies in 0 to 1;"),
        ("watermark:0,0,2", "width lies in 0 to 1"),
        ("watermark:0,0,0", "width lies above 0 and up to 1"),
        ("jpeg:60.5", "quality is a whole number from 1 to 100"),
        ("noise:9,-1", "seed lies in 0 to 2147483647"),
    ],
)
def test_malformed_texts_are_refused_with_the_valid_forms(text: str, problem: str) -> None:
    with pytest.raises(UserError, match=problem) as caught:
        apply_edit(Image.new("RGB", (8, 8)), text)
    for kind in EDITS.values():
        assert kind.form() in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["smear", "", "rotate|smear", "watermark/smear", "watermark/"])
def test_unknown_names_are_refused_with_the_valid_ones(name: str) -> None:
    with pytest.raises(UserError, match=r"^edits: .*watermark, crop, rotate, hflip"):
        draw_edits("a.jpg", ["crop", name], 0)


def test_other_modes_are_refused() -> None:
    with pytest.raises(ValueError, match="RGB images, got L"):
        apply_edit(Image.new("L", (8, 8)), "hflip")


def test_an_edit_with_its_parameters_is_taken_as_it_is() -> None:
    names = ["rotate:5", "hflip|rotate:-5.0", "crop|jpeg:60.0"]
    *fixed, cropped = draw_edits("a.jpg", names, 0)
    assert fixed == ["rotate:5", "hflip|rotate:-5"]
    assert cropped.startswith("crop:")
    assert cropped.endswith("|jpeg:60")


def test_drawn_parameters_that_are_given_must_be_valid() -> None:
    with pytest.raises(UserError, match="degrees lies in -180 to 180"):
        draw_edits("a.jpg", ["rotate:500"], 0)


def test_one_of_several_is_chosen_and_drawn_as_if_alone() -> None:
    keys = [f"{number}.jpg" for number in range(400)]
    drawn = [draw_edits(key, ["watermark/logo", "watermark", "logo"], 0) for key in keys]
    assert all(choice in alone for choice, *alone in drawn)
    share = sum(choice.startswith("logo") for choice, *_ in drawn) / len(drawn)
    assert 0.4 < share < 0.6


def test_a_strength_stands_for_its_edits_and_is_no_edit_itself() -> None:
    assert expand_strengths(["grey", "mls", "crop"]) == ("grey", *STRENGTHS["mls"], "crop")
    assert not set(STRENGTHS) & set(EDITS)
    with pytest.raises(UserError, match=r"or a set: mls, web, attack"):
        draw_edits("a.jpg", ["smear"], 0)


def test_checkpoints_may_name_strengths_so_these_lists_stay() -> None:
    digests = {
        name: hashlib.sha256(repr(edits).encode()).hexdigest()[:8]
        for name, edits in STRENGTHS.items()
    }
    assert digests == {"mls": "d4d98387", "web": "fe944f60", "attack": "eb393fee"}

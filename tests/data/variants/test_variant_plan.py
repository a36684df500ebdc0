from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seentwice.data.folder import place_of
from seentwice.data.variants.plan import VariantSettings, files_of, variants_of
from seentwice.edits import draw_edits

SETTINGS = VariantSettings(0, ("crop", "rotate|hflip"), "jpeg")
RESERVED = {
    *("variants.json", "variants.csv", "pairs.csv"),
    *("unreadable.csv", "same_bytes.csv", "manifest.csv"),
}

BYTES = [chr(code) for code in range(0xDC80, 0xDD00)]  # as Python keeps those that are not UTF-8
chars = st.one_of(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), st.sampled_from(BYTES)
)
parts = st.text(chars, min_size=1, max_size=120).filter(lambda part: not part.startswith("."))
keys = st.builds(
    lambda folders, stem, suffix: "/".join((*folders, stem + suffix)),
    st.lists(st.one_of(parts, st.sampled_from([*RESERVED, "train"])), max_size=3),
    parts,
    st.sampled_from([".jpg", ".JPEG", ".png"]),
)


def test_names_say_place_and_version() -> None:
    key, digest = "Test Data/bed room/Rome_12_1.JPEG", "bd8f3c88b59c92897e8a"
    files = files_of(key, SETTINGS)
    assert files == tuple(
        f"Test Data/bed room/Rome-12-1_{digest}_{end}" for end in ("0.jpeg", "1.jpg", "2.jpg")
    )
    assert files == tuple(variant.file for variant in variants_of(key, SETTINGS))


def test_variants_carry_the_edits_that_are_drawn_for_the_photo() -> None:
    edits = [variant.edit for variant in variants_of("kitchen/a.png", SETTINGS)]
    assert edits == ["", *draw_edits("kitchen/a.png", SETTINGS.edits, 0)]
    other = variants_of("kitchen/a.png", VariantSettings(1, SETTINGS.edits, "png"))
    assert other[1].edit != edits[1]
    assert other[1].file.endswith("_1.png")


@settings(deadline=None)
@given(keys)
def test_any_key_gives_files_that_are_safe_and_one_place(key: str) -> None:
    files = [variant.file for variant in variants_of(key, SETTINGS)]
    assert len(set(files)) == 3
    assert len({place_of(file) for file in files}) == 1
    for file in files:
        assert file not in RESERVED
        path = PurePosixPath(file)
        assert not path.is_absolute()
        assert len(path.parts) == len(PurePosixPath(key).parts)
        for part in path.parts:
            assert part not in (".", "..")
            assert not part.startswith(".")
            assert part == part.strip()
            assert len(part.encode()) <= 255
            assert part.isprintable()
        assert not RESERVED & set(path.parts)


@settings(max_examples=40, deadline=None)
@given(st.lists(keys, unique=True, min_size=2, max_size=6))
def test_two_photos_never_share_a_file_or_a_place(several: list[str]) -> None:
    variants = [variants_of(key, SETTINGS) for key in several]
    files = {variant.file.lower() for photo in variants for variant in photo}
    assert len(files) == 3 * len(several)
    assert len({place_of(photo[0].file) for photo in variants}) == len(several)


@pytest.mark.parametrize(
    "pair",
    [
        ("a/x.jpg", "b/x.jpg"),
        ("a/x.jpg", "a/x.png"),
        ("a/x_1.jpg", "a/x-1.jpg"),
        ("a/x.jpg", "a/X.jpg"),
        (f"a/{'x' * 200}1.jpg", f"a/{'x' * 200}2.jpg"),
        ("a/caf\udce9.jpg", "a/caf\udcea.jpg"),
        ("a/__.jpg", "a/_.jpg"),
    ],
)
def test_keys_that_are_nearly_alike_are_told_apart(pair: tuple[str, str]) -> None:
    left, right = ({v.file.lower() for v in variants_of(key, SETTINGS)} for key in pair)
    assert not left & right
    assert place_of(min(left)) != place_of(min(right))

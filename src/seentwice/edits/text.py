"""Edits as text: drawn by name, written, read and applied."""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import accumulate
from random import Random

from PIL import Image

from seentwice.edits.degradation import Blur, Jpeg, Noise
from seentwice.edits.frames import Border, Collage, Screenshot
from seentwice.edits.geometry import Crop, Half, HFlip, Perspective, Resize, Rotate
from seentwice.edits.overlays import Caption, Logo, Sticker, Watermark
from seentwice.edits.parameters import parameters_of, read_number
from seentwice.edits.protocol import Edit, Size
from seentwice.edits.strengths import STRENGTHS
from seentwice.edits.tone import Brightness, Cast, Contrast, Grey
from seentwice.errors import UserError

_KINDS: tuple[type[Edit], ...] = (
    *(Watermark, Crop, Rotate, HFlip),
    *(Logo, Caption, Sticker),
    *(Half, Perspective, Resize),
    *(Border, Screenshot, Collage),
    *(Brightness, Contrast, Cast, Grey),
    *(Jpeg, Blur, Noise),
)

EDITS: Mapping[str, type[Edit]] = {kind.name: kind for kind in _KINDS}
"""Edits by name. In texts and names `|` joins a chain, applied from left to right."""


def draw_edits(key: str, names: Sequence[str], seed: int) -> tuple[str, ...]:
    """Draw one text a name for the photo `key`.

    The parameters of an edit follow from the seed, the key and the edit's name alone; those of an
    edit in a chain from the whole chain and the edit's place in it, too. So the edit by itself, in
    another chain and twice in one chain has parameters of its own each time.

    Args:
        key: The photo's name; see `Photo.key`.
        names: Keys of `EDITS`, or chains of them such as "rotate|hflip". Of "watermark/logo" one
            is chosen. An edit that brings its parameters, such as "rotate:5", is taken as it is.
        seed: Other seeds draw other parameters.

    Raises:
        UserError: no such edit; the message lists the valid names.
    """
    return tuple(_draw_chain(key, name, seed) for name in names)


def parse_edit(text: str) -> Edit:
    """Read one edit, no chain, from its text.

    Raises:
        UserError: no edit looks so, or a parameter is out of its range.
    """
    name, colon, rest = text.partition(":")
    kind = EDITS.get(name)
    numbers = rest.split(",") if colon else []
    if kind is None or len(numbers) != len(parameters_of(kind)):
        raise _malformed(text, "is no edit")
    try:
        return kind(*(read_number(number) for number in numbers))
    except ValueError as error:
        raise _malformed(text, str(error)) from error


def apply_edit(image: Image.Image, text: str) -> Image.Image:
    """Return an edited copy of an RGB image, of the same size where its edits keep it.

    Args:
        image: RGB, of at least one pixel; it stays as it is.
        text: An edit, or a chain of them such as "rotate:7.25|hflip".

    Raises:
        UserError: the text is malformed; the message names the valid forms.
        ValueError: the image is not RGB.
    """
    if image.mode != "RGB":
        raise ValueError(f"edits are for RGB images, got {image.mode}")
    for part in text.split("|"):
        image = parse_edit(part).apply(image)
    return image


def sizes_of(size: Size, text: str) -> tuple[Size, ...]:
    """Return how large the picture is after each edit of a text, without making it.

    Args:
        size: the photo's.
        text: as for `apply_edit`.

    Raises:
        UserError: the text is malformed; the message names the valid forms.
    """
    sizes = accumulate(
        text.split("|"), lambda before, part: parse_edit(part).resized(before), initial=size
    )
    return tuple(sizes)[1:]


def _draw_chain(key: str, chain: str, seed: int) -> str:
    parts = chain.split("|")
    if len(parts) == 1:
        return _draw_one(key, chain, "", seed)
    return "|".join(
        _draw_one(key, part, f"{chain}\0{place}\0", seed) for place, part in enumerate(parts)
    )


def _draw_one(key: str, name: str, place: str, seed: int) -> str:
    """Draw an edit; `place` tells where in which chain it stands, "" for one by itself."""
    if ":" in name:
        return str(parse_edit(name))
    choices = name.split("/")
    if not set(choices) <= set(EDITS):
        raise UserError(
            f"edits: {name!r} is no edit; choose from {', '.join(EDITS)}, "
            f"a chain of them such as 'rotate|hflip', or a set: {', '.join(STRENGTHS)}"
        )
    chosen = choices[0]
    if len(choices) > 1:
        chosen = choices[int(_seeded(key, place + name, seed).random() * len(choices))]
    return str(EDITS[chosen].draw(_seeded(key, place + chosen, seed)))


def _seeded(key: str, what: str, seed: int) -> Random:
    digest = hashlib.sha256(f"{seed}\0{key}\0{what}".encode("utf-8", "surrogateescape")).digest()
    # Python promises the same numbers from a seed in every version, which NumPy does not.
    return Random(int.from_bytes(digest))


def _malformed(text: str, problem: str) -> UserError:
    forms = ", ".join(kind.form() for kind in _KINDS)
    return UserError(f"edit {text!r}: {problem}; edits look like {forms}, joined by '|'")

"""Named sets of edits: what happens to photos of homes, from harmless to hostile."""

from collections.abc import Iterable, Mapping

STRENGTHS: Mapping[str, tuple[str, ...]] = {
    # The MLS study: a watermark at a random place, text or logo, a crop, a rotation.
    "mls": ("watermark/logo", "crop", "rotate"),
    # What portals, phones and agencies do.
    "web": (
        "jpeg",
        "resize",
        "hflip",
        "border",
        "caption",
        "screenshot",
        "brightness",
        "contrast",
        "cast",
        "grey",
    ),
    # What someone does who does not want to be found.
    "attack": (
        "half",
        "perspective",
        "collage",
        "blur",
        "noise",
        "sticker",
        "hflip|crop|rotate",
        "crop|cast|resize|jpeg",
        "perspective|brightness|jpeg",
        "screenshot|rotate|jpeg",
        "half|contrast|watermark/logo|jpeg",
    ),
}
"""Names for `draw_edits`, by strength."""


def expand_strengths(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names with each that is a strength replaced by the edits that it stands for."""
    return tuple(edit for name in names for edit in STRENGTHS.get(name, (name,)))

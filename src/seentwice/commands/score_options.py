"""Weights of the score, as options give them."""

from argparse import ArgumentTypeError

WEIGHTS = ("class_points", "tag_points", "visual_similarity")


def read_weight(text: str) -> tuple[str, float]:
    """Read the weight of a part, such as "tag_points=0.5".

    Raises:
        ArgumentTypeError: it is none.
    """
    part, _, number = text.partition("=")
    try:
        weight = float(number)
    except ValueError:
        weight = -1.0
    if part not in WEIGHTS or not weight >= 0:
        raise ArgumentTypeError(f"{text!r}: give PART=W, PART one of {', '.join(WEIGHTS)}, W >= 0")
    return part, weight

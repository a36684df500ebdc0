"""The confusion matrix of a head as a picture."""

import numpy as np

from seentwice.compare.tag_results import HeadResult
from seentwice.plots import INK, make_figure, shorten, to_png

_INCHES_A_LABEL = 0.75
_LIGHT = 0.5  # from this share on numbers are written in white


def plot_confusion(head: HeadResult) -> bytes:
    """Draw the photos by label and answer, a PNG; colours are shares of the label's photos."""
    counts = np.array(head.confusion)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = _INCHES_A_LABEL * len(head.labels)
    figure = make_figure(2.6 + side, 1.9 + side)
    axes = figure.add_subplot()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(counts.shape):
        colour = "white" if share[row, column] >= _LIGHT else INK
        axes.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", color=colour)
    places = range(len(head.labels))
    names = [shorten(label) for label in head.labels]
    axes.set_xticks(places, names, rotation=35, ha="right", parse_math=False)
    axes.set_yticks(places, names, parse_math=False)
    axes.set_xlabel("Answer")
    axes.set_ylabel("Label")
    axes.set_title(
        f"{shorten(head.name)}: {head.accuracy.value:.1%} of {head.photos:,} photos",
        loc="left",
        color=INK,
        fontsize=11,
        parse_math=False,
    )
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelcolor=INK)
    return to_png(figure)

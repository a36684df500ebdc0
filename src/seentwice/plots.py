"""Curves of several detectors in one picture, and how every picture of this project looks."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from itertools import cycle
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from seentwice.curves import Bools, Curve, Floats, rank_pairs
from seentwice.files import write_atomically
from seentwice.metrics import average_precision, roc_auc

# Okabe & Ito's colours, which every common colour blindness tells apart; their yellow is too pale
# on white. Seven colours and four dashes share no factor: 28 lines differ, in grey print by dash.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#222222", "#E69F00", "#56B4E9")
DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (7, 1.5, 1.2, 1.5)))
INK, QUIET = "#222222", "#8a8a8a"

SIZE_INCHES, DOTS_PER_INCH = (9.0, 6.5), 100
# Points nearer than this share of an axis fall on one pixel; without them 200,000 pairs draw fast.
RESOLUTION = 1 / 2000
_ABOVE_CURVES = 4  # where a word lies that must be read
LONGEST_NAME = 30

Curves = Mapping[str, tuple[ArrayLike, ArrayLike]]


def plot_precision_recall(curves: Curves, path: Path) -> None:
    """Draw precision over recall; the legend gives average precision, best first.

    Args:
        curves: name -> (label, score), bool (n,) with at least one duplicate and float (n,).
        path: The PNG to write, 900 x 650 pixels.

    Raises:
        ValueError: If there is no curve, or one of them is not defined.
    """
    lines = []
    for name, (label, score) in curves.items():
        curve = _curve(label, score)
        recall, precision = curve.recall()[0], curve.precision()[0]
        # The first step begins at recall 0, where no pair is called a duplicate.
        x, y = np.append(0.0, recall), np.append(precision[:1], precision)
        lines.append(_Line(name, average_precision(label, score), x, y))
    figure, axes = _make_axes("Precision and recall at every threshold", lines)
    # Each step is as high as the precision at its right end: the area is average precision.
    _draw(axes, lines, "steps-pre")
    labels = [np.asarray(label, dtype=bool) for label, _ in curves.values()]
    _draw_base_rate(axes, labels)
    axes.set_xlabel("Recall: share of the duplicates that are found")
    axes.set_ylabel("Precision: share of the found that are right")
    _save(figure, axes, "Average precision", path)


def plot_roc(curves: Curves, path: Path) -> None:
    """Draw the true positive rate over the false one; the legend gives the area, best first.

    Args:
        curves: name -> (label, score), bool (n,) with both classes and float (n,).
        path: The PNG to write, 900 x 650 pixels.

    Raises:
        ValueError: If there is no curve, or one of them is not defined.
    """
    lines = []
    for name, (label, score) in curves.items():
        curve = _curve(label, score)
        x, y = (np.append(0.0, rate[0]) for rate in (curve.false_positive_rate(), curve.recall()))
        lines.append(_Line(name, roc_auc(label, score), x, y))
    figure, axes = _make_axes("Duplicates found and false alarms at every threshold", lines)
    # Straight between points: tied pairs count as half, in the picture as in the area.
    _draw(axes, lines, "default")
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=1, zorder=1)
    _name_chance(axes, (0.5, 0.5), (6, -12))
    axes.set_xlabel("False positive rate: share of the other pairs called duplicates")
    axes.set_ylabel("True positive rate: share of the duplicates found")
    _save(figure, axes, "ROC AUC", path)


def make_figure(width_inches: float, height_inches: float) -> Figure:
    """Return a figure of its own, not pyplot's: nothing global is set, nothing stays in memory."""
    figure = Figure(figsize=(width_inches, height_inches), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def quieten(axes: Axes) -> None:
    """Draw the frame of a panel so that its lines stand out."""
    axes.grid(color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(QUIET)
    axes.tick_params(color=QUIET, labelcolor=INK)


def to_png(figure: Figure) -> bytes:
    """Return the picture as a PNG; equal figures give equal bytes, for no version is in them."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def shorten(name: str, longest: int = LONGEST_NAME) -> str:
    """Return the name, cut so that it leaves the lines their room."""
    return name if len(name) <= longest else name[: longest - 1] + "…"


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    name: str
    area: float
    x: Floats
    y: Floats


def _curve(label: ArrayLike, score: ArrayLike) -> Curve:
    ranking = rank_pairs(label, score)
    return ranking.curve(np.ones((1, len(ranking.order))))


def _make_axes(title: str, lines: list[_Line]) -> tuple[Figure, Axes]:
    if not lines:
        raise ValueError("a plot needs at least one curve")
    undefined = sorted(line.name for line in lines if not np.isfinite(line.area))
    if undefined:
        raise ValueError(f"no curve without both classes of pairs: {', '.join(undefined)}")
    figure = make_figure(*SIZE_INCHES)
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", color=INK, fontsize=13, pad=10)
    return figure, axes


def _draw(axes: Axes, lines: list[_Line], drawstyle: Literal["default", "steps-pre"]) -> None:
    best_first = sorted(lines, key=lambda line: (-line.area, line.name))
    for rank, (line, colour, dash) in enumerate(
        zip(best_first, cycle(COLOURS), cycle(DASHES), strict=False)
    ):
        x, y = _thin(line.x, line.y)
        axes.plot(
            x,
            y,
            drawstyle=drawstyle,
            color=colour,
            linestyle=dash,
            linewidth=2.2 if rank == 0 else 1.5,
            # The best lines lie on top where many run together.
            zorder=_ABOVE_CURVES - 1 - rank / len(lines),
            label=f"{line.area:.3f}  {shorten(line.name)}",
        )


def _thin(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The points of a line that fall on a pixel other than their predecessor's."""
    pixels = np.rint(np.stack([x, y]) / RESOLUTION)
    kept = np.append(True, (np.diff(pixels, axis=1) != 0).any(axis=0))
    kept[-1] = True
    return x[kept], y[kept]


def _draw_base_rate(axes: Axes, labels: list[Bools]) -> None:
    """What guessing would reach, where all curves are of the same pairs."""
    rates = {float(label.mean()) for label in labels}
    if len(rates) == 1:
        rate = rates.pop()
        axes.axhline(rate, color=QUIET, linewidth=1, zorder=1)
        _name_chance(axes, (0, rate), (3, 4))


def _name_chance(axes: Axes, point: tuple[float, float], shift: tuple[int, int]) -> None:
    """Write the word beside its line, over curves that pass there: they go on at both ends of it.

    Args:
        axes: to write on.
        point: of the line.
        shift: from there, in points.
    """
    ground = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1}
    axes.annotate(
        "chance",
        point,
        shift,
        textcoords="offset points",
        color=QUIET,
        bbox=ground,
        zorder=_ABOVE_CURVES,
    )


def _save(figure: Figure, axes: Axes, legend_title: str, path: Path) -> None:
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)
    quieten(axes)
    legend = figure.legend(
        loc="outside right upper",
        title=legend_title,
        frameon=False,
        handlelength=3.2,
        fontsize=9.5,
        alignment="left",
    )
    for text in legend.get_texts():
        text.set_parse_math(False)  # a dollar sign in a name is a dollar sign
    write_atomically(path, to_png(figure))

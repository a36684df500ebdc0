"""What the pictures of a sweep share: colours by status, texts that can be drawn, and sentences."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from seentwice.display import show_text
from seentwice.pages import Picture
from seentwice.plots import COLOURS, INK, QUIET, make_figure, shorten, to_png
from seentwice.sweeps.ranking import NEVER_WIN
from seentwice.sweeps.results import SweepResults, name_time
from seentwice.sweeps.trials import Status

WIDTH_INCHES = 9.0
MOST_ROWS = 40  # of scales and of bars, so that a picture has an end
# Times the least of positive metrics: between the two, logarithms are drawn. A loss that is all
# but 0 would take all the room.
WIDE, TOO_WIDE = 30.0, 1e12
ROOM = 0.12  # share of the metrics' range, at both ends
EDGE = 0.06  # of it, where what lies outside of the frame is drawn
DIVERGED = 100.0
FAR_WORSE = "far worse"  # what lies outside of the frame
LONGEST_SENTENCE = 110  # characters on a line


@dataclass(frozen=True, slots=True)
class Look:
    """How the line of a trial is drawn."""

    colour: str
    mark: str  # where it ends
    opacity: float
    width: float


LOOKS: Mapping[Status, Look] = {
    "waiting": Look(COLOURS[2], "s", 1.0, 1.4),
    "running": Look(COLOURS[2], ">", 1.0, 1.4),
    "finished": Look(INK, "o", 0.9, 1.4),
    "stopped": Look(QUIET, "o", 0.55, 1.1),
    "failed": Look(COLOURS[1], "x", 0.9, 1.1),
    "impossible": Look(COLOURS[1], "+", 0.9, 1.1),
}
BEST_LOOK = Look(COLOURS[0], "o", 1.0, 2.4)


def draw_sentence(sentence: str) -> Picture:
    """Draw why there is nothing else to draw."""
    lines = textwrap.wrap(drawable(sentence), LONGEST_SENTENCE)
    figure = make_figure(WIDTH_INCHES, 0.5 + 0.22 * len(lines))
    figure.text(
        *(0.5, 0.5, "\n".join(lines)),
        ha="center",
        va="center",
        color=INK,
        fontsize=10.5,
        parse_math=False,
    )
    return Picture(to_png(figure), sentence)


def describe_best(results: SweepResults) -> str:
    """Say in a sentence which trial is best."""
    best, point = results.best, results.best_point
    if best is None or point is None:
        return _say_why_none(results)
    return show_text(
        f"Best: trial {best.number}, {results.metric} {format_metric(point.metric)} "
        f"after {name_time(point.time, results.time_metric)}."
    )


def _say_why_none(results: SweepResults) -> str:
    lost = sum(trial.status in NEVER_WIN for trial in results.trials)
    if not lost:
        return "No trial has been measured yet."
    if lost < len(results.trials):
        return "No trial has been measured yet that can be the best."
    which = "The only trial" if lost == 1 else f"All {lost:,} trials"
    return f"{which} failed or had impossible values; report.html and trials.csv tell why."


def format_metric(metric: float) -> str:
    """Return a metric with four digits that count."""
    if metric == 0:
        return "0"
    return f"{metric:#.4g}" if 1e-4 <= abs(metric) < 1e4 else f"{metric:.3e}"


def drawable(text: str) -> str:
    r"""Return the text with `\u4e00` for what the font cannot draw, control characters included."""
    glyphs = _glyphs()
    return "".join(
        char if char.isprintable() and ord(char) in glyphs else ascii(char)[1:-1] for char in text
    )


def label(name: str) -> str:
    """Return a name as a picture shows it: what the font can draw, and not too long."""
    return shorten(drawable(name))


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties())).get_charmap())


@dataclass(frozen=True, slots=True)
class Frame:
    """Which metrics a picture shows."""

    low: float
    high: float

    @property
    def is_log(self) -> bool:
        """Whether they are so far apart that their logarithms are better drawn."""
        return self.low > 0 and WIDE < self.high / self.low < TOO_WIDE

    def holds(self, metric: float) -> bool:
        """Whether a metric is shown."""
        return self.low <= metric <= self.high

    def widen(self, share: float) -> tuple[float, float]:
        """Return its ends with a share of its range before and behind."""
        if self.is_log:
            room = (self.high / self.low) ** share
            return self.low / room, self.high * room
        room = (self.high - self.low) * share or abs(self.high) * share or 1.0
        return self.low - room, self.high + room

    def place(self, metric: float) -> float:
        """Return where a metric is drawn: what is not held, at the edge."""
        low, high = self.widen(EDGE)
        return metric if self.holds(metric) else min(max(metric, low), high)


def frame_metrics(results: SweepResults) -> Frame | None:
    """Return what to show of the metrics, without those that diverged; None where there is none.

    On the side of the worse it ends at the last that lies within twice the distance of the usual
    first measurement from the best, or four times that of three quarters of all, so that a few
    losses in the thousands do not press the others to a line. Nor do many: none lies `DIVERGED`
    times as far from the best as a quarter of the trials ever came, or as the best lies from 0.
    """
    curves = [trial.curve for trial in results.trials if trial.curve]
    if not curves:
        return None
    metrics = np.array([point.metric for curve in curves for point in curve])
    best = metrics.min() if results.smaller_is_better else metrics.max()
    away = abs(metrics - best)
    first = np.median([abs(curve[0].metric - best) for curve in curves])
    farthest = [max(abs(point.metric - best) for point in curve) for curve in curves]
    usual = max(np.quantile(farthest, 0.25, method="lower"), abs(best))
    limit = DIVERGED * usual if usual else np.inf
    held = metrics[away <= min(max(2 * first, 4 * np.quantile(away, 0.75)), limit)]
    return Frame(float(held.min()), float(held.max()))


def scale_metric(axes: Axes, frame: Frame) -> None:
    """Choose the scale of a panel's metric, with some room at both ends."""
    if frame.is_log:
        axes.set_yscale("log")
        is_long = frame.high / frame.low > 1000
        axes.yaxis.set_major_locator(LogLocator(subs=(1,) if is_long else (1, 2, 5)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_ylim(frame.widen(ROOM))

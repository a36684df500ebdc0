"""Pictures of what experiments measured: intervals, seeds and learning rates."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from experiments.compared import is_head
from experiments.measured import Job
from experiments.tables import Detector, Measured, Row, choose_rows, mean_interval
from seentwice.compare.summary import SAME_ROOM_TYPE
from seentwice.pages import Picture
from seentwice.plots import COLOURS, INK, QUIET, make_figure, quieten, to_png

WIDTH_INCHES = 9.0
RATE = "optimizer.lr"
_ROW_INCHES = 0.3
_HEAD, _OTHER, _TEST, _VALIDATION = COLOURS[0], QUIET, COLOURS[0], COLOURS[1]


@dataclass(frozen=True, slots=True)
class Measure:
    """What is drawn of a detector."""

    label: str
    read: Callable[[Detector], Measured]


AVERAGE_PRECISION = Measure("Average precision", lambda one: one["metrics"]["average_precision"])
ROC_AUC = Measure("ROC AUC", lambda one: one["metrics"]["roc_auc"])
SAME_TYPE = Measure(
    "ROC AUC against rooms of the same type", lambda one: one["slices"][SAME_ROOM_TYPE]["roc_auc"]
)


def draw_intervals(groups: Mapping[str, Sequence[Row]], measures: Sequence[Measure]) -> Picture:
    """Draw a dot and its 95 % interval for each row, a panel for each measure.

    The dot is the mean over seeds, and so are both ends; each seed is a small ring below it. Heads
    are blue, what learns from no pair is grey.

    Args:
        groups: rows by the title above them, from top to bottom.
        measures: from left to right.

    Raises:
        ValueError: there is no row or no measure.
    """
    rows = list(chain.from_iterable(groups.values()))
    if not rows or not measures:
        raise ValueError("a picture of intervals needs a row and a measure")
    height = 0.9 + _ROW_INCHES * (len(rows) + len(groups))
    figure = make_figure(WIDTH_INCHES, height)
    panels = figure.subplots(1, len(measures), sharey=True, squeeze=False)[0]
    ticks, names = _place(groups)
    for axes, measure in zip(panels, measures, strict=True):
        for place, row in zip(ticks, rows, strict=True):
            _draw_row(axes, place, row, measure)
        axes.set_xlabel(measure.label)
        quieten(axes)
        axes.grid(visible=False, axis="y")
    panels[0].set_yticks(ticks, names, parse_math=False)
    panels[0].set_ylim(max(ticks) + 0.7, -1.3)
    titles = iter(ticks)
    for title, some in groups.items():
        places = [next(titles) for _ in some]
        if places:
            panels[0].annotate(
                title,
                (0, places[0] - 0.85),
                (4, 0),
                xycoords=panels[0].get_yaxis_transform(),
                textcoords="offset points",
                color=INK,
                fontsize=9.5,
                fontweight="bold",
                va="center",
                parse_math=False,
            )
    best = max(rows, key=lambda row: _value(row, measures[0]))
    return Picture(
        to_png(figure),
        f"{', '.join(measure.label for measure in measures)} of {', '.join(names)}, with 95 % "
        f"intervals; the highest {measures[0].label.lower()} is {_value(best, measures[0]):.3f}, "
        f"of {best.name}",
    )


def draw_rates(jobs: Sequence[Job], key: str = RATE) -> Picture:
    """Draw average precision over the learning rate, a panel for each head.

    Validation pairs are dashed and choose the rate, which has a dot; test pairs have a band, the
    mean of the intervals of the seeds.

    Args:
        jobs: of a run.
        key: of the learning rate, which their words set.

    Raises:
        ValueError: no words of a job set it, or there is no head.
    """
    found: dict[str, dict[float, list[Detector]]] = {}
    for job in jobs:
        rate = _rate_of(job, key)
        for one in job.detectors:
            if one["is_head"]:
                found.setdefault(str(one["name"]), {}).setdefault(rate, []).append(one)
    if not found:
        raise ValueError("a picture of learning rates needs a head")
    chosen = {row.name: row.seeds[0] for row in choose_rows(jobs) if is_head(row)}
    figure = make_figure(WIDTH_INCHES, 3.0)
    panels = figure.subplots(1, len(found), sharey=True, squeeze=False)[0]
    for axes, (name, rates) in zip(panels, sorted(found.items()), strict=True):
        best = next(rate for rate, some in rates.items() if chosen[name] in some)
        _draw_rates(axes, rates, best)
        axes.set_title(name, loc="left", color=INK, fontsize=10.5, parse_math=False)
    panels[0].set_ylabel("Average precision")
    figure.supxlabel("Learning rate", fontsize=10)
    panels[-1].legend(frameon=False, fontsize=8.5)
    return Picture(
        to_png(figure),
        f"Average precision over the learning rate of {', '.join(sorted(found))}, on validation "
        "and on test pairs",
    )


def _place(groups: Mapping[str, Sequence[Row]]) -> tuple[list[int], list[str]]:
    """Return where each row stands, below the title of its group, and its name."""
    places, names, place = [], [], 0
    for some in groups.values():
        for row in some:
            places.append(place)
            names.append(row.name)
            place += 1
        place += 1
    return places, names


def _draw_row(axes: Axes, place: int, row: Row, measure: Measure) -> None:
    found = [measure.read(one) for one in row.seeds]
    interval = mean_interval(found)
    if not math.isfinite(interval.low):
        return
    colour = _HEAD if is_head(row) else _OTHER
    axes.plot([interval.low, interval.high], [place, place], color=colour, linewidth=1.8)
    axes.plot(interval.value, place, "o", color=colour, markersize=6.5)
    if len(found) > 1:
        values = [one["value"] for one in found]
        rings = {"markersize": 3.5, "markerfacecolor": "none", "markeredgewidth": 0.8}
        axes.plot(values, [place + 0.28] * len(values), "o", color=colour, **rings)


def _value(row: Row, measure: Measure) -> float:
    interval = mean_interval([measure.read(one) for one in row.seeds])
    return interval.value if math.isfinite(interval.low) else -math.inf


def _rate_of(job: Job, key: str) -> float:
    for word in job.words:
        name, _, value = word.partition("=")
        if name == key:
            return float(value)
    raise ValueError(f"no word of `{job.results['command']}` sets {key}")


def _draw_rates(axes: Axes, rates: Mapping[float, Sequence[Detector]], best: float) -> None:
    order = sorted(rates)
    validation = [fmean(one["validation_average_precision"] for one in rates[x]) for x in order]
    test = [mean_interval([one["metrics"]["average_precision"] for one in rates[x]]) for x in order]
    known = [(x, one) for x, one in zip(order, test, strict=True) if math.isfinite(one.low)]
    xs = [x for x, _ in known]
    axes.fill_between(
        xs,
        [interval.low for _, interval in known],
        [interval.high for _, interval in known],
        color=_TEST,
        alpha=0.15,
        linewidth=0,
    )
    axes.plot(xs, [interval.value for _, interval in known], color=_TEST, label="test")
    axes.plot(order, validation, color=_VALIDATION, linestyle="--", label="validation")
    axes.plot(best, validation[order.index(best)], "o", color=_VALIDATION, label="chosen")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(numticks=5))
    axes.xaxis.set_minor_formatter(NullFormatter())
    quieten(axes)

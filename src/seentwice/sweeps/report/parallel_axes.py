"""Parallel coordinates of a sweep: a scale a hyperparameter, a line a trial (Inselberg 1985).

The scales lie below one another, so long names are read without turning one's head.
"""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from seentwice.display import name_count
from seentwice.pages import Picture
from seentwice.plots import DASHES, INK, make_figure, shorten, to_png
from seentwice.sweeps.ranking import NEVER_WIN, find_best_point, rank_trials
from seentwice.sweeps.report.looks import (
    FAR_WORSE,
    LOOKS,
    MOST_ROWS,
    ROOM,
    WIDTH_INCHES,
    Frame,
    Look,
    describe_best,
    draw_sentence,
    drawable,
    format_metric,
    frame_metrics,
    label,
)
from seentwice.sweeps.results import SweepResults, show_value
from seentwice.sweeps.space import Categorical, Const, Hyperparameter, Int, Log, Value
from seentwice.sweeps.trials import Trial

# Viridis, the end that is too pale on white left out; dark is best.
PALEST = 0.87
CHARACTERS = 72  # that fit along a scale
SPREAD = 0.5  # share of a choice's room over which its trials are spread
MOST_CHOICES = 12  # whole numbers that are drawn as choices, so that equal ones are told apart
FEW_TRIALS = 30  # whose lines need not be paler, to let others be seen
MOST_DECADES = 6  # with a tick each
MOST_LABELS = 24  # of choices
TIMES = (1, 2, 5)  # a power of ten, where there are few


@dataclass(frozen=True, slots=True)
class Scale:
    """Where the values of a hyperparameter lie, from 0 to 1."""

    name: str
    ticks: tuple[tuple[float, str], ...]  # places with their labels
    low: float = 0.0  # what lies at 0: a value, its decimal logarithm, or the number of a choice
    high: float = 1.0
    is_log: bool = False
    choices: tuple[str, ...] = ()  # as JSON

    def place(self, value: Value) -> float:
        """Return where a value lies; what is outside of the scale lies at its ends."""
        if self.choices:
            name = json.dumps(value)
            choice = self.choices.index(name) if name in self.choices else 0
            return (choice + 0.5) / len(self.choices)
        number = float(value) if isinstance(value, int | float) else self.low
        if self.is_log:
            number = math.log10(number) if number > 0 else self.low
        return min(max((number - self.low) / (self.high - self.low), 0.0), 1.0)


def make_scale(key: str, parameter: Hyperparameter) -> Scale | None:
    """Return the scale of a hyperparameter; None where it has but one value."""
    if isinstance(parameter, Const):
        return None
    if isinstance(parameter, Categorical):
        return _choice_scale(key, parameter.vals) if len(parameter.vals) > 1 else None
    if isinstance(parameter, Int) and parameter.maxval - parameter.minval < MOST_CHOICES:
        return _choice_scale(key, range(parameter.minval, parameter.maxval + 1))
    if isinstance(parameter, Log):
        # Of exponents, since the power itself may be more than a float holds.
        exponents = (parameter.minval, parameter.maxval)
        low, high = sorted(one * math.log10(parameter.base) for one in exponents)
        return None if low == high else _log_scale(key, low, high)
    return _linear_scale(key, parameter.minval, parameter.maxval, isinstance(parameter, Int))


def draw_parallel_axes(results: SweepResults) -> Picture:
    """Draw the hyperparameters that vary of every measured trial, and its best metric."""
    scales = [
        scale
        for key in results.varied
        if (scale := make_scale(key, results.space[key])) is not None
    ]
    left_out = len(scales) - MOST_ROWS
    scales = scales[:MOST_ROWS]
    began = rank_trials([one for one in results.trials if one.values], results.smaller_is_better)
    able = [trial for trial in began if trial.curve and trial.status not in NEVER_WIN]
    lost = [trial for trial in began if trial.status in NEVER_WIN]
    if not scales:
        return draw_sentence("Parallel coordinates: no hyperparameter varies.")
    if not able:
        return draw_sentence(describe_best(results))
    drawn = [*able, *lost]
    rows = [_place_all(scale, [one.values.get(scale.name) for one in drawn]) for scale in scales]
    last = _scale_metric(able, results)
    figure = make_figure(WIDTH_INCHES, 1.2 + 0.62 * (len(scales) + 1))
    axes = figure.add_subplot()
    for number in reversed(range(len(drawn))):  # the best lies on top
        places = [row[number] for row in rows]
        if number >= len(able):
            _draw_lost(axes, places, LOOKS[drawn[number].status])
            continue
        axes.plot(
            [*places, last.place(_best_metric(drawn[number], results))],
            range(len(scales) + 1),
            color=_colour_of(number / max(1, len(able) - 1)),
            linewidth=1.4 if number else 3.2,
            alpha=min(0.8, max(0.3, FEW_TRIALS / len(able))) if number else 1.0,
            zorder=3,
        )
    _draw_scales(axes, [*scales, last])
    handles = _name_lines(able, lost)
    if left_out > 0:
        handles.append(Line2D([], [], linestyle="none", label=f"not drawn: {left_out} more"))
    figure.legend(handles=handles, loc="outside lower center", ncols=6, frameon=False)
    trials = name_count(len(drawn), "trial", "trials")
    alt = f"Hyperparameters and {results.metric} of {trials}. {describe_best(results)}"
    return Picture(to_png(figure), alt)


def _choice_scale(name: str, choices: Sequence[Value]) -> Scale:
    longest = max(3, CHARACTERS // len(choices))
    names = [shorten(drawable(show_value(choice)), longest) for choice in choices]
    ticks = tuple(((number + 0.5) / len(names), name) for number, name in enumerate(names))
    ticks = ticks[:: math.ceil(len(names) / MOST_LABELS)]
    return Scale(name, ticks, choices=tuple(map(json.dumps, choices)))


def _linear_scale(name: str, low: float, high: float, is_whole: bool) -> Scale:
    locator = MaxNLocator(6, steps=[1, 2, 2.5, 5, 10], integer=is_whole)
    found = [tick for tick in locator.tick_values(low, high) if low <= tick <= high]
    ticks = tuple(((tick - low) / (high - low), f"{tick:g}") for tick in found)
    return Scale(name, ticks, low, high)


def _log_scale(name: str, low: float, high: float) -> Scale:
    """Return a scale between two decimal logarithms, with ticks at 1, or at 1, 2 and 5."""
    decades = range(math.floor(low), math.ceil(high) + 1)
    step = max(1, len(decades) // MOST_DECADES)
    ticks = [(float(power), power, 1) for power in decades[::step]]
    if high - low < 2.5:
        ticks = [(power + math.log10(times), power, times) for power in decades for times in TIMES]
    return Scale(
        name,
        tuple(
            ((place - low) / (high - low), _spell_power(times, power))
            for place, power, times in ticks
            # An end that the powers of another base give is off by a rounding.
            if low - 1e-9 <= place <= high + 1e-9
        ),
        low,
        high,
        is_log=True,
    )


def _spell_power(times: int, power: int) -> str:
    return f"{times}e{power}" if abs(power) > 4 else f"{times * 10.0**power:g}"


def _scale_metric(able: Sequence[Trial], results: SweepResults) -> Scale:
    """Return the scale of the best metrics; those that are far worse lie at its end."""
    frame = frame_metrics(replace(results, trials=tuple(able)))
    assert frame is not None  # they are measured
    metrics = [_best_metric(trial, results) for trial in able]
    held = [metric for metric in metrics if frame.holds(metric)]
    low, high = min(held), max(held)
    if Frame(low, high).is_log:
        scale = _log_scale(results.metric, math.log10(low), math.log10(high))
    elif low == high:
        scale = Scale(results.metric, ((0.5, format_metric(low)),), low - 1, high + 1)
    else:
        scale = _linear_scale(results.metric, low, high, is_whole=False)
    return scale if len(held) == len(metrics) else _make_room(scale, results.smaller_is_better)


def _make_room(scale: Scale, is_above: bool) -> Scale:
    """Return the scale with a place of its own, above or below all, for what is far worse."""
    room = (scale.high - scale.low) * ROOM
    shift = 0.0 if is_above else ROOM
    ticks = tuple(((place + shift) / (1 + ROOM), name) for place, name in scale.ticks)
    return replace(
        scale,
        ticks=(*ticks, (float(is_above), FAR_WORSE)),
        low=scale.low - room * (not is_above),
        high=scale.high + room * is_above,
    )


def _best_metric(trial: Trial, results: SweepResults) -> float:
    best = find_best_point(trial.curve, results.smaller_is_better)
    assert best is not None  # only measured trials have a place on the scale
    return best.metric


def _place_all(scale: Scale, values: Sequence[Value]) -> list[float]:
    """Place the values of all trials; those of one choice side by side, to be told apart."""
    places = [scale.place(value) for value in values]
    if not scale.choices:
        return places
    room, seen = Counter(places), Counter[float]()
    spread = []
    for place in places:
        seen[place] += 1
        share = (seen[place] - 0.5) / room[place] - 0.5
        spread.append(place + share * SPREAD / len(scale.choices))
    return spread


def _colour_of(place: float) -> tuple[float, float, float, float]:
    """Return the colour of a trial by its place among the ranked: 0 the best, 1 the worst."""
    return colormaps["viridis"](PALEST * place)


def _draw_lost(axes: Axes, places: Sequence[float], look: Look) -> None:
    """Draw a trial that has no metric to be coloured by: its line ends above that."""
    axes.plot(
        places,
        range(len(places)),
        color=look.colour,
        linestyle=DASHES[1],
        linewidth=1.2,
        alpha=0.9,
        zorder=2,
    )
    axes.plot(places[-1], len(places) - 1, look.mark, color=look.colour, zorder=4)


def _draw_scales(axes: Axes, scales: Sequence[Scale]) -> None:
    for row, scale in enumerate(scales):
        axes.plot([0, 1], [row, row], color=INK, linewidth=0.9, zorder=1)
        for place, text in scale.ticks:
            axes.plot([place, place], [row - 0.06, row + 0.06], color=INK, linewidth=0.9, zorder=1)
            axes.annotate(
                text,
                (place, row + 0.08),
                ha="center",
                va="top",
                color=INK,
                fontsize=8.5,
                parse_math=False,
                zorder=5,
                bbox={"boxstyle": "round,pad=0.1", "color": "white", "alpha": 0.75, "linewidth": 0},
            )
    names = [label(scale.name) for scale in scales]
    axes.set_yticks(range(len(scales)), names, parse_math=False)
    axes.get_yticklabels()[-1].set_fontweight("bold")
    axes.set_ylim(len(scales) - 0.5, -0.25)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xticks([])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelcolor=INK)


def _name_lines(able: Sequence[Trial], lost: Sequence[Trial]) -> list[Line2D]:
    best = f"best: trial {able[0].number}"
    handles = [Line2D([], [], color=_colour_of(0), linewidth=3.2, label=best)]
    if len(able) > 2:
        handles.append(Line2D([], [], color=_colour_of(0.5), linewidth=1.4, label="middle rank"))
    if len(able) > 1:
        handles.append(Line2D([], [], color=_colour_of(1), linewidth=1.4, label="worst"))
    for status in NEVER_WIN:
        count = sum(trial.status == status for trial in lost)
        look = LOOKS[status]
        if count:
            line = Line2D(
                *([], []),
                color=look.colour,
                linestyle=DASHES[1],
                linewidth=1.2,
                marker=look.mark,
                label=f"{status}: {count}",
            )
            handles.append(line)
    return handles

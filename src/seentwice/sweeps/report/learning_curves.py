"""How the trials of a sweep learned."""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator

from seentwice.display import name_count
from seentwice.pages import Picture
from seentwice.plots import DASHES, INK, QUIET, make_figure, quieten, to_png
from seentwice.sweeps.ranking import find_best_point, trained_time
from seentwice.sweeps.report.looks import (
    BEST_LOOK,
    FAR_WORSE,
    LOOKS,
    WIDTH_INCHES,
    Frame,
    describe_best,
    draw_sentence,
    format_metric,
    frame_metrics,
    label,
    scale_metric,
)
from seentwice.sweeps.results import SweepResults
from seentwice.sweeps.trials import Trial

MOST_PANELS = 12


def draw_learning_curves(results: SweepResults) -> Picture:
    """Draw the metric over training, a line a trial, a panel a bracket."""
    measured = [trial for trial in results.trials if trial.curve]
    frame = frame_metrics(results)
    if frame is None:
        return draw_sentence(describe_best(results))
    brackets = min(max(1, len(results.brackets)), MOST_PANELS)
    columns = min(2, brackets)
    rows = math.ceil(brackets / columns)
    figure = make_figure(WIDTH_INCHES, 1.2 + 3.6 * rows)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat
    for number, axes in enumerate(panels):
        axes.set_visible(number < brackets)
        own = [trial for trial in measured if trial.bracket == number or not results.brackets]
        _draw_curves(axes, own, frame, results)
        if number < len(results.brackets):
            title = f"Bracket {number + 1}: {len(own)} measured"
            axes.set_title(title, loc="left", color=INK, fontsize=11)
            _draw_rungs(axes, own, results.brackets[number].rungs)
        if number + columns >= brackets:  # nothing is below it
            axes.tick_params(labelbottom=True)
            axes.set_xlabel(f"Training, {label(results.time_metric)}", parse_math=False)
        if number % columns == 0:
            axes.set_ylabel(label(results.metric), parse_math=False)
        quieten(axes)
        axes.grid(visible=False, axis="x")
    scale_metric(panels[0], frame)
    _scale_time(panels[0], measured, results)
    handles = _name_looks(measured, results)
    beyond = sum(_leaves(one, frame) for one in measured)
    if beyond:
        mark = _mark_beyond(results)
        told = f"{FAR_WORSE}, drawn at the edge: {beyond}"
        handles.append(Line2D([], [], color=INK, marker=mark, linestyle="none", label=told))
    left_out = len(results.brackets) - brackets
    if left_out > 0:
        handles.append(Line2D([], [], linestyle="none", label=f"brackets not drawn: {left_out}"))
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=9.5)
    return Picture(
        to_png(figure),
        f"{results.metric} of {name_count(len(measured), 'trial', 'trials')} over their training "
        f"in {results.time_metric}. {describe_best(results)}",
    )


def _leaves(trial: Trial, frame: Frame) -> bool:
    return not all(frame.holds(point.metric) for point in trial.curve)


def _mark_beyond(results: SweepResults) -> str:
    """Return the mark of a metric outside of the frame, which points to where it lies."""
    return "^" if results.smaller_is_better else "v"


def _draw_curves(axes: Axes, trials: Sequence[Trial], frame: Frame, results: SweepResults) -> None:
    best = results.best
    for trial in trials:
        is_best = best is not None and trial.number == best.number
        look = replace(BEST_LOOK, mark=LOOKS[trial.status].mark) if is_best else LOOKS[trial.status]
        times = [point.time for point in trial.curve]
        metrics = [frame.place(point.metric) for point in trial.curve]
        axes.plot(
            *(times, metrics),
            color=look.colour,
            alpha=look.opacity,
            linewidth=look.width,
            zorder=4 if is_best else 2,
        )
        ends_inside = frame.holds(trial.curve[-1].metric)
        axes.plot(
            *(times[-1], metrics[-1], look.mark if ends_inside else _mark_beyond(results)),
            color=look.colour,
            alpha=look.opacity,
            markersize=5,
            zorder=4 if is_best else 3,
        )
        point = find_best_point(trial.curve, results.smaller_is_better)
        if is_best and point is not None:
            axes.plot(point.time, point.metric, "*", color=look.colour, markersize=13, zorder=5)


def _draw_rungs(axes: Axes, trials: Sequence[Trial], rungs: Sequence[int]) -> None:
    """Mark where trials were compared, with how many came there and how many went on."""
    for rung in sorted(set(rungs)):  # those of a short training may be the same
        axes.axvline(rung, color=QUIET, linestyle=DASHES[2], linewidth=1, zorder=1)
        came = sum(trained_time(trial) >= rung for trial in trials)
        went = sum(trial.rungs >= bisect_right(rungs, rung) for trial in trials)
        last = rung == rungs[-1]
        axes.annotate(
            f"{came}" if last else f"{came}, {went} go on",
            (rung, 1),
            (-3 if last else 3, -3),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            ha="right" if last else "left",
            va="top",
            color=INK,
            fontsize=8.5,
        )


def _scale_time(axes: Axes, trials: Sequence[Trial], results: SweepResults) -> None:
    """Put ticks at the rungs of all brackets, on a logarithmic scale where they lie far apart."""
    rungs = sorted({rung for bracket in results.brackets for rung in bracket.rungs})
    first = max(1, min(trial.curve[0].time for trial in trials))
    if not rungs:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        return
    ticks = rungs if rungs[0] <= first else [first, *rungs]
    low, high = ticks[0], max(ticks[-1], *map(trained_time, trials))
    if len(ticks) > 1:
        if high > 4 * low:
            axes.set_xscale("log")
            axes.set_xlim(low * 0.85, high * 1.12)
        axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        axes.xaxis.set_minor_locator(NullLocator())


def _name_looks(trials: Sequence[Trial], results: SweepResults) -> list[Line2D]:
    handles = []
    best, point = results.best, results.best_point
    counts = Counter(trial.status for trial in trials)
    if best is not None and point is not None:
        line = Line2D(
            *([], []),
            color=BEST_LOOK.colour,
            marker="*",
            markersize=11,
            linewidth=BEST_LOOK.width,
            label=f"best: trial {best.number}, {best.status}, {format_metric(point.metric)}",
        )
        handles.append(line)
        counts[best.status] -= 1
    for status, look in LOOKS.items():
        if counts[status]:
            line = Line2D(
                *([], []),
                color=look.colour,
                alpha=look.opacity,
                marker=look.mark,
                markersize=5,
                linewidth=look.width,
                label=f"{status}: {counts[status]}",
            )
            handles.append(line)
    return handles

"""How the best metric of a sweep advanced, over time and over training."""

from collections.abc import Sequence
from dataclasses import replace

from matplotlib.axes import Axes

from seentwice.pages import Picture
from seentwice.plots import DASHES, INK, QUIET, make_figure, quieten, to_png
from seentwice.sweeps.ranking import NEVER_WIN, follow_best
from seentwice.sweeps.report.looks import (
    BEST_LOOK,
    WIDTH_INCHES,
    Frame,
    describe_best,
    draw_sentence,
    frame_metrics,
    label,
    scale_metric,
)
from seentwice.sweeps.results import SweepResults


def draw_best_so_far(results: SweepResults) -> Picture:
    """Draw the best metric so far over the time of day, and over the training that was spent."""
    advances = follow_best(results.trials, results.smaller_is_better)
    known = [advance for advance in advances if advance.metric is not None]
    metrics = [advance.metric for advance in known if advance.metric is not None]
    able = tuple(trial for trial in results.trials if trial.status not in NEVER_WIN)
    frame = frame_metrics(replace(results, trials=able))
    if frame is None:
        return draw_sentence(describe_best(results))
    held = [metric for metric in metrics if frame.holds(metric)]
    frame = Frame(min(held), max(held))
    metrics = [frame.place(metric) for metric in metrics]
    budget = results.budget
    figure = make_figure(WIDTH_INCHES, 4.0)
    left, right = figure.subplots(1, 2, sharey=True)
    clock, seconds = _unit_of(advances[-1].seconds)
    _draw_steps(left, [advance.seconds / seconds for advance in known], metrics)
    _draw_steps(right, [advance.spent for advance in known], metrics)
    left.set_xlabel(f"Time since the first measurement, {clock}")
    left.set_ylabel(f"Best {label(results.metric)} so far", parse_math=False)
    unit = label(results.time_metric)
    right.set_xlabel(f"Training of all trials together, {unit}", parse_math=False)
    if budget.saved:
        right.set_xlim(-0.03 * budget.unstopped, 1.05 * budget.unstopped)
        right.axvline(budget.unstopped, color=QUIET, linestyle=DASHES[1], linewidth=1.2)
        right.axvspan(budget.spent, budget.unstopped, color=QUIET, alpha=0.12, linewidth=0)
        # Above the panel, where no curve is.
        right.set_title(
            f"up to {budget.saved:,} of {budget.unstopped:,} saved by stopping "
            f"({budget.share_saved:.0%})",
            loc="right",
            color=INK,
            fontsize=9.5,
        )
    scale_metric(left, frame)
    return Picture(
        to_png(figure),
        f"Best {results.metric} so far, over time and over training. {describe_best(results)}",
    )


def _draw_steps(axes: Axes, times: Sequence[float], metrics: Sequence[float]) -> None:
    """Draw the best metric from each measurement to the next, and a dot where it is another."""
    axes.plot(times, metrics, drawstyle="steps-post", color=BEST_LOOK.colour, linewidth=2.0)
    new = [n for n in range(len(times)) if n == 0 or metrics[n] != metrics[n - 1]]
    changed = ([times[n] for n in new], [metrics[n] for n in new])
    axes.plot(*changed, "o", color=BEST_LOOK.colour, markersize=4)
    span = max(1.0, times[-1])  # a single point has none
    axes.set_xlim(-0.03 * span, 1.05 * span)
    quieten(axes)


def _unit_of(seconds: float) -> tuple[str, float]:
    if seconds < 180:
        return "seconds", 1.0
    return ("minutes", 60.0) if seconds < 3 * 3600 else ("hours", 3600.0)

"""How much each hyperparameter of a sweep decides."""

from collections.abc import Sequence

from matplotlib.ticker import FuncFormatter

from seentwice.pages import Picture
from seentwice.plots import COLOURS, make_figure, quieten, to_png
from seentwice.sweeps.report.importance import FEWEST_TRIALS, Importance
from seentwice.sweeps.report.looks import MOST_ROWS, WIDTH_INCHES, draw_sentence, label
from seentwice.sweeps.results import SweepResults, name_time


def draw_importance(results: SweepResults, importances: Sequence[Importance]) -> Picture:
    """Draw how much each hyperparameter decides, a bar for each rung.

    A rung is left out where the forest ranks unseen trials no better than chance.
    """
    told = [one for one in importances if one.tells]
    if not told:
        return draw_sentence(_say_why_nothing(importances))
    keys = [key for key in results.varied if any(key in one.shares for one in told)]
    keys.sort(key=lambda key: -max(one.shares.get(key, 0.0) for one in told))
    counted = len(keys)
    keys = keys[:MOST_ROWS]
    figure = make_figure(WIDTH_INCHES, 1.4 + len(keys) * (0.24 + 0.2 * len(told)))
    axes = figure.add_subplot()
    thickness = 0.8 / len(told)
    for rank, one in enumerate(told):
        axes.barh(
            [row - 0.4 + thickness * (rank + 0.5) for row in range(len(keys))],
            [max(0.0, one.shares.get(key, 0.0)) for key in keys],
            thickness * 0.9,
            color=COLOURS[rank % len(COLOURS)],
            label=f"after {name_time(one.time, label(results.time_metric))}: {one.trials} trials, "
            f"{one.explained:.0%} explained",
        )
    axes.set_yticks(range(len(keys)), [label(key) for key in keys], parse_math=False)
    axes.set_ylim(len(keys) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    greatest = "" if counted == len(keys) else f"; the greatest of {counted:,} shares"
    axes.set_xlabel(f"Share of the variance of the trials' ranks that one decides{greatest}")
    quieten(axes)
    axes.grid(visible=False, axis="y")
    legend = figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9.5)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return Picture(
        to_png(figure),
        f"Importance of hyperparameters, the greatest first: {', '.join(keys)}; "
        + ", ".join(
            f"after {name_time(one.time, results.time_metric)} of {one.trials} trials"
            for one in told
        ),
    )


def _say_why_nothing(importances: Sequence[Importance]) -> str:
    most = max((one.trials for one in importances), default=0)
    if most < FEWEST_TRIALS:
        return (
            f"Importance of hyperparameters: at least {FEWEST_TRIALS} trials are needed that "
            "trained equally long and differ in values and metric."
        )
    return (
        f"Importance of hyperparameters: {most} trials do not tell it; a forest that learned from "
        "some of them ranks the others no better than chance."
    )

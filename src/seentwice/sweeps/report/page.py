"""The report of a sweep, as far as it has come: files that are written again and again."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from seentwice.display import name_count, show_text
from seentwice.files import write_atomically
from seentwice.pages import (
    Block,
    Code,
    Facts,
    Picture,
    Section,
    render_page,
    write_page,
)
from seentwice.sweeps.report.best_so_far import draw_best_so_far
from seentwice.sweeps.report.importance import measure_importance
from seentwice.sweeps.report.importance_bars import draw_importance
from seentwice.sweeps.report.learning_curves import draw_learning_curves
from seentwice.sweeps.report.looks import describe_best, format_metric
from seentwice.sweeps.report.parallel_axes import draw_parallel_axes
from seentwice.sweeps.report.tables import tabulate_brackets, tabulate_space, tabulate_trials
from seentwice.sweeps.results import (
    Origin,
    SpellValue,
    SweepResults,
    name_time,
    spell_overrides,
    to_csv,
    to_json,
)

REPORT, RESULTS, TRIALS = "report.html", "results.json", "trials.csv"
LEARNING_CURVES, BEST_SO_FAR = "learning_curves.png", "best_so_far.png"
PARALLEL_AXES, IMPORTANCE = "parallel_axes.png", "importance.png"
FILES = (REPORT, RESULTS, TRIALS, LEARNING_CURVES, BEST_SO_FAR, PARALLEL_AXES, IMPORTANCE)


def write_report(folder: Path, results: SweepResults, spell: SpellValue, origin: Origin) -> None:
    """Write `FILES` into the folder, each whole or not at all.

    Args:
        folder: exists.
        results: of the sweep so far.
        spell: gives a value as an override has it.
        origin: of the results.

    Raises:
        UnwritableError: the folder is missing or cannot be written, or the disk is full.
    """
    pictures = {
        LEARNING_CURVES: draw_learning_curves(results),
        BEST_SO_FAR: draw_best_so_far(results),
        PARALLEL_AXES: draw_parallel_axes(results),
        IMPORTANCE: draw_importance(results, measure_importance(results)),
    }
    for name, picture in pictures.items():
        write_atomically(folder / name, picture.png)
    write_atomically(folder / TRIALS, to_csv(results))
    write_atomically(folder / RESULTS, to_json(results, spell, origin))
    page = render_report(results, pictures, spell, origin)
    write_page(folder / REPORT, page)


def render_report(
    results: SweepResults,
    pictures: Mapping[str, Picture],
    spell: SpellValue,
    origin: Origin,
) -> str:
    """Return the report as one HTML document; the pictures are named by their files."""
    better = "smaller" if results.smaller_is_better else "larger"
    tables: tuple[Block, ...] = (tabulate_space(results),)
    if results.brackets:
        tables = (*tables, tabulate_brackets(results))
    sections = [
        _best_section(results, spell, origin),
        Section(
            "Learning curves",
            f"{show_text(results.metric)} over training. A dotted line is a rung: how many trials "
            "came there, and how many went on to train longer; the others were stopped.",
            (pictures[LEARNING_CURVES],),
        ),
        Section(
            "Best so far",
            f"{describe_budget(results)} Trials that failed are never the best; what they "
            "trained is counted.",
            (pictures[BEST_SO_FAR],),
        ),
        Section(
            "Hyperparameters",
            "A line is a trial, from its values to its best metric. The bars are estimates by a "
            "random forest, from trials that its trees have not seen: how much of the order of "
            "trials each hyperparameter decides. At a rung those are compared that came there, by "
            "what they reached up to it; later rungs know only those that earlier ones let "
            "through.",
            (pictures[PARALLEL_AXES], pictures[IMPORTANCE]),
        ),
        Section(
            "Trials",
            f"By the best {show_text(results.metric)} of each, however long it trained.",
            tabulate_trials(results),
        ),
        Section(
            "How it was made",
            f"{show_text(results.metric)}: {better} is better.",
            (*tables, Code(show_text(origin.command))),
        ),
    ]
    title = f"Sweep: {show_text(results.name)}"
    return render_page(title, describe_sweep(results), sections)


def describe_sweep(results: SweepResults) -> str:
    """Say how many trials there are in which state, and which is best."""
    counts = ", ".join(f"{number:,} {status}" for status, number in results.counts.items())
    trials = name_count(len(results.trials), "trial", "trials")
    told = f"{trials}: {counts}. " if counts else ""
    return told + describe_best(results)


def describe_budget(results: SweepResults) -> str:
    """Say how long all trials trained together, and what stopping saved."""
    budget = results.budget
    spent = show_text(name_time(budget.spent, results.time_metric))
    told = f"Training of all trials together: {spent}"
    if not budget.saved:
        return f"{told}."
    return (
        f"{told}; without stopping up to {budget.unstopped:,}, so stopping saved up to "
        f"{budget.saved:,} ({budget.share_saved:.0%})."
    )


def _best_section(results: SweepResults, spell: SpellValue, origin: Origin) -> Section:
    best, point = results.best, results.best_point
    if best is None or point is None:
        return Section("Best trial", describe_best(results))
    facts = Facts(
        (
            ("Trial", str(best.number)),
            (f"Best {show_text(results.metric)}", format_metric(point.metric)),
            ("After", show_text(name_time(point.time, results.time_metric))),
            ("Status", best.status),
            ("Folder", show_text(best.folder) or "none yet"),
            ("Checkpoint", show_text(best.checkpoint) or "not written yet"),
        )
    )
    overrides = Code(show_text(shlex.join(spell_overrides(best, spell))))
    commands = {"trains it again": origin.training, "evaluates it": origin.evaluation}
    named = " and that which ".join(what for what, command in commands.items() if command)
    return Section(
        "Best trial",
        "Its hyperparameters, as overrides of the command line"
        + (f"; below them the command that {named}." if named else "."),
        (facts, overrides, *(Code(show_text(one)) for one in commands.values() if one)),
    )

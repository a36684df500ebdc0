"""What a running sweep shows: a table that changes on a terminal, lines elsewhere."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import get_args

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from seentwice.commands.progress import print_plainly
from seentwice.display import show_text
from seentwice.sweeps.brackets import plan_brackets
from seentwice.sweeps.plan import AdaptiveAsha, Plan
from seentwice.sweeps.ranking import find_best, find_best_point, rank_trials, reached_rung
from seentwice.sweeps.trials import Status, Trial

_LONGEST = 60  # characters of a trial's values in the table
_LINES_ABOVE = 2  # the trials: what is measured, and what the columns are


class SweepView:
    """Shows the trials of a sweep as they change."""

    def __init__(self, plan: Plan, console: Console) -> None:
        """Take what is the same all the time.

        Args:
            plan: of the sweep.
            console: a terminal, or what the output was sent to.
        """
        self._metric = plan.watched.metric
        self._smaller_is_better = plan.watched.smaller_is_better
        asha = plan.searcher if isinstance(plan.searcher, AdaptiveAsha) else None
        self._brackets = plan_brackets(asha) if asha else ()
        self._console = console
        self._live: Live | None = None
        self._seen: Mapping[int, Trial] = {}

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Keep the table on the terminal during the block, and leave all trials there at its end.

        Until then, there are as many as the terminal has lines for.
        """
        if not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, refresh_per_second=4) as live:
            self._live = live
            try:
                yield
            finally:
                if self._seen:
                    live.update(self._draw(list(self._seen.values()), len(self._seen)))
                self._live = None

    def show(self, trials: Sequence[Trial]) -> None:
        """Show what is known of the trials now."""
        if self._live is not None:
            self._live.update(self._draw(trials, self._console.height - _LINES_ABOVE))
        else:
            for trial in trials:
                for line in self._changes(self._seen.get(trial.number), trial):
                    print_plainly(f"trial {trial.number}: {line}", self._console)
        self._seen = {trial.number: trial for trial in trials}

    def _changes(self, before: Trial | None, now: Trial) -> Iterator[str]:
        """Yield what is new of a trial since it was shown last."""
        if now.values and not (before and before.values):
            yield f"begins with {spell_values(now.values)}"
        if before and before.curve and now.worker not in ("", before.worker):
            yield f"another worker goes on with it {self._rung(before)}"
        if now.restarts > (before.restarts if before else 0):
            yield f"crashed, and begins again from its last epoch: {now.error}"
        if now.rungs > (before.rungs if before else 0) and now.status == "running":
            yield f"{self._rung(now)}: goes on; {self._measured(now)}"
        if now.status != (before.status if before else "waiting"):
            if now.status in ("stopped", "finished"):
                yield f"{self._rung(now)}: {now.status}; {self._measured(now)}"
            elif now.status in ("failed", "impossible"):
                yield f"{now.status}: {now.error}"

    def _rung(self, trial: Trial) -> str:
        epochs = trial.curve[-1].time if trial.curve else 0
        return f"after {epochs} epoch{'' if epochs == 1 else 's'}"

    def _measured(self, trial: Trial) -> str:
        best = find_best_point(trial.curve, self._smaller_is_better)
        return "nothing measured" if best is None else f"{self._metric} {best.metric:.4f} at best"

    def _rungs(self, trial: Trial) -> str:
        bracket = self._brackets[trial.bracket]
        return f"{reached_rung(trial, bracket)}/{len(bracket.rungs)}"

    def _draw(self, trials: Sequence[Trial], lines: int) -> Group:
        """Return the table of the trials that so many lines hold, and how many more there are."""
        better = "smaller" if self._smaller_is_better else "larger"
        title = f"{show_text(self._metric)}: {better} is better"
        best = find_best(trials, self._smaller_is_better)
        ordered = self._order(trials, best)
        shown = ordered if len(ordered) <= lines else ordered[: max(lines - 1, 1)]
        drawn: list[RenderableType] = [_line(title, "italic"), self._table(shown, best)]
        hidden = ordered[len(shown) :]
        if hidden:
            counts = Counter(trial.status for trial in hidden)
            named = [f"{counts[status]} {status}" for status in get_args(Status) if counts[status]]
            drawn.append(_line(f"and {len(hidden)} more: {', '.join(named)}", "dim"))
        return Group(*drawn)

    def _order(self, trials: Sequence[Trial], best: Trial | None) -> list[Trial]:
        """Return the best trial, those that run, and the others, best first."""
        running = [trial for trial in trials if trial.status == "running" and trial is not best]
        ranked = rank_trials(trials, self._smaller_is_better)
        others = [trial for trial in ranked if trial.status != "running" and trial is not best]
        return [*([best] if best else []), *running, *others]

    def _table(self, trials: Sequence[Trial], winner: Trial | None) -> Table:
        table = Table(box=None, header_style="bold", pad_edge=False)
        # Every trial has one line: rich makes columns narrower that may wrap, and no other, and of
        # those the text in the cells does not wrap.
        table.add_column("trial", justify="right", no_wrap=True)
        table.add_column("state", no_wrap=True)
        table.add_column("rungs", justify="right", no_wrap=True)
        table.add_column("epochs", justify="right", no_wrap=True)
        table.add_column("best", justify="right", no_wrap=True)
        table.add_column("values", max_width=_LONGEST)
        for trial in trials:
            best = find_best_point(trial.curve, self._smaller_is_better)
            rungs = self._rungs(trial) if self._brackets else ""
            told = trial.error if trial.status in ("failed", "impossible") else None
            table.add_row(
                str(trial.number),
                trial.status,
                rungs,
                str(trial.curve[-1].time) if trial.curve else "",
                f"{best.metric:.4f}" if best else "",
                _line(show_text(told or spell_values(trial.values))),
                style="bold green" if trial is winner else "",
            )
        return table


def _line(text: str, style: str = "") -> Text:
    """Return a text that is cut where its column or the terminal ends."""
    return Text(text, style, no_wrap=True, overflow="ellipsis")


def spell_values(values: Mapping[str, object]) -> str:
    """Return a trial's hyperparameters in one line, numbers shortened."""
    return ", ".join(
        f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}"
        for key, value in values.items()
    )

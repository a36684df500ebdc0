"""What a running sweep shows, on terminals of fixed sizes and elsewhere."""

import io
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.console import Console

from seentwice.commands.sweep_view import SweepView
from seentwice.sweeps.plan import AdaptiveAsha, Plan, Random, SearcherSettings, Watched
from seentwice.sweeps.trials import Point, Status, Trial

ASHA = AdaptiveAsha(max_trials=16, max_time=4, divisor=2, mode="aggressive", time_metric="epochs")
HOSTILE = "\x1b[31mred\x1b[0m\n[bold]trial 9: finished[/bold]"
ESCAPED = r"\x1b[31mred\x1b[0m\n[bold]trial 9: finished[/bold]"


def plan_of(searcher: SearcherSettings = ASHA, metric: str = "validation_loss") -> Plan:
    return Plan("a sweep", ("train",), Watched(metric), searcher, {})


def trial_of(
    number: int, status: Status, *metrics: float, rungs: int = 0, error: str = ""
) -> Trial:
    """Return a trial that measured something after every epoch."""
    curve = tuple(Point(epoch, metric, 0.0) for epoch, metric in enumerate(metrics, 1))
    values = {} if status == "waiting" else {"optimizer.lr": 0.123456, "head": "l1"}
    return Trial(number, 0, status, values, curve, rungs, "", "", "", 0, error, ())


def show_on_terminal(
    trials: Sequence[Trial], height: int, width: int = 80, plan: Plan | None = None
) -> tuple[list[str], list[str]]:
    """Return the lines that a terminal shows of a running sweep, and those that stay in the end."""
    screen = io.StringIO()
    console = Console(
        file=screen, force_terminal=True, width=width, height=height, color_system=None, _environ={}
    )
    view = SweepView(plan or plan_of(), console)
    with view.shown():
        view.show(trials)
        assert view._live is not None
        shown = Console(record=True, width=width, height=height, file=io.StringIO(), _environ={})
        shown.print(view._live.get_renderable())
        screen.truncate(0)
    left = screen.getvalue().rpartition("\x1b[2K")[2]
    return [line.rstrip() for line in shown.export_text().splitlines()], left.splitlines()


SIXTY_FOUR = [
    *(trial_of(number, "stopped", 1 + number / 100, rungs=1) for number in range(30)),
    trial_of(30, "finished", 0.9, 0.5, 0.4, 0.3, rungs=2),
    *(trial_of(number, "failed", error="out of memory") for number in range(31, 40)),
    trial_of(40, "impossible", error="head=l3"),
    *(trial_of(number, "stopped", 0.6 + number / 100, rungs=1) for number in range(41, 48)),
    *(trial_of(number, "waiting") for number in range(48, 60)),
    *(trial_of(number, "running", 0.8) for number in range(60, 64)),
]


def numbers_of(lines: Sequence[str]) -> list[int]:
    """Return the trials of a table, from its top."""
    firsts = [line.split()[0] for line in lines if line.split()]
    return [int(first) for first in firsts if first.isdigit()]


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("height", [12, 24, 40])
def test_a_table_longer_than_the_terminal_shows_the_best_and_what_runs(
    height: int, width: int
) -> None:
    lines, _ = show_on_terminal(SIXTY_FOUR, height, width)
    assert len(lines) == height
    assert max(map(len, lines)) <= width
    assert lines[0] == "validation_loss: smaller is better"
    numbers = numbers_of(lines)
    assert len(numbers) == height - 3
    assert numbers[:5] == [30, 60, 61, 62, 63]
    assert lines[2].split()[:5] == ["30", "finished", "3/3", "4", "0.3000"]
    assert lines[3].split()[:5] == ["60", "running", "0/3", "1", "0.8000"]
    ended = [*range(30), *range(41, 48)]
    ended.sort(key=lambda number: SIXTY_FOUR[number].curve[0].metric)
    assert numbers[5:] == ended[: height - 8]
    stopped = len(ended) - (height - 8)
    assert lines[-1] == (
        f"and {64 - len(numbers)} more: 12 waiting, {stopped} stopped, 9 failed, 1 impossible"
    )


def test_what_is_longer_than_the_terminal_is_wide_is_cut() -> None:
    lines, _ = show_on_terminal(SIXTY_FOUR, 12, 40, plan_of(metric="m" * 50))
    assert len(lines) == 12
    assert lines[0] == "m" * 39 + "…"
    assert lines[-1].startswith("and 55 more: 12 waiting, ")
    assert lines[-1].endswith("…")


def test_what_is_left_in_the_end_is_every_trial() -> None:
    _, left = show_on_terminal(SIXTY_FOUR, 24)
    assert sorted(numbers_of(left)) == list(range(64))
    assert not any("more:" in line for line in left)


@pytest.mark.parametrize(("height", "shown"), [(66, 64), (65, 62), (4, 1), (3, 1), (1, 1)])
def test_as_many_trials_as_there_are_lines(height: int, shown: int) -> None:
    lines, _ = show_on_terminal(SIXTY_FOUR, height)
    assert len(numbers_of(lines)) == shown
    assert any("more:" in line for line in lines) == (shown < 64)


def test_a_row_says_what_is_known_of_a_trial() -> None:
    trials = [
        trial_of(0, "finished", 0.5, 0.25, 0.3, 0.4, rungs=2),
        trial_of(1, "running", 0.5, rungs=1),
        trial_of(2, "failed", 0.1, error="CUDA out of memory"),
        trial_of(3, "waiting"),
    ]
    lines, _ = show_on_terminal(trials, 24)
    assert [line.split() for line in lines[1:]] == [
        ["trial", "state", "rungs", "epochs", "best", "values"],
        ["0", "finished", "3/3", "4", "0.2500", "optimizer.lr=0.1235,", "head=l1"],
        ["1", "running", "1/3", "1", "0.5000", "optimizer.lr=0.1235,", "head=l1"],
        ["3", "waiting", "0/3"],
        ["2", "failed", "0/3", "1", "0.1000", "CUDA", "out", "of", "memory"],
    ]


def test_a_searcher_that_stops_nothing_has_no_rungs() -> None:
    lines, _ = show_on_terminal([trial_of(0, "running", 0.5)], 24, plan=plan_of(Random(4)))
    assert lines[2].split()[:4] == ["0", "running", "1", "0.5000"]


def test_texts_from_outside_are_escaped_in_the_table() -> None:
    trials = [
        replace(trial_of(0, "running"), values={"head": HOSTILE}),
        trial_of(1, "failed", error=HOSTILE),
    ]
    lines, left = show_on_terminal(trials, 24, 120, plan_of(metric=HOSTILE))
    assert len(lines) == 4
    assert lines[0] == f"{ESCAPED}: smaller is better"
    assert f"head={ESCAPED}"[:40] in lines[2]
    assert ESCAPED[:40] in lines[3]
    assert "\x1b[31m" not in "".join(left)


def lines_of(*states: Sequence[Trial]) -> list[str]:
    """Return what is told of one state after another where the output is no terminal."""
    file = io.StringIO()
    view = SweepView(plan_of(), Console(file=file, width=60))
    with view.shown():
        for trials in states:
            view.show(trials)
            view.show(trials)  # nothing new
    return file.getvalue().splitlines()


def test_elsewhere_every_change_is_a_line() -> None:
    waiting = trial_of(0, "waiting")
    began = trial_of(0, "running")
    assert lines_of([waiting], [began]) == [
        "trial 0: begins with optimizer.lr=0.1235, head=l1",
    ]
    went_on = trial_of(0, "running", 0.5, rungs=1)
    assert lines_of([began], [went_on])[1:] == [
        "trial 0: after 1 epoch: goes on; validation_loss 0.5000 at best"
    ]
    crashed = replace(began, restarts=1, error="out of memory")
    assert lines_of([began], [crashed])[1:] == [
        "trial 0: crashed, and begins again from its last epoch: out of memory"
    ]
    held = replace(went_on, worker="a")
    assert lines_of([held], [replace(held, worker="")], [replace(held, worker="b")])[2:] == [
        "trial 0: another worker goes on with it after 1 epoch"
    ]
    for end in ("stopped", "finished"):
        assert lines_of([began], [trial_of(0, end, 0.5, 0.25, rungs=1)])[1:] == [
            f"trial 0: after 2 epochs: {end}; validation_loss 0.2500 at best"
        ]
    assert lines_of([began], [trial_of(0, "finished")])[1:] == [
        "trial 0: after 0 epochs: finished; nothing measured"
    ]
    for end in ("failed", "impossible"):
        assert lines_of([began], [trial_of(0, end, error="lr=-1")])[1:] == [
            f"trial 0: {end}: lr=-1"
        ]


def test_what_was_missed_is_told_at_once_and_of_each_trial() -> None:
    ended = [trial_of(0, "stopped", 0.5, rungs=1), trial_of(1, "waiting"), trial_of(2, "running")]
    assert lines_of(ended) == [
        "trial 0: begins with optimizer.lr=0.1235, head=l1",
        "trial 0: after 1 epoch: stopped; validation_loss 0.5000 at best",
        "trial 2: begins with optimizer.lr=0.1235, head=l1",
    ]


def test_texts_from_outside_are_escaped_in_the_lines() -> None:
    began = replace(trial_of(0, "running"), values={"head": HOSTILE})
    crashed = replace(began, restarts=1, error=HOSTILE)
    failed = replace(crashed, status="failed")
    assert lines_of([began], [crashed], [failed]) == [
        f"trial 0: begins with head={ESCAPED}",
        f"trial 0: crashed, and begins again from its last epoch: {ESCAPED}",
        f"trial 0: failed: {ESCAPED}",
    ]

"""`seentwice dedupe --apply` and `--undo`: photos move away, and come back."""

import shlex
from datetime import datetime
from itertools import islice
from pathlib import Path

from rich.console import Console

from seentwice.commands.progress import print_plainly, show_progress
from seentwice.dedupe.findings import Duplicates
from seentwice.dedupe.moving.applying import apply_plan
from seentwice.dedupe.moving.plan import MovePlan, Staying, plan_moves
from seentwice.dedupe.moving.plan_files import describe_plan, write_plan_csv
from seentwice.dedupe.moving.undoing import undo_moves
from seentwice.display import name_count

_SHOWN = 10
LEFT = 1
"""The exit code where some photos could not be moved, or put back."""


def move_duplicates(
    duplicates: Duplicates, to: Path, out: Path, is_meant: bool, console: Console
) -> int:
    """Plan what moves to a folder; move it if that is meant. Return the exit code.

    Raises:
        UserError: the folder overlaps with that of the photos, or cannot be written.
    """
    plan = plan_moves(duplicates, to.absolute())
    write_plan_csv(out / "plan.csv", plan)
    if not is_meant:
        _show_plan(plan, out, console)
        return 0
    undo = plan.to / f"undo-{datetime.now():%Y-%m-%d_%H-%M-%S-%f}.jsonl"
    with show_progress("Moving photos", console) as progress:
        done = apply_plan(plan, undo, progress)
    staying = (*plan.staying, *done.staying)
    _tell_staying(staying, console)
    print_plainly(
        f"{name_count(len(done.moved), 'photo', 'photos')} moved to {plan.to}, "
        f"{len(staying):,} stay; nothing was deleted",
        console,
    )
    if done.moved:
        words = shlex.join(["seentwice", "dedupe", "--undo", str(undo)])
        print_plainly(f"To put them back: {words}", console)
    return LEFT if done.staying else 0


def undo(file: Path, console: Console) -> int:
    """Put back what was moved; return the exit code.

    Raises:
        UserError: the file is none that moving wrote, or the folder of the photos is away.
    """
    with show_progress("Putting photos back", console) as progress:
        undone = undo_moves(file, progress)
    _tell_staying(undone.staying, console)
    print_plainly(
        f"{name_count(undone.back, 'photo', 'photos')} put back, {undone.in_place:,} were there, "
        f"{len(undone.staying):,} could not be put back",
        console,
    )
    return LEFT if undone.staying else 0


def _show_plan(plan: MovePlan, out: Path, console: Console) -> None:
    count = len(plan.moves) + len(plan.staying)
    lines = list(islice(describe_plan(plan), min(_SHOWN, count)))
    for line in lines:
        print_plainly(f"  {line}", console)
    if count > len(lines):
        print_plainly(f"  and {count - len(lines):,} more, in {out / 'plan.csv'}", console)
    print_plainly(
        f"Nothing was moved yet: {name_count(len(plan.moves), 'photo', 'photos')} would move to "
        f"{plan.to}; add --yes to do so",
        console,
    )


def _tell_staying(staying: tuple[Staying, ...], console: Console) -> None:
    for photo in staying[:_SHOWN]:
        print_plainly(f"  stays: {photo.path}: {photo.reason}", console)
    if len(staying) > _SHOWN:
        print_plainly(f"  and {len(staying) - _SHOWN:,} more", console)

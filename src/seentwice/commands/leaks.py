"""What every command says of photos in two splits or under two places, and where it lists them."""

from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from seentwice.commands.progress import print_plainly
from seentwice.commands.settings import read_settings
from seentwice.commands.splits import SplitSettings
from seentwice.commands.workbench import Workbench
from seentwice.data.lookalikes import (
    Lookalikes,
    describe_leaks,
    describe_suspects,
    lookalikes_to_csv,
)
from seentwice.display import show_text
from seentwice.errors import UserError
from seentwice.files import write_atomically

LEAKS_FILE, SUSPECTS_FILE = "leaks.csv", "suspects.csv"
SHOWN = 3


def report_leaks(bench: Workbench, config: DictConfig, folder: Path, console: Console) -> None:
    """Print and list leaks and suspects; nothing where there are none.

    Args:
        bench: holds them.
        config: its `split.leaks` says what to do about leaks; suspects are told in any case.
        folder: of the run; gets `LEAKS_FILE` and `SUSPECTS_FILE`.
        console: to print on.

    Raises:
        UserError: there are leaks and `split.leaks` is "error".
    """
    leaks = bench.leaks
    where = _list(leaks, folder / LEAKS_FILE)
    _print("leaks", leaks, describe_leaks(leaks), where, console)
    where_suspects = _list(bench.suspects, folder / SUSPECTS_FILE)
    _print("suspects", bench.suspects, describe_suspects(bench.suspects), where_suspects, console)
    if bench.suspects.total:
        hint = f"; {bench.photo_set.zones_hint}" if bench.photo_set.zones_hint else ""
        print_plainly(f"    one place? name them alike{hint}", console)
    if leaks.total and read_settings(SplitSettings, config, "split").leaks == "error":
        first = leaks.listed[0]
        raise UserError(
            f"split.leaks=error: {describe_leaks(leaks)}, first "
            f"{show_text(first.left)} and {show_text(first.right)}; "
            f"{show_text(where)}; name both alike, give both one property in "
            "manifest.csv, or take one of them away"
        )


def count_leaks(bench: Workbench) -> dict[str, int]:
    """Return how many leaks there are, by how they are seen."""
    return _count(bench.leaks)


def count_suspects(bench: Workbench) -> dict[str, int]:
    """Return how many suspects there are, by how they are seen."""
    return _count(bench.suspects)


def _count(found: Lookalikes) -> dict[str, int]:
    return {how.value.replace(" ", "_"): count for how, count in found.counts.items()}


def _list(found: Lookalikes, path: Path) -> str:
    """Write the table where there is something to list; say how much of all is where."""
    if found.listed:
        write_atomically(path, lookalikes_to_csv(found))
    return f"{'all' if len(found.listed) == found.total else f'{len(found.listed):,}'} in {path}"


def _print(what: str, found: Lookalikes, description: str, where: str, console: Console) -> None:
    if not found.total:
        return
    print_plainly(f"  {what}: {description}, {where}", console)
    for pair in found.listed[:SHOWN]:
        print_plainly(
            f"    {pair.left} ({pair.left_split}) and {pair.right} ({pair.right_split}): "
            f"{pair.how.value}",
            console,
        )

"""What every command says of photos that are in two splits, and where it lists them."""

from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from seentwice.commands.progress import print_plainly
from seentwice.commands.settings import read_settings
from seentwice.commands.workbench import SplitSettings, Workbench
from seentwice.data.leaks import describe_leaks, leaks_to_csv
from seentwice.display import show_text
from seentwice.errors import UserError
from seentwice.files import write_atomically

LEAKS_FILE = "leaks.csv"
SHOWN = 3


def report_leaks(bench: Workbench, config: DictConfig, folder: Path, console: Console) -> None:
    """Print and list the leaks; nothing where there are none.

    Args:
        bench: holds them.
        config: its `split.leaks` says what to do about them.
        folder: of the run; gets `LEAKS_FILE`.
        console: to print on.

    Raises:
        UserError: there are some and `split.leaks` is "error".
    """
    leaks = bench.leaks
    if not leaks.listed:
        return
    path = folder / LEAKS_FILE
    write_atomically(path, leaks_to_csv(leaks))
    first = leaks.listed[0]
    where = f"{'all' if len(leaks.listed) == leaks.total else f'{len(leaks.listed):,}'} in {path}"
    if read_settings(SplitSettings, config, "split").leaks == "error":
        raise UserError(
            f"split.leaks=error: {describe_leaks(leaks)}, first "
            f"{show_text(first.left)} and {show_text(first.right)}; "
            f"{show_text(where)}; tell both of one place or property, or take one of them away"
        )
    print_plainly(f"  leaks: {describe_leaks(leaks)}, {where}", console)
    for leak in leaks.listed[:SHOWN]:
        print_plainly(
            f"    {leak.left} ({leak.left_split}) and {leak.right} ({leak.right_split}): "
            f"{leak.how.value}",
            console,
        )


def count_leaks(bench: Workbench) -> dict[str, int]:
    """Return how many leaks there are, by how they are seen."""
    return {how.value.replace(" ", "_"): count for how, count in bench.leaks.counts.items()}

"""What the pair tables of a run hold, in lines."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from seentwice.commands.progress import print_plainly
from seentwice.commands.unreadable import report_unreadable
from seentwice.commands.workbench import Workbench
from seentwice.data.sampling.mix import MixedPolicy
from seentwice.data.table_counts import count_tables
from seentwice.data.tables import FoldTables, MixedSampling
from seentwice.display import name_count


def print_tables(bench: Workbench, folder: Path, console: Console) -> None:
    """Print how many photos could be read and their pairs, which files gave none, what is missing.

    Args:
        bench: with the tables.
        folder: of the run; gets the table of files that gave no photo.
        console: prints.
    """
    photos = bench.readable_photos
    places = len({photo.place for photo in photos})
    print_plainly(
        f"{bench.photo_set.name}: {len(photos):,} photos of {places:,} places, "
        f"{bench.described.readable.sum():,} views",
        console,
    )
    if bench.unlabelled is not None:
        unlabelled = name_count(len(bench.unlabelled), "photo", "photos")
        print_plainly(f"unlabelled: {unlabelled}, from which the whitening learns, too", console)
    for line in report_unreadable(bench.unreadable, folder):
        print_plainly(line, console)
    counts = count_tables(bench.folds)
    if len(bench.folds) > 1:
        print_plainly(f"added up over the {len(bench.folds)} folds:", console)
    for count in counts:
        pairs = ", ".join(
            f"{number:,} {kind.replace('_', ' ')}" for kind, number in count.pairs.items() if number
        )
        print_plainly(f"  {count.split}: {count.views:,} views; {pairs}", console)
    if isinstance(bench.sampling, MixedSampling):
        _print_mix(bench.sampling.train, bench.folds, counts[0].pairs, console)


def _print_mix(
    policy: MixedPolicy, folds: Sequence[FoldTables], pairs: Mapping[str, int], console: Console
) -> None:
    """Print where the training negatives are not in the mix that was asked for."""
    weights = policy.negatives.weights
    missing = [kind.replace("_", " ") for kind in weights if weights[kind] and not pairs[kind]]
    if missing:
        print_plainly(
            f"  no training negative came as {' or '.join(missing)}; other kinds make up for it",
            console,
        )
    if all((~tables.train.label).sum() < policy.max_negatives for tables in folds):
        print_plainly(
            "  these are all training negatives that there are: their kinds only name them",
            console,
        )

"""What the pair tables of a run hold, in lines."""

from pathlib import Path

from rich.console import Console

from seentwice.commands.progress import print_plainly
from seentwice.commands.unreadable import report_unreadable
from seentwice.commands.workbench import Workbench
from seentwice.data.table_counts import count_tables
from seentwice.data.tables import MixedSampling
from seentwice.records import Kind


def print_tables(bench: Workbench, folder: Path, console: Console) -> None:
    """Print how many views and pairs there are, which files gave none, and what is missing.

    Args:
        bench: with the tables.
        folder: of the run; gets the table of files that gave no photo.
        console: prints.
    """
    photos = bench.photo_set.photos
    places = len({photo.place for photo in photos})
    print_plainly(
        f"{bench.photo_set.name}: {len(photos):,} photos of {places:,} places, "
        f"{len(bench.plan.views):,} views",
        console,
    )
    for line in report_unreadable(bench.unreadable, folder):
        print_plainly(line, console)
    counts = count_tables(bench.folds)
    for count in counts:
        pairs = ", ".join(
            f"{number:,} {kind.replace('_', ' ')}" for kind, number in count.pairs.items() if number
        )
        print_plainly(f"  {count.split}: {count.views:,} views; {pairs}", console)
    if isinstance(bench.sampling, MixedSampling):
        asked = bench.sampling.train.negatives.weights
        missing = [
            kind.replace("_", " ")
            for kind in (Kind.SAME_PROPERTY, Kind.SAME_ROOM_TYPE)
            if asked[kind] and not counts[0].pairs[kind.value]
        ]
        if missing:
            print_plainly(
                f"  no {' and no '.join(missing)} negatives: no two training photos make one, "
                "and the other kinds give more",
                console,
            )

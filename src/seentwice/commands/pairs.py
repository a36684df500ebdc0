"""Write the pair tables and triplets of a training with the same settings, hard negatives aside."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from pydantic import Field

from seentwice.commands.fingerprint import fingerprint_photos
from seentwice.commands.leaks import report_leaks
from seentwice.commands.looking import read_sampling
from seentwice.commands.mining import check_mining
from seentwice.commands.next_steps import NEXT, shared_overrides, write_command
from seentwice.commands.pair_counts import print_tables
from seentwice.commands.progress import open_console, print_plainly, show_progress
from seentwice.commands.settings import read_settings
from seentwice.commands.workbench import check_photo_settings, load_photos, set_up
from seentwice.data.pairs import PairTable
from seentwice.data.samespace import to_samespace_frame
from seentwice.data.table_counts import TABLES
from seentwice.data.tables import SamespaceSampling
from seentwice.data.triplets import make_triplets
from seentwice.files import open_atomically


@dataclass(frozen=True, slots=True)
class PairsSettings:
    """What stands at the top of the config."""

    folds: int | None
    seed: int
    triplets: Annotated[int, Field(ge=0)]  # negatives that each query meets; 0 writes none


def run(config: DictConfig) -> None:
    """Look at every photo once, make the tables, and write each as CSV."""
    console = open_console()
    check_photo_settings(config)
    check_mining(config, read_sampling(config))  # a wrong setting is told before photos are read
    settings = read_settings(PairsSettings, config, None)
    folder = Path(HydraConfig.get().runtime.output_dir)
    photo_set = load_photos(config, console)
    fingerprint = fingerprint_photos(photo_set, console)
    bench = set_up(config, photo_set, fingerprint, [], None, settings.folds, True, console)
    print_tables(bench, folder, console)
    report_leaks(bench, config, folder, console)
    as_samespace = isinstance(bench.sampling, SamespaceSampling)
    all_as_samespace = as_samespace and bench.sampling.evaluation is None
    written, left_out = [], []
    with show_progress("Writing tables", console) as progress:
        for fold, tables in enumerate(bench.folds):
            prefix = f"fold{fold}_" if len(bench.folds) > 1 else ""
            for number, part in enumerate(TABLES):
                pairs: PairTable = getattr(tables, part)
                is_own = all_as_samespace or (as_samespace and part == "train")
                frame = to_samespace_frame(pairs) if is_own else pairs.to_frame()
                written.append(_write(folder / f"{prefix}{part}.csv", frame))
                if settings.triplets:
                    # The third number keeps it from the stream that drew the pairs.
                    generator = np.random.default_rng([settings.seed, 3 * fold + number, 1])
                    triplets = make_triplets(pairs, settings.triplets, generator)
                    path = folder / f"{prefix}{part}_triplets.csv"
                    written.append(_write(path, triplets.to_frame()))
                    if triplets.left_out:
                        left_out.append(f"{path.name}: {triplets.left_out:,}")
                progress(len(TABLES) * fold + number + 1, len(TABLES) * len(bench.folds))
    for path, rows in written:
        print_plainly(f"  {rows:>9,} rows  {path}", console)
    if left_out:
        print_plainly(
            "  queries without a negative pair, which are in no triplet (raise max_negatives): "
            + "; ".join(left_out),
            console,
        )
    # The training that takes its pairs from such a table, whatever the backbone.
    words = ["training=table", *shared_overrides("train")]
    print_plainly(NEXT + write_command("train", words), console)


def _write(path: Path, frame: pd.DataFrame) -> tuple[Path, int]:
    with open_atomically(path) as file:
        frame.to_csv(file, index=False, lineterminator="\n")
    return path, len(frame)

"""Write what a data set holds: counts, sizes, leaks, hash distances and pictures."""

import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from seentwice.commands.fingerprint import fingerprint_photos
from seentwice.commands.leaks import report_leaks
from seentwice.commands.looking import read_sampling
from seentwice.commands.mining import check_mining
from seentwice.commands.progress import open_console, print_plainly, show_progress
from seentwice.commands.settings import read_settings
from seentwice.commands.unreadable import report_unreadable
from seentwice.commands.workbench import Workbench, check_photo_settings, load_photos, set_up
from seentwice.data.card.counts import DataCard, PhotoMeasures, choose_examples, make_card, to_json
from seentwice.data.card.page import describe_card, render_card
from seentwice.data.parts import Parts
from seentwice.data.thumbnails import view_loader
from seentwice.detectors.hashes import hash_column
from seentwice.detectors.measures import FORMATS, MeasureDescriptor
from seentwice.display import name_count
from seentwice.files import write_atomically
from seentwice.hashing import HASHES
from seentwice.pages import write_page

CARD_PAGE, CARD_JSON = "card.html", "card.json"
EXAMPLES_A_KIND = 6


@dataclass(frozen=True, slots=True)
class CardSettings:
    """What stands at the top of the config."""

    folds: int | None
    seed: int
    max_pixels: int


def run(config: DictConfig) -> None:
    """Look at every photo once, count what is there, and write the card."""
    console = open_console()
    check_photo_settings(config)
    settings = read_settings(CardSettings, config, None)
    folder = Path(HydraConfig.get().runtime.output_dir)
    check_mining(config, read_sampling(config))  # a wrong setting is told before photos are read
    photo_set = load_photos(config, console)
    fingerprint = fingerprint_photos(photo_set, console)
    bench = set_up(
        config, photo_set, fingerprint, [MeasureDescriptor()], None, settings.folds, False, console
    )
    card, measures = _make_card(config, settings, bench)
    write_atomically(folder / CARD_JSON, to_json(card))
    with show_progress("Writing the card", console) as progress:
        page = render_card(
            card,
            measures,
            photo_set.photos,
            choose_examples(bench.folds[0], EXAMPLES_A_KIND, settings.seed),
            shlex.join(["seentwice", "card", *HydraConfig.get().overrides.task]),
            OmegaConf.to_yaml(config, resolve=True),
            view_loader(settings.max_pixels),
        )
        write_page(folder / CARD_PAGE, page)
        progress(1, 1)
    _print_card(card, folder, console)
    # Last, so that there is a card of data whose leaks are an error, too.
    report_leaks(bench, config, folder, console)


def _make_card(
    config: DictConfig, settings: CardSettings, bench: Workbench
) -> tuple[DataCard, PhotoMeasures]:
    """Take what the card needs from the views of readable photos as they are."""
    unedited = np.flatnonzero(bench.plan.edit_name == "")
    readable = bench.photo_readable
    photos = bench.readable_photos
    width_px, height_px, kind = bench.described.rows[MeasureDescriptor.name][unedited][readable].T
    measures = PhotoMeasures(
        width_px,
        height_px,
        np.array([photo.path.stat().st_size for photo in photos]),
        tuple(FORMATS[number] for number in kind),
    )
    card = make_card(
        data=bench.photo_set.name,
        source={str(key): str(value) for key, value in config.data.items()},
        fingerprint=bench.fingerprint,
        seed=settings.seed,
        photos=photos,
        parts=Parts(bench.parts.names, bench.parts.number[readable]),
        measures=measures,
        folds=bench.folds,
        hashes={name: hash_column(bench.described.rows, name) for name in HASHES},
        unreadable=bench.unreadable,
        leaks=bench.leaks,
        suspects=bench.suspects,
    )
    return card, measures


def _print_card(card: DataCard, folder: Path, console: Console) -> None:
    print_plainly(f"{card.data}: {describe_card(card)}", console)
    for line in report_unreadable(card.unreadable, folder):
        print_plainly(line, console)
    for part in card.parts[1:]:
        photos = name_count(part.photos, "photo", "photos")
        places = name_count(part.places, "place", "places")
        print_plainly(f"  {part.part}: {photos} of {places}", console)
    print_plainly(f"Card:  {folder / CARD_PAGE}", console)
    print_plainly(f"       {folder / CARD_JSON}", console)

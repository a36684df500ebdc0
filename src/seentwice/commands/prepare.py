"""Make or check a data set."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from seentwice.commands.listing_counts import count_listings
from seentwice.commands.photo_counts import count_photos
from seentwice.commands.progress import open_console, print_plainly, show_progress
from seentwice.commands.settings import read_data
from seentwice.commands.workbench import check_photo_settings
from seentwice.data.source import ExportingSource, ForgivingSource, ListingSource


def run(config: DictConfig) -> None:
    """Prepare the data set, read all of it once and print what is there."""
    console = open_console()
    check_photo_settings(config)
    source = read_data(config)
    if isinstance(source, ListingSource):
        lines = count_listings(source, console)
    else:
        if isinstance(source, ForgivingSource):
            source.forget_failures()
        if isinstance(source, ExportingSource):
            with show_progress("Exporting", console) as progress:
                source.export(progress)
        lines = count_photos(config, Path(HydraConfig.get().runtime.output_dir), console)
    for line in lines:
        print_plainly(line, console)

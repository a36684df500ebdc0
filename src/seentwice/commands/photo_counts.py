"""What a data set of photos holds."""

import os
from collections import Counter
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from seentwice.commands.banking import (
    read_bank,
    tell_of_damage,
    tell_of_removal,
    tell_of_waiting,
)
from seentwice.commands.fingerprint import fingerprint_photos
from seentwice.commands.next_steps import NEXT, shared_overrides, write_command
from seentwice.commands.progress import show_progress
from seentwice.commands.settings import ReadingSettings, read_settings, read_source
from seentwice.commands.unreadable import report_unreadable
from seentwice.commands.workbench import prepare_photos
from seentwice.data.split_remarks import remark_on_homes
from seentwice.data.views import EditChoice
from seentwice.detectors.describe import describe_views
from seentwice.detectors.hashes import HashDescriptor
from seentwice.display import name_count
from seentwice.records import View


def count_photos(config: DictConfig, folder: Path, console: Console) -> list[str]:
    """Prepare the data set, open every photo once, and return the lines that tell of it.

    Args:
        config: the composed configuration.
        folder: of the run; gets the table of files that gave no photo.
        console: shows progress.

    Raises:
        UserError: the data set is not there, or gives not one photo.
    """
    reading = read_settings(ReadingSettings, config, None)
    edits = read_settings(EditChoice, config, "edits")
    photo_set = prepare_photos(read_source(config), console)
    found = photo_set.photos
    bank = read_bank(config)
    with show_progress("Opening photos", console) as progress:
        described = describe_views(
            [View(photo) for photo in found],
            fingerprint_photos(photo_set, console).files,
            [HashDescriptor()],
            bank,
            photo_set.name,
            workers=reading.workers or os.cpu_count() or 1,
            max_pixels=reading.max_pixels,
            on_progress=progress,
            on_wait=tell_of_waiting(bank, console),
            on_damage=tell_of_damage(bank, console),
            on_removal=tell_of_removal(bank, console),
        )
    photos = [photo for photo, readable in zip(found, described.readable, strict=True) if readable]
    of_place = Counter(photo.place for photo in photos)
    pairs = sum(count * (count - 1) // 2 for count in of_place.values())
    lines = [
        f"{photo_set.name}: {name_count(len(photos), 'photo', 'photos')} of "
        f"{name_count(len(of_place), 'place', 'places')}, "
        f"{name_count(pairs, 'pair', 'pairs')} of one place"
    ]
    homes = len({photo.property for photo in photos if photo.property})
    if homes:
        lines.append(f"  {name_count(homes, 'home', 'homes')}")
    if edits.evaluation:
        lines.append(f"  and of every photo an edited copy: {', '.join(edits.evaluation)}")
    room_types = Counter(photo.room_type or "" for photo in photos)
    for room_type, count in sorted(room_types.items()):
        lines.append(f"  {room_type or 'no room type'}: {count:,}")
    lines += report_unreadable((*photo_set.unreadable, *described.unreadable), folder)
    lines += remark_on_homes(photo_set)
    if pairs == 0 and not edits.evaluation:
        lines.append(
            "No place has two photos, so there is nothing to find: name photos of one place alike "
            "(data/README.md), or let edits=mls make copies"
        )
    else:
        lines.append(NEXT + write_command("compare", shared_overrides("compare")))
    return lines

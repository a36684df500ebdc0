"""Make or check the photos of a data set."""

import os
from collections import Counter

from omegaconf import DictConfig

from seentwice.commands.progress import open_console, show_progress
from seentwice.commands.workbench import load_photos
from seentwice.detectors.describe import describe_views
from seentwice.detectors.hashes import HashDescriptor
from seentwice.records import View

EXAMPLES = """\
  seentwice prepare                                 render the embedded rooms
  seentwice prepare data=rooms data.train_places=20 fewer of them
  seentwice prepare data=folder data.root=PHOTOS    count and open your own photos
"""


def run(config: DictConfig) -> None:
    """Prepare the data set, open every photo once and print what is there."""
    console = open_console()
    photo_set = load_photos(config, console)
    photos = photo_set.photos
    with show_progress("Opening photos", console) as progress:
        described = describe_views(
            [View(photo) for photo in photos],
            [HashDescriptor()],
            workers=config.workers or os.cpu_count() or 1,
            max_pixels=config.max_pixels,
            on_progress=progress,
        )
    of_place = Counter(photo.place for photo in photos)
    pairs = sum(count * (count - 1) // 2 for count in of_place.values())
    console.print(
        f"{photo_set.name}: {len(photos)} photos of {len(of_place)} places, "
        f"{pairs} pairs of one place"
    )
    for room_type, count in sorted(Counter(str(photo.room_type) for photo in photos).items()):
        console.print(f"  {room_type}: {count}")
    for file in (*photo_set.unreadable, *described.unreadable):
        console.print(f"  unreadable: {file.path}: {file.reason} ({file.detail})", markup=False)
    console.print("Next: seentwice compare with the same data options")

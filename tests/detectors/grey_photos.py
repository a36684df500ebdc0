"""Photos of one grey level each, without files, and descriptors of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from seentwice.bank.bank import open_bank
from seentwice.bank.recipe import Recipe
from seentwice.detectors import describe
from seentwice.detectors.describe import describe_views
from seentwice.photos import PhotoError
from seentwice.records import Photo, Reason, Unreadable, View

BROKEN = ("2", "5")


def make_views(photos=8, edits=("", "plus:1", "plus:7")):
    return [
        View(Photo(Path(str(n)), f"{n}.jpg", f"room/{n}"), edit)
        for n in range(photos)
        for edit in edits
    ]


def value_of(view):
    """What every pixel of a view is: 10 a photo, plus what the edit says."""
    return 10 * int(view.photo.path.name) + int(view.edit.partition(":")[2] or 0)


class Disk:
    """Stands in for files: photo n is grey of level 10 n."""

    def __init__(self, broken=BROKEN):
        self.broken = broken
        self.decoded = []
        self.max_pixels = set()
        self.sizes = set()
        self.edited = []

    def read_photo(self, path, max_pixels, at_least):
        self.sizes.add(at_least)
        self.decoded.append(path.name)
        self.max_pixels.add(max_pixels)
        if path.name in self.broken:
            raise PhotoError(Unreadable(path, Reason.TRUNCATED, "the end is missing"))
        return Image.new("RGB", (4, 3), (10 * int(path.name),) * 3)

    def apply_edit(self, image, text):
        self.edited.append(text)
        return image.point(lambda level: level + int(text.partition(":")[2]))


class Level:
    """The grey level, twice: first as it is seen, then halved."""

    name = "level"
    recipe = Recipe(name, (), (2,), "float64")

    def __init__(self):
        self.blocks = []

    def look(self, image):
        return np.array([image.getpixel((1, 1))[0]], dtype=np.uint8)

    def finish(self, looks):
        self.blocks.append(len(looks))
        return np.hstack([looks, looks / 2])


class Size:
    name = "size"
    recipe = Recipe(name, (), (2,), "int64")

    def look(self, image):
        return np.array(image.size)

    def finish(self, looks):
        return looks


def contents_of(views):
    return [view.photo.key.encode().ljust(32) for view in views]


def run(
    views,
    descriptors=None,
    workers=2,
    on_progress=lambda done, total: None,
    bank=None,
    unedited=(),
    at_least=None,
    contents=None,
    on_wait=None,
    on_damage=None,
    on_removal=None,
):
    return describe_views(
        views,
        contents or contents_of(views),
        descriptors or [Level(), Size()],
        bank or open_bank(None, 1),
        "noise",
        workers,
        1000,
        on_progress,
        unedited,
        at_least,
        on_wait,
        on_damage,
        on_removal,
    )


def recipe_of(descriptor):
    """Return the recipe by which the bank keeps its rows."""
    parts = *descriptor.recipe.parts, *describe.DECODING, ("max_pixels", "1000")
    return replace(descriptor.recipe, parts=parts)

"""The photos of a tagger: found, labelled and passed through the frozen part of its trunk."""

import os
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig
from rich.console import Console

from seentwice.commands.banking import (
    read_bank,
    tell_of_damage,
    tell_of_decoding,
    tell_of_removal,
    tell_of_waiting,
)
from seentwice.commands.fingerprint import Fingerprint, fingerprint_photos
from seentwice.commands.progress import show_progress
from seentwice.commands.settings import ReadingSettings, read_settings
from seentwice.data.sampling.items import codes_of
from seentwice.data.source import PhotoSet
from seentwice.data.splits import groups_of
from seentwice.data.tag_labels import TaggedLabels
from seentwice.detectors.describe import Described, describe_views
from seentwice.detectors.descriptor import Descriptor
from seentwice.records import View

INCOMPLETE = 1
"""The exit code where some files gave no photo."""


@dataclass(frozen=True, slots=True, eq=False)
class TaggerBench:
    """Everything that is ready before a tagger is fitted or measured."""

    photo_set: PhotoSet
    fingerprint: Fingerprint
    labels: TaggedLabels  # of its photos
    described: Described
    rows: NDArray[np.generic]  # (p, ...) at the trunk's cut
    homes: NDArray[np.int64]  # (p,) number of each photo's home
    looking_seconds: float  # to decode the photos and pass them, where the bank has no rows

    @property
    def is_incomplete(self) -> bool:
        """Whether some files gave no photo."""
        return bool(self.photo_set.unreadable or self.described.unreadable)

    def known(self, photos: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return those photos that could be read and have a label of some head."""
        usable = self.described.readable & (self.labels.number >= 0).any(axis=1)
        chosen: NDArray[np.int64] = photos[usable[photos]]
        return chosen


def set_up_tagger(
    config: DictConfig,
    photo_set: PhotoSet,
    labels: TaggedLabels,
    descriptor: Descriptor,
    console: Console,
) -> TaggerBench:
    """Pass every photo through the frozen part of a trunk, or take what the bank has of it.

    Args:
        config: the composed configuration.
        photo_set: from `load_photos`.
        labels: of its photos.
        descriptor: what the tagger takes of a photo.
        console: shows progress, and how many photos were decoded.

    Raises:
        UserError: not one photo can be read, or the bank has no room.
    """
    fingerprint = fingerprint_photos(photo_set, console)
    reading = read_settings(ReadingSettings, config, None)
    bank = read_bank(config)
    started = perf_counter()
    with show_progress("Looking at photos", console) as progress:
        described = describe_views(
            [View(photo) for photo in photo_set.photos],
            fingerprint.files,
            [descriptor],
            bank,
            photo_set.name,
            workers=reading.workers or os.cpu_count() or 1,
            max_pixels=reading.max_pixels,
            on_progress=progress,
            on_wait=tell_of_waiting(bank, console),
            on_damage=tell_of_damage(bank, console),
            on_removal=tell_of_removal(bank, console),
        )
    readable = int(described.readable.sum())
    tell_of_decoding(described.decoded, readable, "photos", config, console)
    return TaggerBench(
        photo_set=photo_set,
        fingerprint=fingerprint,
        labels=labels,
        described=described,
        rows=described.rows[descriptor.name],
        homes=codes_of(groups_of(photo_set.photos)),
        looking_seconds=perf_counter() - started,
    )

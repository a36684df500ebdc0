"""Photos without labels, from which the whitening learns, too."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig
from rich.console import Console

from seentwice.bank.bank import Bank
from seentwice.commands.banking import (
    is_decoding_reduced,
    tell_of_damage,
    tell_of_decoding,
    tell_of_removal,
    tell_of_waiting,
)
from seentwice.commands.fingerprint import Fingerprint, digest_files
from seentwice.commands.progress import print_plainly, show_progress
from seentwice.commands.settings import ReadingSettings, read_settings
from seentwice.commands.trunks import Trunks
from seentwice.detectors.describe import describe_views
from seentwice.detectors.descriptor import Descriptor
from seentwice.detectors.regions import MOST_WINDOWS
from seentwice.detectors.trunk import TrunkDescriptor
from seentwice.detectors.windows import WINDOWS, draw_windows
from seentwice.errors import UserError
from seentwice.photos import find_photos
from seentwice.records import Photo, Unreadable, View


@dataclass(frozen=True, slots=True, eq=False)
class Unlabelled:
    """Photos without labels, as a frozen trunk sees them."""

    features: NDArray[np.float32]  # (u, d)
    windows: NDArray[np.float32] | None  # (w, d) drawn from all of theirs; None where none are kept
    fingerprint: str
    unreadable: tuple[Unreadable, ...]


def check_unlabelled(config: DictConfig, trunks: Trunks | None) -> None:
    """Refuse a folder `unlabelled` that is of no use, before photos are read.

    Raises:
        UserError: no such folder, or nothing that whitens.
    """
    if config.unlabelled is None:
        return
    if trunks is None or not trunks.is_frozen:
        raise UserError("unlabelled: needs a frozen backbone, whose features can be whitened")
    root = Path(str(config.unlabelled))
    if not root.is_dir():
        raise UserError(f"unlabelled={root}: no such folder; give that of photos of other homes")


def look_at_unlabelled(
    config: DictConfig,
    fingerprint: Fingerprint,
    descriptors: Sequence[Descriptor],
    bank: Bank,
    console: Console,
) -> Unlabelled | None:
    """Embed the photos in the folder `unlabelled`; None where there is none.

    Args:
        config: the composed configuration.
        fingerprint: of the data set.
        descriptors: what the detectors need of each view, the frozen trunk's features among it.
        bank: has the rows of photos that were described before, and gets those of the others.
        console: shows progress, and how many photos were decoded.

    Raises:
        UserError: no such folder, no photo in it, photos of the data set itself (the whitening
            would learn from those that are tested).
    """
    if config.get("unlabelled") is None:
        return None
    root = Path(str(config.unlabelled))
    try:
        files, unreadable = find_photos(root)
    except UserError as error:  # which begins with the folder
        raise UserError(f"unlabelled={error}") from error
    digests = digest_files(files, "Fingerprinting unlabelled", console)
    pairs = zip(files, digests, strict=True)
    known = set(fingerprint.files)
    shared = [file for file, digest in pairs if digest in known]
    if shared:
        raise UserError(
            f"unlabelled={root}: {len(shared)} of its photos are in the data set itself, first "
            f"{shared[0].relative_to(root)}; give photos of other homes"
        )
    reading = read_settings(ReadingSettings, config, None)
    descriptor = next(one for one in descriptors if isinstance(one, TrunkDescriptor))
    with show_progress("Looking at unlabelled photos", console) as progress:
        described = describe_views(
            [View(Photo(file, file.name, file.name)) for file in files],
            digests,
            [descriptor],
            bank,
            root.name,
            workers=reading.workers or os.cpu_count() or 1,
            max_pixels=reading.max_pixels,
            on_progress=progress,
            at_least=descriptor.at_least if is_decoding_reduced(config) else None,
            on_wait=tell_of_waiting(bank, console),
            on_damage=tell_of_damage(bank, console),
            on_removal=tell_of_removal(bank, console),
        )
    photos = int(described.readable.sum())
    tell_of_decoding(described.decoded, photos, "unlabelled photos", config, console)
    copies = photos - len({digests[number] for number in np.flatnonzero(described.readable)})
    if copies:
        are = "1 is a copy of another" if copies == 1 else f"{copies:,} are copies of others"
        print_plainly(
            f"Of {photos:,} unlabelled photos {are}: the whitening learns from each file", console
        )
    rows, readable = described.rows, np.flatnonzero(described.readable)
    return Unlabelled(
        np.asarray(rows[descriptor.name][readable], np.float32),
        draw_windows(rows[WINDOWS], readable, MOST_WINDOWS) if WINDOWS in rows else None,
        hashlib.sha256(b"".join(sorted(digests))).hexdigest(),
        (*unreadable, *described.unreadable),
    )

"""Look at every view once: what detectors need of it, its hashes, and the digest of its pixels."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from omegaconf import DictConfig
from rich.console import Console

from seentwice.bank.bank import Bank
from seentwice.commands.banking import (
    tell_of_damage,
    tell_of_decoding,
    tell_of_removal,
    tell_of_waiting,
)
from seentwice.commands.fingerprint import Fingerprint
from seentwice.commands.progress import show_progress
from seentwice.commands.settings import ReadingSettings, SeedSettings, read_settings
from seentwice.data.source import PhotoSet
from seentwice.data.splits import Split
from seentwice.data.tables import (
    MixedSampling,
    SamespaceSampling,
    Sampling,
    ViewDigests,
    has_own_tables,
)
from seentwice.data.views import EditChoice, ViewPlan, plan_views
from seentwice.detectors.describe import Described, describe_views
from seentwice.detectors.descriptor import Descriptor
from seentwice.detectors.hashes import HashDescriptor, SquareWaveletDescriptor, hash_column
from seentwice.detectors.pixel_digest import PixelDigestDescriptor, pixel_column
from seentwice.errors import UserError


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """The views of some splits, and how to make pairs of them."""

    plan: ViewPlan
    described: Described
    digests: ViewDigests
    edits: EditChoice
    sampling: Sampling
    threads: int
    seed: int


def look_at_views(
    config: DictConfig,
    photo_set: PhotoSet,
    fingerprint: Fingerprint,
    splits: Sequence[Split],
    descriptors: Sequence[Descriptor],
    bank: Bank,
    console: Console,
) -> Looked:
    """Decode the photos of some splits once, and describe their views as they are and edited.

    Args:
        config: the composed configuration.
        photo_set: from `load_photos`.
        fingerprint: from `fingerprint_photos`.
        splits: photos that are in none are not looked at.
        descriptors: what detectors need of each view; hashes come too, and of unedited
            ones the digests of their pixels.
        bank: has the rows of views that were described before, and gets those of the others.
        console: shows progress, and how many photos were decoded.

    Raises:
        UserError: unusable settings, or not one photo could be read.
    """
    seed = read_settings(SeedSettings, config, None).seed
    reading = read_settings(ReadingSettings, config, None)
    threads = reading.workers or os.cpu_count() or 1
    edits = read_settings(EditChoice, config, "edits")
    sampling = read_sampling(config)
    plan = plan_views(photo_set.photos, splits, edits, seed)
    own: list[Descriptor] = [HashDescriptor()]
    if has_own_tables(sampling):
        own.append(SquareWaveletDescriptor())
    with show_progress("Looking at photos", console) as progress:
        described = describe_views(
            plan.views,
            [fingerprint.files[number] for number in plan.photo],
            [*own, *descriptors],
            bank,
            photo_set.name,
            workers=threads,
            max_pixels=reading.max_pixels,
            on_progress=progress,
            unedited=[PixelDigestDescriptor()],
            on_wait=tell_of_waiting(bank, console),
            on_damage=tell_of_damage(bank, console),
            on_removal=tell_of_removal(bank, console),
        )
    photos = int(described.readable[plan.edit_name == ""].sum())
    tell_of_decoding(described.decoded, photos, "photos", config, console)
    if has_own_tables(sampling):
        hashes = described.rows[SquareWaveletDescriptor.name][:, 0]
    else:
        hashes = hash_column(described.rows, "wavelet")
    digests = ViewDigests(described.readable, plan.content_of(pixel_column(described.rows)), hashes)
    return Looked(plan, described, digests, edits, sampling, threads, seed)


def read_sampling(config: DictConfig) -> Sampling:
    """Read the section `sampling`; its key `table` says which of the two it is.

    Raises:
        UserError: a wrong value, a missing or an unknown key.
    """
    kinds = {"mixed": MixedSampling, "samespace": SamespaceSampling}
    table = str(config.sampling.get("table"))
    if table not in kinds:
        raise UserError(f"sampling.table={table}: choose one of {', '.join(kinds)}")
    return read_settings(kinds[table], config, "sampling")

"""Duplicates found in catalogues of photos and their copies, ours beside imagededup's."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from dedupe_copies import Catalogue, link_catalogue, make_copies
from dedupe_ours import HASHES_ALONE, group_folder, label_groups, verify_by_checkpoint
from group_measures import (
    GroupQuality,
    PairQuality,
    join_pairs,
    measure_groups,
    measure_pairs,
    measure_pairs_within,
)
from houses_split import split_houses
from imagededup_pairs import (
    DEFAULT_BITS,
    DEFAULT_SIMILARITY,
    METHODS,
    NearPairs,
    encode_hashes,
    list_near_hashes,
    list_near_rows,
)
from imagededup_rows import CnnDescriptor
from numpy.typing import NDArray

from seentwice.bank.bank import Bank, open_bank
from seentwice.commands.fingerprint import digest_files
from seentwice.commands.progress import open_console, show_progress
from seentwice.data.houses import read_houses
from seentwice.data.splits import groups_of
from seentwice.dedupe.folder import OpenVerifier
from seentwice.detectors.describe import describe_views
from seentwice.edits import STRENGTHS
from seentwice.models.backbones import build_trunk
from seentwice.models.engines import Passing
from seentwice.records import Photo, View

BANK, MAX_GB = Path("data/prepared/bank"), 20
MAX_PIXELS = 100_000_000
PASSING = Passing("openvino", "float32")
THREADS = os.cpu_count() or 1
HASH_THRESHOLDS = tuple(range(21))
COSINE_THRESHOLDS = tuple(round(0.5 + 0.01 * step, 2) for step in range(50))

ListNear = Callable[[Catalogue], NearPairs]
"""Lists the pairs of a catalogue that are within the widest threshold."""


@dataclass(frozen=True, slots=True)
class Quality:
    """How well one way found the duplicates of one catalogue."""

    threshold: float | None  # of imagededup's; None: ours, at its defaults
    pairs: PairQuality
    groups: GroupQuality


@dataclass(frozen=True, slots=True)
class Peer:
    """A method of imagededup."""

    list_near: ListNear
    thresholds: Sequence[float]  # the widest first
    default: float
    is_within: Callable[[NDArray[np.float64], float], NDArray[np.bool_]]


def measure_quality(
    photos: Path, copies: Path, weights: str, homes: int, detectors: Sequence[Path]
) -> dict[str, object]:
    """Measure every way on the test homes' photos and copies of each strength.

    Args:
        photos: the Houses-dataset.
        copies: a folder of a folder a strength; what is missing is made.
        weights: of MobileNetV2, for imagededup's CNN and for checkpoints that have its trunk.
        homes: of the test and of the learning homes, the first so many.
        detectors: checkpoints of ours, beside the hashes alone.
    """
    make_copies(photos, copies)
    known = read_houses(photos).photos
    homes_of = groups_of(known)
    split = split_houses(known)
    learning = np.sort(np.concatenate((split.train, split.validation)))
    tested, taught = (
        choose_photos(known, homes_of, numbers.tolist(), homes)
        for numbers in (split.test, learning)
    )
    peers = list_peers(weights)
    strengths = {}
    for strength in STRENGTHS:
        with tempfile.TemporaryDirectory(dir=copies) as temporary:
            test, learn = (
                link_catalogue(copies / strength, chosen, Path(temporary) / name)
                for name, chosen in (("test", tested), ("learning", taught))
            )
            index = Path(temporary) / "index"
            found = {"seentwice, hashes alone": measure_ours(test, index, HASHES_ALONE)}
            for checkpoint in detectors:
                opened = verify_by_checkpoint(test.root, checkpoint, weights, THREADS)
                found[f"seentwice, {checkpoint.stem}"] = measure_ours(test, index, opened)
            for name, peer in peers.items():
                default, best = measure_peer(peer, test, learn)
                found |= {f"imagededup {name}, default": default, f"imagededup {name}, best": best}
            strengths[strength] = {
                "photos": len(test.keys),
                "learning_photos": len(learn.keys),
                "ways": {name: describe(quality) for name, quality in found.items()},
            }
    return {
        "test_homes": len({homes_of[n] for n in split.test if known[n].path.name in tested}),
        "strengths": strengths,
    }


def choose_photos(
    photos: Sequence[Photo], homes: Sequence[str], numbers: Sequence[int], most: int
) -> set[str]:
    """Return the names of the photos of the first homes, at most so many."""
    chosen = set(list(dict.fromkeys(homes[number] for number in numbers))[:most])
    return {photos[number].path.name for number in numbers if homes[number] in chosen}


def measure_ours(catalogue: Catalogue, index: Path, opened: OpenVerifier) -> Quality:
    """Group a catalogue; the pairs are all pairs within groups."""
    duplicates = group_folder(catalogue.root, index, THREADS, opened).duplicates
    labels = label_groups(duplicates, catalogue.keys)
    return Quality(
        None,
        measure_pairs_within(catalogue.truth, labels),
        measure_groups(catalogue.truth, labels),
    )


def list_peers(weights: str) -> dict[str, Peer]:
    """Return imagededup's methods by name."""
    hashes = {
        name: Peer(
            partial(list_hash_pairs, name),
            HASH_THRESHOLDS[::-1],
            DEFAULT_BITS,
            lambda bits, threshold: bits <= threshold,
        )
        for name in METHODS
    }
    trunk = build_trunk("mobilenet_v2", weights, "average", 0, "eval", seed=0)
    cnn = Peer(
        partial(list_cnn_pairs, CnnDescriptor(trunk, PASSING), open_bank(BANK, MAX_GB)),
        COSINE_THRESHOLDS,
        DEFAULT_SIMILARITY,
        lambda cosine, threshold: cosine >= threshold,
    )
    return {**hashes, "CNN": cnn}


def list_hash_pairs(method: str, catalogue: Catalogue) -> NearPairs:
    """List the pairs that a hash of imagededup finds."""
    hashes = encode_hashes(method, catalogue.root, catalogue.keys, THREADS)
    return list_near_hashes(hashes, HASH_THRESHOLDS[-1])


def list_cnn_pairs(descriptor: CnnDescriptor, bank: Bank, catalogue: Catalogue) -> NearPairs:
    """List the pairs that its CNN finds; the bank keeps the encodings."""
    console = open_console()
    paths = [catalogue.root / key for key in catalogue.keys]
    with show_progress("imagededup's CNN", console) as progress:
        described = describe_views(
            [View(Photo(path, path.name, path.name)) for path in paths],
            digest_files(paths, "Fingerprinting copies", console),
            [descriptor],
            bank,
            "houses",
            THREADS,
            MAX_PIXELS,
            progress,
        )
    return list_near_rows(described.rows[descriptor.name], COSINE_THRESHOLDS[0])


def measure_peer(peer: Peer, test: Catalogue, learn: Catalogue) -> tuple[Quality, Quality]:
    """Measure a method at its default threshold, and at the best one of the learning homes.

    The best has the highest F1 of pairs; of equal ones it is the strictest.
    """
    near = peer.list_near(learn)
    scored = [
        (measure_near(peer, near, learn, threshold).f1, place)
        for place, threshold in enumerate(peer.thresholds)
    ]
    best = peer.thresholds[max(scored)[1]]
    near = peer.list_near(test)
    default_quality, best_quality = (
        find_with_peer(peer, near, test, threshold) for threshold in (peer.default, best)
    )
    return default_quality, best_quality


def measure_near(
    peer: Peer, near: NearPairs, catalogue: Catalogue, threshold: float
) -> PairQuality:
    """Measure the pairs within a threshold."""
    is_found = peer.is_within(near.values, threshold)
    return measure_pairs(catalogue.truth, near.left[is_found], near.right[is_found])


def find_with_peer(peer: Peer, near: NearPairs, catalogue: Catalogue, threshold: float) -> Quality:
    """Measure pairs within a threshold, and as groups what they connect: it has none itself."""
    is_found = peer.is_within(near.values, threshold)
    labels = join_pairs(len(catalogue.keys), near.left[is_found], near.right[is_found])
    return Quality(
        threshold,
        measure_near(peer, near, catalogue, threshold),
        measure_groups(catalogue.truth, labels),
    )


def describe(quality: Quality) -> dict[str, object]:
    """Return what is written of a way."""
    return {
        "threshold": quality.threshold,
        "pairs": round_values(asdict(quality.pairs)) | {"f1": round(quality.pairs.f1, 5)},
        "groups": round_values(asdict(quality.groups)),
    }


def round_values(values: Mapping[str, float]) -> dict[str, float]:
    """Round shares; counts stay whole."""
    return {name: round(value, 5) for name, value in values.items()}

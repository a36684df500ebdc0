"""Measure the visual embeddings again: `make experiments NAMES=visual_embeddings`.

    python -m experiments.visual_embeddings.measure

Writes metrics.json and the table of README.md. Photos are looked for in data/raw, weights in
checkpoints/NAME_imagenet.safetensors; where there is no such file they are downloaded. A network
whose weights cannot be had is not measured.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.measured import spell_rounded
from experiments.visual_embeddings.contenders import Contender, Material, list_contenders
from experiments.visual_embeddings.embeddings import Projections
from experiments.visual_embeddings.shares import measure_gain, measure_share
from experiments.visual_embeddings.sight import (
    NETWORKS,
    PHOTOS,
    look_at_unlabelled,
    look_plainly,
    look_through,
    open_shared_bank,
)
from experiments.visual_embeddings.table import BASELINE, METRICS, renew_page
from experiments.visual_embeddings.triplets import (
    Fold,
    Triplets,
    list_triplets,
    make_folds,
    plan_copies,
    split_homes,
)
from seentwice.bank.bank import Bank
from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.data.folder import read_folder
from seentwice.detectors.descriptor import Rows
from seentwice.detectors.pixel_digest import pixel_column
from seentwice.detectors.protocol import Evidence
from seentwice.edits import STRENGTHS
from seentwice.files import write_atomically
from seentwice.models.weights import NoDownloadError
from seentwice.records import View

SEED = 0  # of the copies
Hits = NDArray[np.bool_]
"""(t,) of each triplet whether the duplicate is nearer than the stranger."""


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """What every network is measured on."""

    views: tuple[View, ...]
    plain: Rows  # of the views, without a network
    triplets: Triplets
    folds: Sequence[Fold]
    bank: Bank
    workers: int


def main() -> None:
    """Measure all contenders whose network can be had."""
    started = perf_counter()
    bench = set_up()
    contenders = list_contenders()
    hits: dict[str, Hits] = {}
    missing: dict[str, str] = {}
    for name in dict.fromkeys(contender.network for contender in contenders):
        own = [contender for contender in contenders if contender.network == name]
        print(name or "no network", flush=True)
        try:
            hits |= measure_network(bench, name, own)
        except NoDownloadError as error:
            assert name is not None
            missing[name] = error.fault
            print(f"not measured: {error.fault}", flush=True)
    rows = [describe(contender, bench, hits, missing) for contender in contenders]
    measured = {
        "command": "make experiments NAMES=visual_embeddings",
        "counts": count(bench.triplets),
        "rows": rows,
        "seconds": perf_counter() - started,
        "machine": describe_machine(),
        "versions": library_versions(),
        "git_commit": git_commit(),
    }
    write_atomically(METRICS, spell_rounded(measured))
    renew_page()


def set_up() -> Bench:
    """Look at the photos without a network, and list triplets and folds.

    Raises:
        UserError: a folder of photos is not there.
    """
    photos = read_folder(PHOTOS).photos
    views, strengths = plan_copies(photos, SEED)
    bank, workers = open_shared_bank(), os.cpu_count() or 1
    plain = look_plainly(views, bank, workers)
    splits = split_homes(photos)
    # A copy has the digest of its photo.
    unedited = np.flatnonzero(strengths == "")
    contents = pixel_column(plain)[unedited][np.cumsum(strengths == "") - 1]
    triplets = list_triplets(views, strengths, contents, splits)
    folds = make_folds(views, strengths, contents, splits)
    return Bench(views, plain, triplets, folds, bank, workers)


def measure_network(
    bench: Bench, name: str | None, contenders: Sequence[Contender]
) -> dict[str, Hits]:
    """Return the hits of each contender of one network, or of those without one.

    Raises:
        NoDownloadError: its weights cannot be had.
    """
    material, rows = Material(bench.plain, None, None, None), bench.plain
    if name is not None:
        network = NETWORKS[name]
        trunk = network.build()
        seen = look_through(network, trunk, bench.views, bench.bank, bench.workers)
        rows = {**bench.plain, **seen}
        unlabelled = look_at_unlabelled(network, trunk, bench.bank, bench.workers)
        material = Material(rows, trunk, unlabelled, None)
    triplets = bench.triplets
    hits = {one.key: np.zeros(len(triplets.fold), dtype=bool) for one in contenders}
    for number, fold in enumerate(bench.folds):
        here = triplets.fold == number
        if material.unlabelled is not None:
            projections = Projections(fold.train, rows, material.unlabelled.features)
            material = Material(rows, material.trunk, material.unlabelled, projections)
        for contender in contenders:
            if contender.learns:
                own = judge(contender.make(material), fold, rows, triplets, here)
                hits[contender.key][here] = own
    for contender in contenders:
        if not contender.learns:
            every = np.ones(len(triplets.fold), dtype=bool)
            evidence = contender.make(material)
            hits[contender.key] = judge(evidence, bench.folds[0], rows, triplets, every)
    return hits


def judge(
    evidence: Evidence, fold: Fold, rows: Rows, triplets: Triplets, here: NDArray[np.bool_]
) -> Hits:
    """Fit a measure to the pairs of a fold, and say which of some triplets it orders rightly.

    A tie is wrong, as in every comparison of this project.

    Args:
        evidence: the measure.
        fold: what it may learn from.
        rows: of all views.
        triplets: all of them.
        here: (t,) those that are judged.
    """
    evidence.fit(fold.train, fold.validation, rows)
    positive, negative = triplets.positive[here], triplets.negative[here]
    used = np.union1d(positive, negative)
    near = evidence.of(triplets.pairs.take(used), rows)
    nearer: Hits = near[np.searchsorted(used, positive)] > near[np.searchsorted(used, negative)]
    return nearer


def describe(
    contender: Contender, bench: Bench, hits: Mapping[str, Hits], missing: Mapping[str, str]
) -> dict[str, Any]:
    """Return what metrics.json holds of a contender; None for what was not measured."""
    triplets, key = bench.triplets, contender.key
    own = hits.get(key)

    def share(chosen: NDArray[np.bool_]) -> dict[str, float] | None:
        if own is None:
            return None
        homes = triplets.query_home[chosen], triplets.negative_home[chosen]
        return asdict(measure_share(own[chosen], *homes))

    is_other = triplets.strength == ""
    gain = None
    if own is not None and key != BASELINE and BASELINE in hits:
        homes = triplets.query_home[is_other], triplets.negative_home[is_other]
        gain = asdict(measure_gain(own[is_other], hits[BASELINE][is_other], *homes))
    return {
        "network": contender.network,
        "name": contender.name,
        "kept": contender.kept,
        "bytes": contender.bytes,
        "query_ms": contender.time(bench.plain),
        "other_photo": share(is_other),
        "over_baseline": gain,
        "copies": share(~is_other),
        "copies_by_strength": {name: share(triplets.strength == name) for name in STRENGTHS},
        "not_measured": missing.get(contender.network or ""),
    }


def count(triplets: Triplets) -> dict[str, int]:
    """Return how many triplets there are, and of how many homes."""
    other = triplets.strength == ""
    return {
        "other_photo": int(other.sum()),
        "copies": int((~other).sum()),
        "homes": len(np.unique(triplets.query_home)),
        "folds": len(np.unique(triplets.fold)),
    }


if __name__ == "__main__":
    main()

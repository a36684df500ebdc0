from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seentwice.compare import summary
from seentwice.compare.results import (
    Comparison,
    DetectorResult,
    RetrievalResult,
    SearchCounts,
    SliceResult,
    UnreadableFile,
)
from seentwice.compare.scoring import Scores
from seentwice.compare.searches import plan_searches
from seentwice.data.pairs import make_pairs
from seentwice.data.sampling.items import codes_of
from seentwice.data.sampling.mix import MixedPolicy, NegativeMix, PositiveMix
from seentwice.data.table_counts import TableCounts
from seentwice.data.tables import FoldTables
from seentwice.paired import McNemarTest
from seentwice.records import Interval, Kind, Photo, View

PLACES = 12
# Of few bits: most are near, and a third is not.
HASHES = np.random.default_rng(0).integers(2**26, size=4 * PLACES).astype(np.uint64)
EVERYTHING = MixedPolicy(
    1000,
    1000,
    PositiveMix(edited=1.0, same_place=1.0, exact_copy=1.0),
    NegativeMix(uniform=0.5, hash_weighted=0.5, same_property=0.0, same_room_type=0.0, hard=0.0),
)


def build_views(with_properties=True, with_room_types=True):
    """Two photos of each of 12 places, two places a home, each photo as it is and mirrored."""
    return tuple(
        View(
            Photo(
                Path(f"{place}_{k}"),
                f"{place}_{k}.jpg",
                f"room/{place}",
                property=f"home/{place // 2}" if with_properties else None,
                room_type=["kitchen", "bath"][place % 2] if with_room_types else None,
            ),
            edit,
        )
        for place in range(PLACES)
        for k in range(2)
        for edit in ("", "hflip")
    )


def build_folds(views):
    """Two folds: places 0-3 and then 4-7 are tested, the next four validate, the rest train."""
    place = np.arange(len(views)) // 4
    contents = codes_of([view.photo.key for view in views]).astype(np.uint64)

    def table(first):
        members = np.flatnonzero((place - first) % PLACES < 4)
        return make_pairs(views, members, contents, HASHES, EVERYTHING, None, 1, [0, first])

    return [FoldTables(table(8), table(4), table(0)), FoldTables(table(0), table(8), table(4))]


@pytest.fixture
def view_hashes():
    """One hash of every view."""
    return HASHES


@pytest.fixture
def make_views():
    return build_views


@pytest.fixture
def make_folds():
    return build_folds


@pytest.fixture
def folds():
    return build_folds(build_views())


@pytest.fixture
def gather():
    """Gather the test pairs of some folds."""
    return lambda folds: summary.gather_test_pairs([fold.test for fold in folds], HASHES)


@pytest.fixture
def tested(gather, folds):
    return gather(folds)


@pytest.fixture
def searched(folds, tested):
    """Every tested view as a query."""
    return plan_searches([fold.test for fold in folds], tested.view_cluster, 10**6, 0)


@pytest.fixture
def make_scores(tested, searched):
    """Scores of the tested pairs and of the searches, better with less noise."""

    def make(noise, seed=0):
        score, found = (
            np.clip(0.3 + 0.4 * label + noise * generator.normal(size=len(label)), 0, 1)
            for generator in [np.random.default_rng(seed)]
            for label in (tested.pairs.label, searched.is_true)
        )
        return Scores(score, score >= 0.55, found, (0.5, 0.55), 0.75, 12.25, 123456.7, ())

    return make


def interval(value, width=0.01):
    return Interval(value, value - width, value + width)


METRICS = {
    "average_precision": 0.9,
    "roc_auc": 0.95,
    "accuracy": 0.875,
    "precision": 0.8,
    "recall": 0.7,
    "f1": 0.75,
    "recall_at_99_precision": 0.5,
    "bce": 0.3,
    "ece": 0.2,
    "accuracy_at_half": 0.85,
}
RETRIEVAL = {
    "recall_at_1": 0.9,
    "recall_at_10": 0.95,
    "mean_average_precision": 0.65,
    "micro_average_precision": 0.55,
}
KINDS = ("edited", "same_place", "uniform", "hash_weighted")


def make_result(name, loss=0.0, is_head=False, over_baseline=None, mcnemar=None):
    return DetectorResult(
        name=name,
        is_head=is_head,
        validation_average_precision=0.9 - loss,
        metrics={metric: interval(value - loss) for metric, value in METRICS.items()},
        fold_average_precisions=(0.8 - loss, 0.9 - loss),
        slices={kind: SliceResult(10, interval(0.9 - loss), interval(0.75)) for kind in KINDS},
        triplet_accuracy=interval(0.8 - loss),
        retrieval={metric: interval(value - loss) for metric, value in RETRIEVAL.items()},
        over_baseline=over_baseline or {},
        mcnemar=mcnemar,
        thresholds=(0.5, 0.25),
        fit_seconds=12.25,
        pairs_per_second=123456.7,
    )


@pytest.fixture
def comparison():
    nowhere = Interval(float("nan"), float("nan"), float("nan"))
    gain = {"average_precision": Interval(0.1, 0.05, 0.15), "roc_auc": interval(0.2)}
    gain |= {"f1": interval(0.15), "recall": interval(0.25), "accuracy": interval(-0.05)}
    perception = make_result("perception", 0.4)
    undefined = {"precision": nowhere, "recall_at_99_precision": nowhere}
    return Comparison(
        data="rooms",
        data_fingerprint="f" * 64,
        unlabelled_fingerprint=None,
        photos=24,
        places=12,
        properties=6,
        unreadable=(UnreadableFile("a/broken.jpg", "truncated", "the end is missing"),),
        backbone="compact",
        weights="imagenet",
        seed=7,
        folds=2,
        most_folds=6,
        held_out="homes",
        split_remarks=("split.assign=own: the test photos validate, too",),
        leaks={"same_bytes": 1, "same_pixels": 0, "near_hash": 2},
        suspects={"same_bytes": 1, "same_pixels": 0, "near_hash": 3},
        counts=tuple(
            TableCounts(
                split,
                12,
                48,
                dict.fromkeys(Kind, 0)
                | {"edited": 24, "same_place": 1200, "uniform": 9, "hash_weighted": 1},
            )
            for split in ("train", "validation", "test")
        ),
        baseline="cosine",
        retrieval=RetrievalResult(Interval(0.5, 0.25, 0.75), queries=20, gallery=24),
        searches=SearchCounts(queries=48, matched=40, pairs=720, gallery=16),
        combination=None,
        cluster="property",
        clusters=12,
        triplets=96,
        resamples=1000,
        detectors=(
            make_result("siamese", 0.0, True, gain, McNemarTest(30, 12, 0.00791)),
            make_result("cosine", 0.1),
            replace(perception, metrics={**perception.metrics, **undefined}),
        ),
        seconds=61.4,
        looking_seconds=12.3,
        photos_decoded=20,
        command="seentwice compare folds=2",
        git_commit="c0ffee",
        versions={"torch": "2.12", "numpy": "2.3"},
        machine="2 cores",
    )

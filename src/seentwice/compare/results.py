"""What a comparison found, as records that serialise to JSON."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from seentwice.data.table_counts import TableCounts
from seentwice.paired import McNemarTest
from seentwice.records import Interval


@dataclass(frozen=True, slots=True)
class SliceResult:
    """One detector on a part of the pairs: all pairs of one kind, against the other label."""

    pairs: int  # of the kind
    roc_auc: Interval  # of the kind's pairs against all pairs of the other label
    decided_rightly: Interval  # share of the kind's pairs: recall of duplicates, or specificity


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """How often a photo's nearest other photo, by the backbone's features, shows its place."""

    share: Interval
    queries: int  # test views that have another view of their place
    gallery: int  # test views of one fold, the most there are: the nearest is one of them


@dataclass(frozen=True, slots=True)
class SearchCounts:
    """How many photos every detector ranked for how many queries."""

    queries: int  # test views
    matched: int  # of these, those that have another view of their place to find
    pairs: int  # of a query and a candidate
    gallery: int  # test views of one fold, the most there are: all but the query are candidates


@dataclass(frozen=True, slots=True)
class CombinationResult:
    """What a combination of detectors weighs, and what it adds to the best of them."""

    name: str
    weights: Mapping[str, tuple[float, ...]]  # by detector, one a fold: of its scaled logit
    best: str  # of the detectors, by average precision on validation pairs
    over_best: Mapping[str, Interval]  # paired difference


@dataclass(frozen=True, slots=True)
class DetectorResult:
    """One detector on the test pairs of all folds."""

    name: str
    is_head: bool  # a Siamese head, trained on the labelled pairs
    validation_average_precision: float  # mean over folds
    metrics: Mapping[str, Interval]
    fold_average_precisions: tuple[float, ...]  # `metrics` are of the pairs of all folds
    slices: Mapping[str, SliceResult]
    triplet_accuracy: Interval  # share whose duplicate scores above the other; a tie is not above
    retrieval: Mapping[str, Interval]  # by `bootstrap_retrieval`; empty where nothing was searched
    over_baseline: Mapping[str, Interval]  # paired differences; empty for the baseline itself
    mcnemar: McNemarTest | None  # of the decisions against the baseline's; None for itself
    thresholds: tuple[float, ...]  # one a fold, chosen on its validation pairs
    fit_seconds: float
    pairs_per_second: float


@dataclass(frozen=True, slots=True)
class UnreadableFile:
    """A file that gave no photo."""

    file: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that a comparison reports."""

    data: str
    data_fingerprint: str
    unlabelled_fingerprint: str | None  # of the photos that only the whitening learned from
    photos: int  # that could be read
    places: int  # of these
    properties: int  # 0 where none is known
    unreadable: tuple[UnreadableFile, ...]
    backbone: str
    weights: str
    seed: int
    folds: int
    most_folds: int  # that the same rule could make of these photos; 0 for none
    held_out: str  # what no two splits share: homes, places or cities
    split_remarks: tuple[str, ...]  # what to know of the split before the numbers are believed
    counts: tuple[TableCounts, ...]
    leaks: Mapping[str, int]  # pairs of photos that are in two splits, by how that is seen
    suspects: Mapping[str, int]  # pairs that look the same, labelled as two places, likewise
    baseline: str  # what `over_baseline` is measured against
    retrieval: RetrievalResult | None  # None where KNN is not compared
    searches: SearchCounts | None  # None where no detector searched
    combination: CombinationResult | None  # None where none is compared
    cluster: str  # what the bootstrap resamples: property or place
    clusters: int
    triplets: int  # of test photos, each query with both sides of a duplicate and a negative
    resamples: int
    detectors: tuple[DetectorResult, ...]  # best average precision first
    seconds: float
    looking_seconds: float  # of these: decoding, edits, and the backbone where it is frozen
    photos_decoded: int  # for that; the bank, or a file of the same bytes, had the rows of others
    command: str
    git_commit: str | None
    versions: Mapping[str, str]
    machine: str


def to_json(result: Comparison | Mapping[str, object]) -> str:
    """Return a result as JSON; what is undefined is null."""
    values = asdict(result) if isinstance(result, Comparison) else dict(result)
    return json.dumps(_without_nan(values), indent=2) + "\n"


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

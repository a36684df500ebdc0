"""From scores to results: metrics, intervals, and what each kind of pair contributes."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seentwice.bootstrap import bootstrap_intervals, bootstrap_ranking, bootstrap_share
from seentwice.compare.results import DetectorResult, SliceResult
from seentwice.compare.scoring import Scores
from seentwice.compare.searches import Searches
from seentwice.data.pairs import KINDS, PairTable, join_tables
from seentwice.data.sampling.items import codes_of, codes_of_known
from seentwice.data.sampling.pair_space import ALONE
from seentwice.data.splits import groups_of
from seentwice.data.triplets import TripletTable, make_triplets
from seentwice.hamming import hamming_bits
from seentwice.metrics import average_precision
from seentwice.paired import bootstrap_difference, compare_decisions
from seentwice.records import Interval
from seentwice.retrieval import bootstrap_retrieval

NEAR_BITS = 12
"""A negative whose wavelet hashes differ by at most this is hash-hard."""

HASH_HARD = f"negative, wavelet hashes {NEAR_BITS} bits apart at most"
SAME_ROOM_TYPE = "negative, same room type"
SAME_PROPERTY = "negative, same property"
SAME_ROOM_TYPE_ELSEWHERE = "negative, same room type in another property"


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How intervals are drawn."""

    resamples: int
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutPairs:
    """The n test pairs of all folds, one fold after another, each pair once."""

    pairs: PairTable
    left_cluster: NDArray[np.int64]  # (n,) number of the left photo's property or place
    right_cluster: NDArray[np.int64]  # (n,) likewise
    cluster: str  # "property" or "place"
    fold: NDArray[np.int64]  # (n,) number of each pair's fold, rising
    slices: Mapping[str, NDArray[np.bool_]]  # (n,) each; all of one label
    view_cluster: NDArray[np.int64]  # (v,) number of every view's property or place
    triplets: TripletTable  # one negative a query, chosen from the pairs

    @property
    def clusters(self) -> int:
        """How many properties or places the pairs touch."""
        return len(np.union1d(self.left_cluster, self.right_cluster))


def gather_test_pairs(tests: Sequence[PairTable], hashes: NDArray[np.uint64]) -> HeldOutPairs:
    """Join the test tables of all folds, and number what the bootstrap resamples.

    Args:
        tests: one a fold, over the same views.
        hashes: (v,) one perceptual hash a view: negatives that are near by it are a slice.
    """
    pairs = join_tables(tests)
    photos = [view.photo for view in pairs.views]
    knows_properties = all(photo.property for photo in photos)
    cluster = codes_of(groups_of(photos))
    slices = {
        kind.value: pairs.kind == number
        for number, kind in enumerate(KINDS)
        if (pairs.kind == number).any()
    }
    slices |= _slice_negatives(pairs, hashes)
    return HeldOutPairs(
        pairs,
        cluster[pairs.left],
        cluster[pairs.right],
        "property" if knows_properties else "place",
        np.repeat(np.arange(len(tests)), [len(test) for test in tests]),
        slices,
        cluster,
        make_triplets(pairs, 1, np.random.default_rng(0)),
    )


def _slice_negatives(pairs: PairTable, hashes: NDArray[np.uint64]) -> dict[str, NDArray[np.bool_]]:
    """Return the negatives that are easily taken for duplicates, and why: (n,) each."""
    photos = [view.photo for view in pairs.views]
    bits = hamming_bits(hashes[pairs.left], hashes[pairs.right])
    confusable = {HASH_HARD: bits <= NEAR_BITS}
    for name, shared in (
        (SAME_ROOM_TYPE, [photo.room_type for photo in photos]),
        (SAME_PROPERTY, [photo.property for photo in photos]),
    ):
        codes = codes_of_known(shared)
        confusable[name] = (codes[pairs.left] == codes[pairs.right]) & (codes[pairs.left] != ALONE)
    homes = codes_of_known([photo.property for photo in photos])
    is_known = (homes[pairs.left] != ALONE) & (homes[pairs.right] != ALONE)
    elsewhere = is_known & (homes[pairs.left] != homes[pairs.right])
    confusable[SAME_ROOM_TYPE_ELSEWHERE] = confusable[SAME_ROOM_TYPE] & elsewhere
    return {
        name: ~pairs.label & chosen
        for name, chosen in confusable.items()
        if (~pairs.label & chosen).any()
    }


def summarise_scores(
    name: str,
    is_head: bool,
    scores: Scores,
    baseline: Scores | None,
    test: HeldOutPairs,
    searches: Searches | None,
    bootstrap: Bootstrap,
    on_progress: Callable[[int, int], None],
) -> DetectorResult:
    """Measure one detector on the test pairs.

    Args:
        name: of the detector.
        is_head: whether it is a Siamese head.
        scores: its own.
        baseline: those of the detector to compare it with, pair by pair; None for itself.
        test: the pairs.
        searches: what `search_score` of the scores is of; None where nothing was searched.
        bootstrap: of every interval.
        on_progress: told of every metric's or slice's intervals that are done.
    """
    label, left, right = test.pairs.label, test.left_cluster, test.right_cluster
    draws, seed = bootstrap.resamples, bootstrap.seed
    # NumPy lets other threads run while it computes, and each interval draws for itself alone.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        measured = pool.submit(
            bootstrap_intervals,
            label,
            scores.score,
            scores.decision,
            left,
            right,
            resamples=draws,
            seed=seed,
        )
        gained = (
            None
            if baseline is None
            else pool.submit(
                bootstrap_difference,
                label,
                scores.score,
                scores.decision,
                baseline.score,
                baseline.decision,
                left,
                right,
                resamples=draws,
                seed=seed,
            )
        )
        triplets = pool.submit(_measure_triplets, scores, test, bootstrap)
        searched = pool.submit(_measure_searches, scores, searches, bootstrap)
        sliced = {
            kind: pool.submit(_summarise_slice, members, scores, test, bootstrap)
            for kind, members in test.slices.items()
        }
        waited_for: list[Future[Any]] = [measured, triplets, searched, *sliced.values()]
        waited_for += [gained] if gained else []
        for done, _ in enumerate(as_completed(waited_for), 1):
            on_progress(done, len(waited_for))
        metrics = measured.result()
        over_baseline = gained.result() if gained else {}
        slices = {kind: future.result() for kind, future in sliced.items()}
    return DetectorResult(
        name=name,
        is_head=is_head,
        validation_average_precision=scores.validation_average_precision,
        metrics=metrics,
        fold_average_precisions=tuple(
            average_precision(label[test.fold == fold], scores.score[test.fold == fold])
            for fold in range(int(test.fold[-1]) + 1)
        ),
        slices=slices,
        triplet_accuracy=triplets.result(),
        retrieval=searched.result(),
        over_baseline=over_baseline,
        mcnemar=(
            None
            if baseline is None
            else compare_decisions(label, scores.decision, baseline.decision)
        ),
        thresholds=scores.thresholds,
        fit_seconds=scores.fit_seconds,
        pairs_per_second=scores.pairs_per_second,
    )


def _measure_triplets(scores: Scores, test: HeldOutPairs, bootstrap: Bootstrap) -> Interval:
    """Return the share of triplets whose duplicate scores above the negative, 0 to 1.

    Above, not level: the order that a triplet asks for is strict (Schroff et al. 2015, FaceNet,
    equation 1), so a tie is wrong, where ROC AUC counts one half. A detector that scores all pairs
    alike has 0, and one with few different scores, such as a hash, loses what it cannot order.
    """
    triplets, nan = test.triplets, float("nan")
    if len(triplets) == 0:
        return Interval(nan, nan, nan)
    return bootstrap_share(
        scores.score[triplets.positive_pair] > scores.score[triplets.negative_pair],
        test.view_cluster[triplets.query],
        test.view_cluster[triplets.negative],
        resamples=bootstrap.resamples,
        seed=bootstrap.seed,
    )


def _measure_searches(
    scores: Scores, searches: Searches | None, bootstrap: Bootstrap
) -> dict[str, Interval]:
    if searches is None:
        return {}
    return bootstrap_retrieval(
        searches.answers(scores.search_score),
        searches.cluster,
        resamples=bootstrap.resamples,
        seed=bootstrap.seed,
    )


def _summarise_slice(
    members: NDArray[np.bool_], scores: Scores, test: HeldOutPairs, bootstrap: Bootstrap
) -> SliceResult:
    label = test.pairs.label
    is_positive = bool(label[members][0])
    kept = members | (label != is_positive)
    ranking = bootstrap_ranking(
        label[kept],
        scores.score[kept],
        test.left_cluster[kept],
        test.right_cluster[kept],
        resamples=bootstrap.resamples,
        seed=bootstrap.seed,
    )
    rightly = bootstrap_share(
        scores.decision[members] == is_positive,
        test.left_cluster[members],
        test.right_cluster[members],
        resamples=bootstrap.resamples,
        seed=bootstrap.seed,
    )
    return SliceResult(int(members.sum()), ranking["roc_auc"], rightly)

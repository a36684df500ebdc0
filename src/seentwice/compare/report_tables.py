"""The tables of a comparison's page."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from seentwice.compare.results import Comparison, DetectorResult
from seentwice.compare.table import (
    describe_clusters,
    format_interval,
    format_number,
    format_share,
)
from seentwice.metrics import LOWER_IS_BETTER
from seentwice.pages import Cell, Column, Table
from seentwice.records import Interval

METRICS: Mapping[str, tuple[str, str]] = {
    "average_precision": ("AP", "Average precision: area under the precision-recall steps"),
    "roc_auc": ("ROC AUC", "Chance that a duplicate outscores another pair"),
    "accuracy": ("Accuracy", "Share decided rightly, at the threshold of highest validation F1"),
    "precision": ("Precision", "Share of true duplicates among those found"),
    "recall": ("Recall", "Share of the duplicates found"),
    "f1": ("F1", "Harmonic mean of precision and recall"),
    "recall_at_99_precision": ("R@99P", "Highest recall at a precision of 99 %"),
    "bce": ("BCE", "Binary cross-entropy in nats: lower is better"),
    "ece": (
        "ECE",
        "Expected calibration error, 15 bins of equal width: lower is better; too high of few "
        "pairs, and its interval the more so",
    ),
    "accuracy_at_half": ("Acc. at 0.5", "Share decided rightly when the threshold is 0.5"),
}

RETRIEVAL: Mapping[str, tuple[str, str]] = {
    "recall_at_1": ("R@1", "Share of queries whose first photo shows their place"),
    "recall_at_10": ("R@10", "Share of queries with their place among the first ten photos"),
    "mean_average_precision": ("mAP", "Mean over queries of their average precision"),
    "micro_average_precision": (
        "micro-AP",
        "Average precision of one ranking of the photos of all queries: copy detection's measure",
    ),
}
DECISIONS = ("f1", "recall", "accuracy")


def metrics_table(comparison: Comparison) -> Table:
    """Return every metric of every detector."""
    caption = (
        f"Below each value its 95 % interval: bootstrap over {describe_clusters(comparison)}, "
        f"{comparison.resamples:,} resamples; a pair inside one counts as often as it was drawn, a "
        "pair across two as the product of both counts, both once on average. Best in bold."
    )
    measured = [result.metrics for result in comparison.detectors]
    return _measured_table(caption, comparison, METRICS, measured)


def retrieval_table(comparison: Comparison) -> Table:
    """Return how well every detector finds photos; there must be searches."""
    measured = [result.retrieval for result in comparison.detectors]
    caption = "Below each value its 95 % interval over the homes or places that ask. Best in bold."
    return _measured_table(caption, comparison, RETRIEVAL, measured)


def _measured_table(
    caption: str,
    comparison: Comparison,
    metrics: Mapping[str, tuple[str, str]],
    measured: Sequence[Mapping[str, Interval]],
) -> Table:
    """One column a metric, one row a detector, the best value of each column in bold."""
    best = {}
    for name in metrics:
        values = [one[name].value for one in measured]
        defined = [value for value in values if value == value]
        if defined:
            best[name] = min(defined) if name in LOWER_IS_BETTER else max(defined)
    rows = []
    for result, intervals in zip(comparison.detectors, measured, strict=True):
        cells = [Cell(result.name, "head" if result.is_head else "")]
        for name in metrics:
            interval = intervals[name]
            is_defined = interval.value == interval.value
            cells.append(
                Cell(
                    format_number(interval.value),
                    format_interval(interval) if is_defined else "",
                    interval.value if is_defined else None,
                    is_defined and interval.value == best[name],
                )
            )
        rows.append(tuple(cells))
    columns = (Column("Detector"), *(Column(short, True, hint) for short, hint in metrics.values()))
    return Table(caption, columns, tuple(rows))


def decisions_table(comparison: Comparison) -> Table:
    """Return by how much each detector's decisions are better than the baseline's, or worse."""
    baseline, rows = comparison.baseline, []
    for result in comparison.detectors:
        test = result.mcnemar
        rows.append(
            (
                Cell(result.name),
                *(_difference_cell(result, name) for name in DECISIONS),
                *(
                    (
                        Cell(f"{test.only_ours:,} : {test.only_theirs:,}"),
                        Cell(f"{test.p_value:.2g}", value=test.p_value),
                    )
                    if test
                    else (Cell("–"), Cell("–"))
                ),
            )
        )
    paired = "Paired difference on the same resamples"
    columns = (
        Column("Detector"),
        *(Column(METRICS[name][0], True, paired) for name in DECISIONS),
        Column("Alone right", False, f"Pairs that it alone decides rightly : {baseline} alone"),
        Column(
            "McNemar p",
            True,
            "Takes pairs for independent: of pairs of one home it is too small, and the interval "
            "of the accuracy holds",
        ),
    )
    return Table(f"Decisions against those of {baseline}", columns, tuple(rows))


def _difference_cell(result: DetectorResult, name: str) -> Cell:
    gain = result.over_baseline.get(name)
    return Cell(f"{gain.value:+.3f}", format_interval(gain), gain.value) if gain else Cell("–")


def speed_table(comparison: Comparison) -> Table:
    """Return what a detector gains over the baseline, and what it takes."""
    rows = []
    for result in comparison.detectors:
        rows.append(
            (
                Cell(result.name),
                _difference_cell(result, "average_precision"),
                Cell(
                    format_number(result.triplet_accuracy.value),
                    format_interval(result.triplet_accuracy),
                    result.triplet_accuracy.value if comparison.triplets else None,
                ),
                Cell(f"{result.fit_seconds:.1f}", value=result.fit_seconds),
                Cell(f"{result.pairs_per_second:,.0f}", value=result.pairs_per_second),
                Cell(", ".join(map(format_number, result.thresholds))),
            )
        )
    columns = (
        Column("Detector"),
        Column(f"AP over {comparison.baseline}", True, "Paired difference on the same resamples"),
        Column(
            "Triplets",
            True,
            f"Share of {comparison.triplets:,} triplets whose duplicate scores above the other; "
            "a tie is not above",
        ),
        Column("Fit, s", True, "All folds, without looking at photos, which is done once for all"),
        Column(
            "Pairs/s", True, "Scoring test pairs; where the backbone trains, photos pass it here"
        ),
        Column(
            "Thresholds",
            False,
            "One a fold, of highest F1 on its validation pairs unless it is given",
        ),
    )
    return Table("Gain, triplet accuracy, speed and thresholds", columns, tuple(rows))


def slices_table(comparison: Comparison) -> Table:
    """Return how well each kind of pair is told from the others, and decided."""
    names = tuple(comparison.detectors[0].slices)
    counts = comparison.detectors[0].slices
    rows = tuple(
        (
            Cell(result.name),
            *(
                Cell(
                    format_number(result.slices[name].roc_auc.value),
                    f"{format_interval(result.slices[name].roc_auc)} · "
                    + format_share(result.slices[name].decided_rightly),
                    result.slices[name].roc_auc.value,
                )
                for name in names
            ),
        )
        for result in comparison.detectors
    )
    columns = (
        Column("Detector"),
        *(Column(f"{name.replace('_', ' ')} ({counts[name].pairs:,})", True) for name in names),
    )
    return Table("ROC AUC, its 95 % interval · share decided rightly, its interval", columns, rows)


def weights_tables(comparison: Comparison) -> tuple[Table, ...]:
    """Return what a combination weighs, as one table; none without one."""
    combination = comparison.combination
    if combination is None:
        return ()
    ranked = sorted(combination.weights.items(), key=lambda item: -fmean(item[1]))
    rows = tuple(
        (
            Cell(name),
            Cell(format_number(fmean(weights)), value=fmean(weights)),
            Cell(", ".join(map(format_number, weights))),
        )
        for name, weights in ranked
    )
    columns = (
        Column("Detector"),
        Column("Weight", True, "Of its logit, divided by its deviation; mean over the folds"),
        Column("Each fold", False, "Fitted on its validation pairs"),
    )
    caption = f"What {combination.name} weighs; 0 leaves a detector out"
    return (Table(caption, columns, rows),)

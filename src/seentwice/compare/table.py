"""The comparison on the terminal, and as the Markdown table that a README shows."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Protocol

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from seentwice.compare.results import Comparison, DetectorResult
from seentwice.display import name_count
from seentwice.records import POSITIVE_KINDS, Interval

# With fewer clusters a bootstrap draws too few different resamples for its tails to mean much.
FEW_CLUSTERS = 10

FOLDS_TO_TRY = 5

# What a terminal of 100 columns has room for; the report and results.json have all of them.
TERMINAL_METRICS = {
    "average_precision": "AP",
    "roc_auc": "ROC AUC",
    "f1": "F1",
    "recall_at_99_precision": "R@99P",
    "accuracy": "accuracy",
}
WITH_INTERVAL = ("average_precision", "roc_auc")


def print_table(comparison: Comparison, console: Console) -> None:
    """Print one row a detector, best average precision first."""
    table = Table(
        "detector",
        title=escape(title_of(comparison)),
        caption=f"[95 % interval over {describe_clusters(comparison)}]; "
        "the report and results.json have every metric",
        box=SIMPLE_HEAD,  # no lines between columns: they would cut the names at 100 columns
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
    )
    for header in [*TERMINAL_METRICS.values(), "fit s", "pairs/s"]:
        table.add_column(header, justify="right", no_wrap=True)
    for result in comparison.detectors:
        table.add_row(result.name, *_metric_cells(result), *_speed_cells(result))
    console.print(table)
    for line in describe_result(comparison):
        console.print(line, markup=False, highlight=False)


def to_markdown(comparison: Comparison) -> str:
    """Return the same table in Markdown."""
    headers = ["detector", *TERMINAL_METRICS.values(), "fit s", "pairs/s"]
    rows = [
        [result.name, *_metric_cells(result), *_speed_cells(result)]
        for result in comparison.detectors
    ]
    lines = [headers, ["---", *["---:"] * (len(headers) - 1)], *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def title_of(comparison: Comparison) -> str:
    """Say what was compared on what."""
    how = f"{comparison.folds} folds" if comparison.folds > 1 else f"held-out {comparison.held_out}"
    test = comparison.counts[-1]
    duplicates = sum(test.pairs[kind.value] for kind in POSITIVE_KINDS)
    return (
        f"{comparison.data}, {comparison.backbone}, {how}: {duplicates:,} duplicates among "
        f"{sum(test.pairs.values()):,} test pairs"
    )


class Clustered(Protocol):
    """What was tested, as far as the bootstrap is concerned."""

    @property
    def cluster(self) -> str:
        """What it resamples: property or place."""
        ...

    @property
    def clusters(self) -> int:
        """How many there are."""
        ...


def describe_clusters(tested: Clustered) -> str:
    """Say what the bootstrap resampled: "10 properties"."""
    plural = {"property": "properties", "place": "places"}[tested.cluster]
    return name_count(tested.clusters, tested.cluster, plural)


class Searched(Protocol):
    """The test photos of a fold, each a query that is searched for among the others."""

    @property
    def gallery(self) -> int:
        """How many there are, the query among them."""
        ...


def describe_others(searched: Searched) -> str:
    """Say what each query is compared with: "up to 69 other test photos of its fold"."""
    return f"up to {searched.gallery - 1:,} other test photos of its fold"


def describe_few_clusters(tested: Clustered) -> list[str]:
    """Return the line that warns of intervals over few homes or places, if they are few."""
    if tested.clusters >= FEW_CLUSTERS:
        return []
    if tested.clusters == 1:
        return [f"Only {describe_clusters(tested)} was tested: of one there is no interval"]
    return [f"Only {describe_clusters(tested)} were tested: intervals over so few say little"]


def has_folds_to_try(comparison: Comparison) -> bool:
    """Say whether it was of one split, and `FOLDS_TO_TRY` folds of the same photos would run."""
    return comparison.folds == 1 and comparison.most_folds >= FOLDS_TO_TRY


def best_head(comparison: Comparison) -> DetectorResult | None:
    """Return the head that is best on validation pairs; None where none was compared.

    Chosen where it was not tested: the best of several on the test pairs looks better than it is.
    """
    heads = [result for result in comparison.detectors if result.is_head]
    return max(heads, key=lambda head: head.validation_average_precision, default=None)


def describe_result(comparison: Comparison) -> list[str]:
    """Say in words what the table shows: the best trained detector against the baseline."""
    lines = []
    untrained = " of an untrained backbone" if comparison.weights == "none" else ""
    baseline = comparison.baseline + untrained
    best = best_head(comparison)
    if best is not None and best.over_baseline:
        gain = _describe_gain(best.over_baseline, comparison)
        lines.append(f"{best.name} (the best head on validation pairs) against {baseline}: {gain}")
        if comparison.folds > 1:
            lines.append(_describe_folds(comparison))
    combination = comparison.combination
    if combination is not None:
        gain = _describe_gain(combination.over_best, comparison)
        lines.append(
            f"{combination.name} against {combination.best} (the best of the others on validation "
            f"pairs): {gain}"
        )
    lines += [
        f"{result.name} gives every test pair the same score: it has learned nothing"
        for result in comparison.detectors
        if _is_constant(result)
    ]
    more = f"; folds={FOLDS_TO_TRY} tests every photo once" if has_folds_to_try(comparison) else ""
    lines += [f"{line}{more}" for line in describe_few_clusters(comparison)]
    if comparison.retrieval is not None:
        share = comparison.retrieval.share
        lines.append(
            f"Retrieval: the nearest of {describe_others(comparison.retrieval)} by the backbone's "
            "features shows the same place for "
            f"{format_share(share)} of {comparison.retrieval.queries:,}"
        )
    return lines


def _is_constant(result: DetectorResult) -> bool:
    """Say whether a detector tells no pair from another: each resample then ranks by chance."""
    area = result.metrics["roc_auc"]
    return area.value == area.low == area.high == 0.5


def _describe_gain(over: Mapping[str, Interval], tested: Clustered) -> str:
    """Say by how much one detector ranks better than another, and how sure that is."""
    gain = over["average_precision"]
    between = f" [{gain.low:+.3f}, {gain.high:+.3f}]" if math.isfinite(gain.low) else ""
    return f"average precision {gain.value:+.3f}{between} on the same pairs: {_judge(gain, tested)}"


def _judge(gain: Interval, tested: Clustered) -> str:
    """Say what an interval of a difference tells; nothing, where it is over too few clusters."""
    if tested.clusters < FEW_CLUSTERS:
        return f"which is better, {describe_clusters(tested)} cannot tell"
    return "better" if gain.low > 0 else "worse" if gain.high < 0 else "not surely different"


def _describe_folds(comparison: Comparison) -> str:
    """Say how well pairs are ranked within a fold, where no calibration has a part in it."""
    shown = {comparison.baseline}
    if comparison.combination is not None:
        shown.add(comparison.combination.name)
    within = {
        result.name: list(filter(math.isfinite, result.fold_average_precisions))
        for result in comparison.detectors
        if result.is_head or result.name in shown
    }
    # A fold that tests pairs across two parts alone may hold no duplicate.
    folds = len(next(iter(within.values())))
    means = ", ".join(f"{name} {format_number(fmean(found))}" for name, found in within.items())
    return f"Average precision within a fold, mean of {folds}: {means}"


def format_number(value: float) -> str:
    """Return three decimals, or a dash for what is undefined."""
    return f"{value:.3f}" if math.isfinite(value) else "–"


def format_interval(interval: Interval) -> str:
    """Return the bounds of an interval."""
    return f"[{format_number(interval.low)}, {format_number(interval.high)}]"


def format_share(share: Interval) -> str:
    """Return a share with its bounds, where it has some, as percentages."""
    between = f" [{share.low:.1%}, {share.high:.1%}]" if math.isfinite(share.low) else ""
    return f"{share.value:.1%}{between}"


def _metric_cells(result: DetectorResult) -> Sequence[str]:
    return [
        format_number(result.metrics[name].value)
        + (f" {format_interval(result.metrics[name])}" if name in WITH_INTERVAL else "")
        for name in TERMINAL_METRICS
    ]


def _speed_cells(result: DetectorResult) -> Sequence[str]:
    return [f"{result.fit_seconds:.1f}", f"{result.pairs_per_second:,.0f}"]

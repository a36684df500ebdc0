"""Intervals over places: 2,000 resamples of 200,000 pairs of 400 places, every metric at once.

    python benchmarks/bootstrap.py

Two cores, about 3 minutes. Expected: all metrics of one detector in under 5 s, be 2 % or half of
the pairs are duplicates; the difference of two detectors in under twice that; retrieval in 1 s.

Pairs are made: duplicates within a place, others across two, scores with nearly no ties. Beside
`bootstrap_intervals` stands what one would write without it: a loop over resamples that calls
scikit-learn for average precision, ROC AUC, F1 and accuracy alone, with the same weights; 10 of its
resamples are measured and their time is scaled. Every case runs in a process of its own, five times
(the loop once); time is the median, memory the peak of the process.

Writes benchmarks/results/bootstrap.json.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from statistics import median
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from seentwice.bootstrap import bootstrap_intervals
from seentwice.files import write_atomically
from seentwice.paired import bootstrap_difference
from seentwice.resampling import plan_resampling
from seentwice.retrieval import Answers, bootstrap_retrieval

RESULT = Path(__file__).resolve().parent / "results" / "bootstrap.json"
PAIRS, PLACES, RESAMPLES = 200_000, 400, 2_000
QUERIES = 1_000  # of 200 candidates each
RUNS, LOOPED = 5, 10
SHARES = (0.02, 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Made pairs and what two detectors say of them, (n,) each."""

    label: NDArray[np.bool_]
    score: NDArray[np.float64]
    baseline_score: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]


def main() -> None:
    """Measure every case in a process of its own, print and write."""
    if sys.argv[1:2] == ["--case"]:
        print(json.dumps(measure(sys.argv[2], float(sys.argv[3]))))
        return
    # Here, so that no measured process pays for what it imports.
    from seentwice.commands.provenance import describe_machine, git_commit, library_versions

    table = Table("way", "duplicates", "seconds", "peak MiB")
    rows = []
    for way in WAYS:
        for share in SHARES:
            command = [sys.executable, __file__, "--case", way, str(share)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found = json.loads(done.stdout)
            rows.append({"way": way, "duplicates": share, **found})
            table.add_row(way, f"{share:.0%}", f"{found['seconds']:.2f}", f"{found['peak_mib']:,}")
    result = {
        "command": "python benchmarks/bootstrap.py",
        "machine": describe_machine(),
        "versions": library_versions(),
        "git_commit": git_commit(),
        "pairs": PAIRS,
        "places": PLACES,
        "resamples": RESAMPLES,
        "queries": QUERIES,
        "runs": RUNS,
        "cases": rows,
    }
    RESULT.parent.mkdir(exist_ok=True)
    write_atomically(RESULT, json.dumps(result, indent=2) + "\n")
    Console().print(table)


def measure(way: str, share: float) -> dict[str, float]:
    """Run one way some times in this process."""
    pairs = make_pairs(share)
    seconds = []
    for _ in range(1 if way == LOOP else RUNS):
        start = perf_counter()
        scale = WAYS[way](pairs)
        seconds.append((perf_counter() - start) * scale)
    peak_mib = getrusage(RUSAGE_SELF).ru_maxrss // 1024
    return {"seconds": round(median(seconds), 2), "peak_mib": peak_mib}


def make_pairs(share: float) -> Pairs:
    """Make pairs of which this share are duplicates."""
    generator = np.random.default_rng(0)
    label = generator.random(PAIRS) < share
    left = generator.integers(PLACES, size=PAIRS)
    right = np.where(label, left, generator.integers(PLACES, size=PAIRS))
    score, baseline_score = (
        0.3 * label + 0.7 * generator.random(PAIRS),
        0.2 * label + 0.8 * generator.random(PAIRS),
    )
    return Pairs(label, score, baseline_score, left, right)


def measure_intervals(pairs: Pairs) -> float:
    """Every metric of one detector."""
    bootstrap_intervals(
        pairs.label,
        pairs.score,
        pairs.score >= 0.5,
        pairs.left,
        pairs.right,
        resamples=RESAMPLES,
    )
    return 1


def measure_difference(pairs: Pairs) -> float:
    """Every metric of two detectors, resample by resample."""
    bootstrap_difference(
        pairs.label,
        pairs.score,
        pairs.score >= 0.5,
        pairs.baseline_score,
        pairs.baseline_score >= 0.5,
        pairs.left,
        pairs.right,
        resamples=RESAMPLES,
    )
    return 1


def measure_retrieval(pairs: Pairs) -> float:
    """The same pairs as the candidates of queries."""
    query = np.arange(PAIRS) % QUERIES
    answers = Answers(query, pairs.label, pairs.score, np.bincount(query[pairs.label]))
    bootstrap_retrieval(answers, np.arange(QUERIES) % PLACES, resamples=RESAMPLES)
    return 1


def loop_over_sklearn(pairs: Pairs) -> float:
    """Four metrics of one detector, one resample after another; a few stand for all."""
    # Here, so that the other ways do not pay for what it imports.
    from sklearn import metrics

    plan = plan_resampling(pairs.left, pairs.right, resamples=LOOPED)
    decision = pairs.score >= 0.5
    for block in plan.weights(plan.groups):
        for weights in block.T:
            weight = weights[plan.group]
            metrics.average_precision_score(pairs.label, pairs.score, sample_weight=weight)
            metrics.roc_auc_score(pairs.label, pairs.score, sample_weight=weight)
            metrics.f1_score(pairs.label, decision, sample_weight=weight)
            metrics.accuracy_score(pairs.label, decision, sample_weight=weight)
    return RESAMPLES / LOOPED


LOOP = "loop over scikit-learn, four metrics"
WAYS: Mapping[str, Callable[[Pairs], float]] = {
    "all metrics": measure_intervals,
    "difference of two detectors": measure_difference,
    "retrieval": measure_retrieval,
    LOOP: loop_over_sklearn,
}


if __name__ == "__main__":
    main()

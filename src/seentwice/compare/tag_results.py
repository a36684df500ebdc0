"""How well a tagger's heads answer: by head, by label, with intervals over homes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.bootstrap import bootstrap_intervals, bootstrap_share
from seentwice.curves import Floats, divide, sum_by_group
from seentwice.metrics import expected_calibration_error
from seentwice.records import Interval, TagHead, TagSet
from seentwice.resampling import draw_metrics, make_interval, measure_all, plan_resampling

_SURE = 1e-12  # a probability of 0 would be infinitely wrong
_OF_LABEL = ("precision", "recall", "f1", "roc_auc")


@dataclass(frozen=True, slots=True)
class LabelResult:
    """One label of a head against all the others."""

    label: str
    photos: int  # that have it
    precision: Interval
    recall: Interval
    f1: Interval
    roc_auc: Interval


@dataclass(frozen=True, slots=True)
class HeadResult:
    """One head on the test photos whose label is known."""

    name: str
    labels: tuple[str, ...]
    photos: int
    homes: int
    accuracy: Interval
    balanced_accuracy: Interval  # the mean recall of the labels that have photos
    largest_share: float  # of one label: the accuracy of always answering it
    cross_entropy: float
    calibration_error: float  # of the likeliest label's probability
    confusion: tuple[tuple[int, ...], ...]  # photos by label, then by answer
    of_label: tuple[LabelResult, ...]


def measure_tags(
    tags: TagSet,
    label: NDArray[np.int64],
    probabilities: NDArray[np.floating],
    homes: NDArray[np.int64],
    resamples: int = 1000,
) -> tuple[HeadResult, ...]:
    """Measure every head that has photos whose label is known.

    Args:
        tags: the heads.
        label: (n, h) number of a label of each head, below 0 where it is not known.
        probabilities: (n, t) of all labels in order.
        homes: (n,) number of the home of each photo: what the bootstrap resamples.
        resamples: how often.
    """
    results = []
    for head, column, where in zip(tags.heads, label.T, tags.columns, strict=True):
        known = np.flatnonzero(column >= 0)
        if len(known):
            own = probabilities[known, where].astype(np.float64)
            results.append(_measure_head(head, column[known], own, homes[known], resamples))
    return tuple(results)


def _measure_head(
    head: TagHead,
    label: NDArray[np.int64],
    probability: Floats,
    homes: NDArray[np.int64],
    resamples: int,
) -> HeadResult:
    answer = probability.argmax(axis=1)
    confusion = np.zeros((len(head.labels), len(head.labels)), np.int64)
    np.add.at(confusion, (label, answer), 1)
    right = answer == label
    chance = np.maximum(probability[np.arange(len(label)), label], _SURE)
    return HeadResult(
        name=head.name,
        labels=head.labels,
        photos=len(label),
        homes=len(np.unique(homes)),
        accuracy=bootstrap_share(right, homes, homes, resamples=resamples),
        balanced_accuracy=_measure_balance(label, right, homes, resamples),
        largest_share=float(confusion.sum(axis=1).max() / len(label)),
        cross_entropy=float(-np.log(chance).mean()),
        # Of several labels in float32 the sum may be a little above 1.
        calibration_error=expected_calibration_error(right, probability.max(axis=1).clip(0, 1)),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        of_label=tuple(
            _measure_label(
                name, label == number, probability[:, number], answer == number, homes, resamples
            )
            for number, name in enumerate(head.labels)
        ),
    )


def _measure_label(
    name: str,
    label: NDArray[np.bool_],
    score: Floats,
    decision: NDArray[np.bool_],
    homes: NDArray[np.int64],
    resamples: int,
) -> LabelResult:
    found = bootstrap_intervals(
        label, score.clip(0, 1), decision, homes, homes, resamples=resamples
    )
    return LabelResult(name, int(label.sum()), *(found[metric] for metric in _OF_LABEL))


def _measure_balance(
    label: NDArray[np.int64], right: NDArray[np.bool_], homes: NDArray[np.int64], resamples: int
) -> Interval:
    """Return the mean recall of labels; of a resample, of those that it holds."""
    plan = plan_resampling(homes, homes, resamples=resamples)
    numbers = np.unique(label)
    # (labels, groups): photos of each label by home, and those answered rightly.
    photos = np.stack([sum_by_group(plan.group, label == n, plan.groups) for n in numbers])
    hits = np.stack([sum_by_group(plan.group, right & (label == n), plan.groups) for n in numbers])

    def measure(weight: Floats) -> dict[str, Floats]:
        recall = divide(hits @ weight, photos @ weight)
        held = np.isfinite(recall)
        return {"recall": divide(np.where(held, recall, 0).sum(axis=0), held.sum(axis=0))}

    [draws] = draw_metrics(plan, [measure], 2 * len(numbers))
    return make_interval(plan, measure_all(plan, measure)["recall"], draws["recall"], 0.95)


def flatten_results(results: Sequence[HeadResult]) -> dict[str, float]:
    """Return the values by names such as front/accuracy and storeys/two/f1."""
    flat: dict[str, float] = {}
    for head in results:
        flat |= {
            f"{head.name}/accuracy": head.accuracy.value,
            f"{head.name}/balanced_accuracy": head.balanced_accuracy.value,
            f"{head.name}/cross_entropy": head.cross_entropy,
            f"{head.name}/calibration_error": head.calibration_error,
        }
        for one in head.of_label:
            flat |= {
                f"{head.name}/{one.label}/{metric}": getattr(one, metric).value
                for metric in _OF_LABEL
            }
    return flat

"""The share of triplets that are ordered rightly, and by how much one measure has more of them."""

import numpy as np
from numpy.typing import NDArray

from seentwice.bootstrap import bootstrap_share
from seentwice.curves import Floats, divide
from seentwice.records import Interval
from seentwice.resampling import draw_metrics, make_interval, plan_resampling

LEVEL = 0.95


def measure_share(
    hits: NDArray[np.bool_], query_home: NDArray[np.int64], negative_home: NDArray[np.int64]
) -> Interval:
    """Return the share of hits (t,) with its interval over homes."""
    return bootstrap_share(hits, query_home, negative_home, level=LEVEL)


def measure_gain(
    hits: NDArray[np.bool_],
    baseline: NDArray[np.bool_],
    query_home: NDArray[np.int64],
    negative_home: NDArray[np.int64],
) -> Interval:
    """Return how much larger the share of hits (t,) is than the baseline's, on the same homes."""
    plan = plan_resampling(query_home, negative_home)
    gain = hits.astype(np.float64) - baseline
    triplets = np.bincount(plan.group, minlength=plan.groups)
    gained = np.bincount(plan.group, gain, plan.groups)

    def measure(weight: Floats) -> dict[str, Floats]:
        return {"gain": divide(gained @ weight, triplets @ weight)}

    [draws] = draw_metrics(plan, [measure], 0)
    return make_interval(plan, float(gain.mean()), draws["gain"], LEVEL)

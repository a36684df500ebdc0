"""Plans of sweeps for tests."""

from seentwice.sweeps.plan import AdaptiveAsha, Plan, SearcherSettings, Watched
from seentwice.sweeps.space import Categorical, Const, Double, Int, Log, SearchSpace

SPACE: SearchSpace = {
    "optimizer.lr": Log(-4.0, -2.0, 10.0),
    "head": Categorical(["l1", "l2"]),
    "seed": Const(7),
    "tower.layers": Int(1, 3),
    "dropout": Double(0.0, 0.5),
}


def plan_asha(
    trials: int = 4,
    time: int = 4,
    concurrent: int = 2,
    divisor: float = 2.0,
    max_restarts: int = 1,
    smaller_is_better: bool = True,
) -> Plan:
    """Return a plan with one bracket."""
    return plan_with(
        AdaptiveAsha(
            max_trials=trials,
            max_time=time,
            mode="aggressive",
            divisor=divisor,
            max_concurrent_trials=concurrent,
            time_metric="epochs",
        ),
        max_restarts,
        smaller_is_better,
    )


def plan_with(
    searcher: SearcherSettings, max_restarts: int = 1, smaller_is_better: bool = True
) -> Plan:
    """Return a plan with a searcher."""
    watched = Watched("validation_loss", smaller_is_better)
    return Plan("a sweep", ("train",), watched, searcher, SPACE, max_restarts)

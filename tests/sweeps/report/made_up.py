"""Sweeps that nobody trained: curves by a formula, decided on by the real searcher."""

from collections.abc import Mapping
from dataclasses import replace
from math import log10

from seentwice.sweeps.asha import Asha
from seentwice.sweeps.brackets import AshaSettings
from seentwice.sweeps.results import SweepResults
from seentwice.sweeps.searcher import Create, Decision, Stop
from seentwice.sweeps.space import (
    Categorical,
    Const,
    Double,
    Int,
    Log,
    SearchSpace,
    Value,
    sample_values,
)
from seentwice.sweeps.trials import Point, Trial

SPACE: SearchSpace = {
    "optimizer.lr": Log(-5, -1, 10),
    "head.samespace.dropout": Double(0.0, 0.6),
    "training.batch_pairs": Int(16, 128),
    "head": Categorical(["l1", "l2", "concat", "samespace"]),
    "tower.shared": Categorical([True, False]),
    "training.epochs": Const(30),
}
SIXTEEN = AshaSettings(max_trials=16, max_time=30)
BEGAN_AT = 1_790_000_000.0
SECONDS_AN_EPOCH = 40.0


def make_sweep(
    settings: AshaSettings = SIXTEEN,
    space: SearchSpace = SPACE,
    failed: Mapping[int, int] | None = None,
    impossible: tuple[int, ...] = (),
    steps: int = 10_000,
) -> SweepResults:
    """Run a sweep in which all trials at work take their epochs in turn.

    Args:
        settings: of the searcher.
        space: of the hyperparameters.
        failed: by the trial, after how many epochs it fails.
        impossible: trials whose values are.
        steps: epochs of all trials after which to look at it.
    """
    searcher = Asha(settings, smaller_is_better=True)
    trials: dict[int, Trial] = {}

    def decide(decisions: list[Decision]) -> None:
        for decision in decisions:
            if isinstance(decision, Create):
                values = sample_values(space, 1, decision.trial)
                folder = f"outputs/sweep/trial_{decision.trial:03}"
                trials[decision.trial] = Trial(
                    *(decision.trial, decision.bracket, "running", values, (), 0),
                    *("worker", folder, "", 0, "", ()),
                )
            elif isinstance(decision, Stop):
                trial = trials[decision.trial]
                rungs = searcher.brackets[trial.bracket].rungs
                is_whole = trial.curve[-1].time >= rungs[-1]
                trials[trial.number] = replace(
                    trial,
                    status="finished" if is_whole else "stopped",
                    checkpoint=f"{trial.folder}/best.ckpt",
                )

    decide(searcher.start())
    at = BEGAN_AT
    while searcher.running and steps > 0:
        for number in searcher.running:
            trial = trials[number]
            time = len(trial.curve) + 1
            steps -= 1
            at += SECONDS_AN_EPOCH
            if number in impossible:
                reason = "head.concat.hidden=0: at least 1"
                trials[number] = replace(trial, status="impossible", error=reason)
                decide(searcher.withdraw(number))
            elif failed and time > failed.get(number, time):
                error = f"the loss is nan at epoch {time}"
                trials[number] = replace(trial, status="failed", error=error)
                decide(searcher.fail(number))
            else:
                point = Point(time, loss_of(trial.values, time, number), at)
                trials[number] = replace(trial, curve=(*trial.curve, point))
                decide(searcher.report(number, time, point.metric))
                trials[number] = replace(trials[number], rungs=searcher.rung_of(number))
    return SweepResults(
        *("samespace", "validation_loss", True, "epochs", space, searcher.brackets),
        tuple(trials[number] for number in sorted(trials)),
        ends={},
    )


def loss_of(values: Mapping[str, Value], time: int, number: int) -> float:
    """Return a loss that is best at a learning rate of 0.002, and jitters by number and time."""
    rate = values.get("optimizer.lr", 0.01)
    assert isinstance(rate, float)
    miss = abs(log10(rate) + 2.7)
    start = 0.69 + 0.02 * miss
    end = 0.18 + 0.12 * miss + 0.03 * (values.get("head") == "concat")
    jitter = ((number * 7919 + time * 104_729) % 101 / 101 - 0.5) * 0.02
    return end + (start - end) * 0.85**time + jitter

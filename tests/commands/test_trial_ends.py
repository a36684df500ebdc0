"""How long trials that were stopped would have trained."""

from collections.abc import Mapping

from seentwice.commands.trial_ends import find_ends
from seentwice.sweeps.space import Value
from seentwice.sweeps.trials import Status, Trial


def trial_of(number: int, status: Status, values: Mapping[str, Value]) -> Trial:
    return Trial(number, 0, status, values, (), 0, "", "", "", 0, "", ())


def test_each_is_bounded_by_its_own_training_epochs() -> None:
    trials = [
        trial_of(0, "stopped", {"optimizer.lr": 0.1}),
        trial_of(1, "stopped", {"training.epochs": 5, "optimizer.lr": 0.2}),
        trial_of(2, "stopped", {"training": "table"}),
        trial_of(3, "finished", {"optimizer.lr": 0.3}),
        trial_of(4, "impossible", {"training": "none such"}),
    ]
    assert find_ends(trials, ["training.epochs=7"]) == {0: 7, 1: 5, 2: 7}
    assert find_ends(trials[1:3], []) == {1: 5, 2: 30}
    assert find_ends(trials[:1], ["training=places"]) == {0: 24}
    assert find_ends([], ["no such key=1"]) == {}


def test_an_option_that_chooses_another_training_decides_too() -> None:
    # The default backbone's own training is for places, of 24 epochs; another leaves it at 30.
    trials = [
        trial_of(0, "stopped", {"backbone": "mobilenet_v2"}),
        trial_of(1, "stopped", {"backbone": "compact", "optimizer.lr": 0.2}),
        trial_of(2, "stopped", {"backbone": "mobilenet_v2", "training.epochs": 5}),
    ]
    assert find_ends(trials, []) == {0: 30, 1: 24, 2: 5}

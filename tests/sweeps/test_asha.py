"""Decisions of the searcher: by hand, beside a naive second one, and on random events."""

import random
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.sweeps.asha import Asha
from seentwice.sweeps.brackets import AshaSettings, plan_brackets
from seentwice.sweeps.searcher import Create, Decision, Stop

SEARCHES = st.builds(
    AshaSettings,
    max_trials=st.integers(1, 30),
    max_time=st.integers(1, 40),
    mode=st.sampled_from(["aggressive", "standard", "conservative"]),
    divisor=st.sampled_from([2.0, 3.0, 4.0]),
    max_rungs=st.integers(1, 4),
    max_concurrent_trials=st.integers(0, 6),
)


def test_a_search_by_hand():
    """Four trials of at most four epochs, two at once, half of each rung goes on."""
    settings = AshaSettings(4, 4, "aggressive", 2.0, max_concurrent_trials=2)
    search = Asha(settings, smaller_is_better=True)
    assert search.brackets[0].rungs == (1, 2, 4)
    assert search.start() == [Create(0, 0), Create(1, 0)]
    # Alone at its rung, a trial is its best half.
    assert search.report(0, 1, 0.5) == []
    # Second of two: only one is kept.
    assert search.report(1, 1, 0.6) == [Stop(1), Create(2, 0)]
    assert search.report(0, 2, 0.4) == []
    # First of three, before an equal one.
    assert search.report(2, 1, 0.5) == []
    # Second of two at the second rung.
    assert search.report(2, 2, 0.45) == [Stop(2), Create(3, 0)]
    # Third of four at the first rung: two are kept, and no fifth is made.
    assert search.report(3, 1, 0.55) == [Stop(3)]
    assert search.report(0, 3, 0.9) == []
    assert search.running == (0,)
    assert search.report(0, 4, 0.3) == [Stop(0)]
    assert search.running == ()


def test_a_late_report_counts_at_every_rung_that_it_passed():
    search = Asha(AshaSettings(4, 4, "aggressive", 2.0), smaller_is_better=True)
    search.start()
    assert search.report(0, 4, 0.5) == [Stop(0)]
    assert search.rung_of(0) == 2
    assert search.report(1, 2, 0.6) == [Stop(1)]
    assert search.rung_of(1) == 0


def test_larger_may_be_better():
    search = Asha(AshaSettings(2, 2, "aggressive", 2.0), smaller_is_better=False)
    search.start()
    assert search.report(0, 1, 0.7) == []
    assert search.report(1, 1, 0.6) == [Stop(1)]


def test_a_failed_trial_counts_as_the_worst_of_its_rung():
    settings = AshaSettings(4, 4, "aggressive", 2.0, max_concurrent_trials=2)
    search = Asha(settings, smaller_is_better=True)
    search.start()
    assert search.fail(0) == [Create(2, 0)]
    assert search.report(1, 1, 0.6) == []  # first of two
    assert search.report(2, 1, 0.7) == [Stop(2), Create(3, 0)]  # second of three, one is kept
    assert search.report(3, 1, 0.65) == []  # second of four, two are kept
    assert search.fail(0) == []


def test_an_impossible_trial_is_replaced_and_forgotten():
    settings = AshaSettings(2, 4, "aggressive", 2.0, max_concurrent_trials=2)
    search = Asha(settings, smaller_is_better=True)
    assert search.start() == [Create(0, 0), Create(1, 0)]
    assert search.report(0, 2, 0.1) == []
    assert search.withdraw(0) == [Create(2, 0)]
    assert search.report(1, 2, 0.9) == []  # alone: the better one does not count any more
    assert search.report(2, 2, 0.95) == [Stop(2)]


def test_a_report_of_a_trial_that_ended_says_nothing():
    search = Asha(AshaSettings(2, 2, "aggressive", 2.0), smaller_is_better=True)
    search.start()
    search.report(0, 2, 0.5)
    assert search.report(0, 3, 0.1) == []
    assert search.finish(0) == []
    assert search.withdraw(0) == []


@pytest.mark.parametrize("metric", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_no_metric(metric):
    search = Asha(AshaSettings(2, 2), smaller_is_better=True)
    search.start()
    with pytest.raises(ValueError, match=r"trial 0: .* report that it failed"):
        search.report(0, 1, metric)


class Naive:
    """The rules once more: lists of all reports, counted anew at every decision."""

    def __init__(self, settings: AshaSettings) -> None:
        self.settings = settings
        self.plan = plan_brackets(settings)
        self.bracket_of: list[int] = []
        self.seen: dict[tuple[int, int], list[tuple[int, float]]] = defaultdict(list)
        self.passed: dict[int, int] = defaultdict(int)
        self.over: set[int] = set()
        self.impossible: set[int] = set()

    def make(self, bracket: int) -> Create:
        self.bracket_of.append(bracket)
        return Create(len(self.bracket_of) - 1, bracket)

    def start(self) -> list[Decision]:
        return [
            self.make(number)
            for number, bracket in enumerate(self.plan)
            for _ in range(min(bracket.concurrent, bracket.trials))
        ]

    def close(self, trial: int) -> list[Decision]:
        self.over.add(trial)
        bracket = self.bracket_of[trial]
        counted = [
            other
            for other, its in enumerate(self.bracket_of)
            if its == bracket and other not in self.impossible
        ]
        return [self.make(bracket)] if len(counted) < self.plan[bracket].trials else []

    def report(self, trial: int, time: int, value: float) -> list[Decision]:
        if trial in self.over:
            return []
        bracket = self.bracket_of[trial]
        levels = self.plan[bracket].rungs
        for rung in range(self.passed[trial], len(levels)):
            if time < levels[rung]:
                break
            others = [
                other for number, other in self.seen[bracket, rung] if number not in self.impossible
            ]
            self.seen[bracket, rung].append((trial, value))
            better = sum(other < value for other in others)
            keep = max((len(others) + 1) // self.settings.divisor, 1)
            if rung == len(levels) - 1 or better >= keep:
                return [Stop(trial), *self.close(trial)]
            self.passed[trial] = rung + 1
        return []

    def fail(self, trial: int) -> list[Decision]:
        if trial in self.over:
            return []
        key = self.bracket_of[trial], self.passed[trial]
        self.seen[key].append((trial, float("inf")))
        return self.close(trial)

    def withdraw(self, trial: int) -> list[Decision]:
        if trial in self.over:
            return []
        self.impossible.add(trial)
        return self.close(trial)


@given(SEARCHES, st.randoms(use_true_random=False))
def test_decides_as_the_naive_one_on_any_events(settings: AshaSettings, chance: random.Random):
    search, naive = Asha(settings, smaller_is_better=True), Naive(settings)
    assert search.start() == naive.start()
    time: dict[int, int] = defaultdict(int)
    withdrawn = 0
    while search.running:
        trial = chance.choice(search.running)
        kind = chance.random()
        if kind < 0.05:
            assert search.fail(trial) == naive.fail(trial)
        elif kind < 0.1 and withdrawn < 20:
            withdrawn += 1
            assert search.withdraw(trial) == naive.withdraw(trial)
        else:
            time[trial] += chance.randint(1, 3)  # a report may skip some
            value = float(chance.randint(0, 5))  # so that there are equals
            assert search.report(trial, time[trial], value) == naive.report(
                trial, time[trial], value
            )
    planned = [bracket.trials for bracket in search.brackets]
    counted = [0] * len(planned)
    for trial, bracket in enumerate(naive.bracket_of):
        counted[bracket] += trial not in naive.impossible
    assert counted == planned


@given(SEARCHES, st.randoms(use_true_random=False))
def test_every_trial_ends_at_a_rung_and_the_best_goes_to_the_last(settings, chance):
    """Where trials differ by a constant quality and all start at once, the best reaches the end."""
    search = Asha(settings, smaller_is_better=True)
    bracket_of: dict[int, int] = {}
    ended_at: dict[int, int] = {}
    pending = search.start()
    quality: dict[int, float] = {}
    time: dict[int, int] = defaultdict(int)
    while pending or search.running:
        for decision in pending:
            if isinstance(decision, Create):
                bracket_of[decision.trial] = decision.bracket
                quality[decision.trial] = chance.random()
            else:
                ended_at[decision.trial] = time[decision.trial]
        pending = []
        if search.running:
            trial = chance.choice(search.running)
            time[trial] += 1
            pending = search.report(trial, time[trial], quality[trial])
    for trial, bracket in bracket_of.items():
        assert ended_at[trial] in search.brackets[bracket].rungs
    for number, bracket in enumerate(search.brackets):
        best = min((t for t in bracket_of if bracket_of[t] == number), key=quality.__getitem__)
        assert ended_at[best] == bracket.rungs[-1]

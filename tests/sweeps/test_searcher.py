"""Searchers that stop no trial."""

from hypothesis import given
from hypothesis import strategies as st

from seentwice.sweeps.searcher import Create, Unstopped


def test_trials_begin_as_others_end():
    search = Unstopped(trials=3, concurrent=2, replaces=True)
    assert search.start() == [Create(0, 0), Create(1, 0)]
    assert search.report(0, 100, float("nan")) == []
    assert search.finish(1) == [Create(2, 0)]
    assert search.finish(1) == []
    assert search.fail(0) == []
    assert search.running == (2,)
    assert search.finish(2) == []
    assert search.running == ()


def test_an_impossible_trial_of_a_random_search_is_replaced():
    search = Unstopped(trials=1, concurrent=0, replaces=True)
    search.start()
    assert search.withdraw(0) == [Create(1, 0)]
    assert search.withdraw(0) == []


def test_an_impossible_trial_of_a_grid_is_left_out():
    search = Unstopped(trials=1, concurrent=0, replaces=False)
    search.start()
    assert search.withdraw(0) == []
    assert search.running == ()


@given(st.integers(1, 20), st.integers(0, 5), st.randoms(use_true_random=False))
def test_every_trial_runs_and_no_more_at_once_than_asked(trials, concurrent, chance):
    search = Unstopped(trials, concurrent, replaces=False)
    created = len(search.start())
    while search.running:
        assert len(search.running) <= (concurrent or trials)
        end = chance.choice([search.finish, search.fail, search.withdraw])
        created += len(end(chance.choice(search.running)))
    assert created == trials

"""Signals to stop, and work that they must not cut in two."""

import signal
from contextlib import suppress

import pytest

from seentwice.commands.stopping import StopRequest


def test_a_signal_stops_at_once():
    stop = StopRequest()
    with stop.heeded(signal.SIGTERM), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    assert stop.came == signal.SIGTERM


def test_a_signal_is_held_back_until_the_outermost_block_has_ended():
    stop = StopRequest()
    done: list[str] = []

    def work() -> None:
        with stop.held_back():
            with stop.held_back():
                signal.raise_signal(signal.SIGINT)
                done.append("inner")
            done.append("outer")

    with stop.heeded(signal.SIGINT, signal.SIGTERM), pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["inner", "outer"]


def test_one_that_was_ignored_where_it_came_counts_at_the_next_block():
    stop = StopRequest()
    with stop.heeded(signal.SIGTERM):
        with suppress(KeyboardInterrupt):  # as Python does where it calls back
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt), stop.held_back():
            pass


def test_afterwards_signals_do_what_they_did():
    before = signal.getsignal(signal.SIGTERM)
    with StopRequest().heeded(signal.SIGTERM):
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_an_error_of_a_block_is_not_hidden_by_a_signal():
    stop = StopRequest()
    error = pytest.raises(ValueError, match="its own")
    with stop.heeded(signal.SIGTERM), error, stop.held_back():
        signal.raise_signal(signal.SIGTERM)
        raise ValueError("its own")

"""One order of events for all processes."""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.storages import RDBStorage

from seentwice.errors import UserError
from seentwice.sweeps import log as log_module
from seentwice.sweeps.events import (
    Began,
    Claimed,
    Concluded,
    Crashed,
    Event,
    Failed,
    LoggedEvent,
    Released,
    Reported,
    Withdrawn,
)
from seentwice.sweeps.log import EventLog, open_log

WORKER = Path(__file__).parent / "appending_worker.py"
EVENTS: list[Event] = [
    Claimed(0, "a"),
    Claimed(0, "b"),
    Began(
        0,
        "b",
        {"lr": 0.1 + 0.2, "n": 1, "f": 1.0, "b": True, "none": None, "l": [1, 2.5, "x"]},
        "/photos/Größe \udce9/0",
    ),
    Reported(0, "b", 1, 1 / 3),
    Crashed(0, "b", "line\nline \x00 \x1b[31m"),
    Failed(0, "b", ""),
    Withdrawn(0, "b", "why"),
    Released(0, "b", "gone"),
    Concluded(0, "b", "/checkpoint"),
]


@pytest.fixture
def open_again(open_database: Callable[[str], RDBStorage]) -> Callable[[str], EventLog]:
    return lambda url: open_log(open_database(url), "a sweep", "{}")


def test_another_reads_what_one_writes(storage_url, open_again):
    one, other = open_again(storage_url), open_again(storage_url)
    assert other.read() == []
    written = [one.append(event, 0.1 * place) for place, event in enumerate(EVENTS)]
    assert written == [LoggedEvent(place, 0.1 * place, e) for place, e in enumerate(EVENTS)]
    assert other.read() == written
    assert one.read() == written
    assert open_again(storage_url).read(after=4) == written[5:]
    values = other.read()[2].event.values
    assert [type(value) for value in values.values()] == [float, int, float, bool, type(None), list]
    last = other.append(Claimed(1, "c"), 7.5)
    assert one.read(after=len(EVENTS) - 1) == [last]
    assert one.read(after=last.number) == []


def test_an_event_is_read_once(sqlite_url, open_again, monkeypatch):
    log = open_again(sqlite_url)
    read = json.loads
    records = []

    def count(text: str) -> object:
        if text.startswith('{"id"'):  # others are Optuna's
            records.append(text)
        return read(text)

    monkeypatch.setattr(log_module.json, "loads", count)
    for number in range(10):
        log.append(Claimed(number, "a"), 0.0)
        log.read()
    assert len(records) == 10


def test_a_sweep_goes_on_with_its_own_settings_only(sqlite_url, open_database):
    storage = open_database(sqlite_url)
    settings = {"plan": {"searcher": {"max_trials": 16, "name": "random"}}, "data": "rooms"}
    open_log(storage, "one", json.dumps(settings)).append(Claimed(0, "a"), 0.0)
    assert len(open_log(storage, "one", json.dumps(settings)).read()) == 1
    other = {"plan": {"searcher": {"max_trials": 8, "name": "random"}}, "data": "rooms"}
    with pytest.raises(UserError, match=r"^the sweep 'one' began with plan\.searcher\.max_trials"):
        open_log(storage, "one", json.dumps(other))
    with pytest.raises(UserError, match=r"data, which is not given now; .* give this one an"):
        open_log(storage, "one", json.dumps({"plan": settings["plan"]}))
    with pytest.raises(UserError, match="began with no head, which is given now"):
        open_log(storage, "one", json.dumps(settings | {"head": "l1"}))
    assert open_log(storage, "two", json.dumps(other)).read() == []
    with pytest.raises(UserError, match="a sweep's name has 1 to 200 characters, not 0"):
        open_log(storage, "", "{}")


def test_the_first_to_begin_a_sweep_says_its_settings(sqlite_url, open_database):
    storage = open_database(sqlite_url)
    study = optuna.create_study(storage=storage, study_name="a sweep/events")
    one, other = EventLog(storage, study, "a sweep"), EventLog(storage, study, "a sweep")
    one._read_on()
    other._read_on()  # neither has begun: both will write
    one._write({"id": "1", "settings": "first"})
    other._write({"id": "2", "settings": "second"})
    for log in (one, other):
        log.begin("third")
        assert log.settings == "first"
    assert one.append(Claimed(0, "a"), 0.0).number == 0


def test_an_event_that_was_written_twice_counts_once(sqlite_url, open_again):
    """As where a server fell silent after it had written, and was told again."""
    log = open_again(sqlite_url)
    record = {"id": "1", "at": 0.0, "event": {"kind": "claimed", "trial": 0, "worker": "a"}}
    log._write(record)
    log._write(record)
    assert log.append(Claimed(1, "a"), 0.0).number == 1


def test_what_is_no_event_is_told(sqlite_url, open_again, open_database):
    log = open_again(sqlite_url)
    with pytest.raises(ValueError, match="trial 3: nan is no metric; log that it failed"):
        log.append(Reported(3, "a", 1, float("nan")), 0.0)
    log._write({"id": "1", "at": 0.0, "event": {"kind": "paused", "trial": 0}})
    with pytest.raises(UserError, match="trial 1 of the study 'a sweep/events': no event is 'pau"):
        log.read()
    study = optuna.create_study(storage=open_database(sqlite_url), study_name="other/events")
    study.add_trial(optuna.create_trial(value=1.0))
    with pytest.raises(UserError, match="trial 0 of the study 'other/events': no event is in it"):
        open_log(open_database(sqlite_url), "other", "{}")


def test_workers_show_that_they_live(storage_url, open_again):
    one, other = open_again(storage_url), open_again(storage_url)
    assert one.read_beats() == {}
    one.beat("a", 0)
    other.beat("b", 3)
    one.beat("a", 1)
    assert other.read_beats() == one.read_beats() == {"a": 1, "b": 3}


@pytest.mark.parametrize(
    ("processes", "each"), [(1, 20), pytest.param(4, 100, marks=pytest.mark.slow)]
)
def test_processes_that_write_at_once_and_one_that_is_killed(new_url, open_again, processes, each):
    """Also in making the database: nobody has, before them."""
    killed_after = 10

    def start(worker: str, count: int) -> subprocess.Popen[str]:
        command = [sys.executable, str(WORKER), new_url, worker, str(count)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    workers = {str(name): start(str(name), each) for name in range(processes)}
    victim = start("victim", 10**6)
    told = [int(victim.stdout.readline()) for _ in range(killed_after)]
    victim.kill()
    victim.communicate()
    numbers = {}
    for name, process in workers.items():
        output, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        numbers[name] = list(map(int, output.split()))

    log = open_again(new_url)
    read = log.read()
    assert [logged.number for logged in read] == list(range(len(read)))
    times: dict[str, list[int]] = defaultdict(list)
    for logged in read:
        times[logged.event.worker].append(logged.event.time)
    for name in workers:
        assert times[name] == list(range(each))
    assert times["victim"] == list(range(len(times["victim"])))
    assert len(times["victim"]) >= killed_after
    for name, found in (numbers | {"victim": told}).items():
        assert [read[number].event.worker for number in found] == [name] * len(found)
    assert log.append(Claimed(0, "after"), 0.0).number == len(read)


def test_workers_agree_on_what_the_first_said(sqlite_url, open_database):
    one = open_log(open_database(sqlite_url), "sweep", "{}")
    other = open_log(open_database(sqlite_url), "sweep", "{}")
    assert one.agree("photos", "these") == "these"
    assert other.agree("photos", "those") == "these"
    assert other.agree("rooms", "those") == "those"
    assert one.id == other.id != ""
    assert one.read() == []

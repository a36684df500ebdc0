"""Who is alive: by locks on this machine, by beats elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from seentwice.errors import UserError
from seentwice.sweeps.liveness import Judge, keep_beating, name_worker, show_life

WORKER = Path(__file__).parent / "living_worker.py"
ELSEWHERE = f"{'0' * 12}-{'a' * 32}"


class Clock:
    """Seconds that a test lets pass."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_worker_of_this_machine_is_dead_as_soon_as_it_is_killed(tmp_path):
    command = [sys.executable, str(WORKER), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        worker = process.stdout.readline().strip()
        judge = Judge(tmp_path, dict)
        assert judge.is_alive(worker)
        assert judge.is_alive(worker)
        process.kill()
        process.wait()
    assert not judge.is_alive(worker)
    assert not Judge(tmp_path, dict).is_alive(worker)


def test_a_worker_is_alive_to_itself_until_it_leaves(tmp_path):
    link = tmp_path / "link"
    (tmp_path / "sweep").mkdir()
    link.symlink_to(tmp_path / "sweep")
    worker = name_worker(tmp_path / "sweep")
    judge = Judge(link, dict)
    assert not judge.is_alive(worker)  # no lock, no life
    assert not list((tmp_path / "sweep" / "workers").iterdir())
    beats = []
    with show_life(link, worker, beats.append, seconds=3600.0):
        assert judge.is_alive(worker)
        assert beats == [0]  # before the block, so that others have something to watch
    assert not judge.is_alive(worker)


def test_two_workers_never_have_one_name(tmp_path):
    assert name_worker(tmp_path) != name_worker(tmp_path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "sweep").write_text("a file")
    with pytest.raises(UserError, match=r"workers cannot be made \(Not a directory\); let your"):
        name_worker(tmp_path / "sweep")


def test_a_lock_for_all_accounts(tmp_path):
    before = os.umask(0o077)
    try:
        worker = name_worker(tmp_path)
        with show_life(tmp_path, worker, lambda count: None):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "workers" / f"{worker}.lock").stat().st_mode & 0o666 == 0o666


@pytest.mark.parametrize("worker", [ELSEWHERE, "../../etc", "", "\x00"])
def test_a_worker_elsewhere_is_dead_once_its_beat_rests_for_long(tmp_path, worker):
    clock, beats = Clock(), {worker: 7}
    judge = Judge(tmp_path, lambda: beats, clock, patience=60.0)
    assert judge.is_alive(worker)  # since when it rests is not known
    clock.now += 59.0
    assert judge.is_alive(worker)
    beats[worker] = 8
    assert judge.is_alive(worker)
    clock.now += 59.0
    assert judge.is_alive(worker)
    clock.now += 1.0
    assert not judge.is_alive(worker)
    beats[worker] = 9  # it was suspended
    assert judge.is_alive(worker)


def test_a_worker_elsewhere_without_a_beat_is_waited_for_as_long(tmp_path):
    clock = Clock()
    judge = Judge(tmp_path, dict, clock, patience=60.0)
    assert judge.is_alive(ELSEWHERE)
    clock.now += 60.0
    assert not judge.is_alive(ELSEWHERE)


def test_the_same_folder_is_another_place_on_another_system(tmp_path, monkeypatch):
    worker = name_worker(tmp_path)
    monkeypatch.setattr("seentwice.sweeps.liveness._read_system", lambda: "another")
    assert Judge(tmp_path, dict, Clock()).is_alive(worker)  # of which the lock says nothing here


def test_a_beat_that_cannot_be_written_is_left_out():
    shown = []

    def beat(count: int) -> None:
        if count == 2:
            raise UserError("the database is busy")
        shown.append(count)

    waits = iter([False, False, False, True])
    keep_beating(beat, lambda: next(waits))
    assert shown == [1, 3]

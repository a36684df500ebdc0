"""Runs that are killed, interrupted, short of disk, or two at once end as an undisturbed one."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from encoding import draw, encode
from reading_process import LIMIT

from seentwice.dedupe.looking import Looking
from seentwice.dedupe.reading import update_table
from seentwice.index.photo_row import PhotoRow
from seentwice.index.store import PhotoStore

SCRIPT = Path(__file__).with_name("reading_process.py")
COUNT = 60
Process = subprocess.Popen[str]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many") / "photos"
    folder.mkdir()
    for number in range(COUNT):
        (folder / f"{number}.jpg").write_bytes(encode(draw(number, 80, 60), "JPEG"))
    (folder / "broken.jpg").write_bytes(b"no photo")
    return folder


@pytest.fixture(scope="module")
def undisturbed(photos: Path) -> dict[str, PhotoRow]:
    return finish(photos, photos.parent / "index")[0]


def finish(photos: Path, index: Path) -> tuple[dict[str, PhotoRow], int]:
    """Run to the end; return all rows, and how many files were read for it."""
    looking = Looking(photos, "blocks", LIMIT)
    with PhotoStore.open(index, looking.meta, lambda: None) as store:
        read = update_table(store, looking, 1, lambda done, total: None).read
        return read_rows(store), read


def read_rows(store: PhotoStore) -> dict[str, PhotoRow]:
    with store.snapshot():
        return {row.key: row for row in store.read_rows(store.scan(()).places)}


@contextmanager
def start(photos: Path, index: Path, hold_at: int = 0, most_bytes: int = 0) -> Iterator[Process]:
    """A run of two processes in a group of its own, as a terminal starts one."""
    words = [str(word) for word in (photos, index, 2, hold_at, most_bytes)]
    with subprocess.Popen(
        [sys.executable, str(SCRIPT), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: Process, count: int) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= count:
            return
    raise AssertionError("it ended before")


def test_a_run_that_is_killed_is_finished_by_the_next(
    photos: Path, undisturbed: dict[str, PhotoRow], tmp_path: Path
) -> None:
    with start(photos, tmp_path, hold_at=20) as process:
        wait_for(process, 20)
        process.kill()
        process.communicate()  # ends once its processes have ended, which hold the pipe too
    rows, read = finish(photos, tmp_path)
    assert rows == undisturbed
    assert COUNT + 1 - 20 <= read <= COUNT + 1 - 8  # batches of 8 were written


def test_ctrl_c_keeps_all_that_was_told(
    photos: Path, undisturbed: dict[str, PhotoRow], tmp_path: Path
) -> None:
    with start(photos, tmp_path, hold_at=20) as process:
        wait_for(process, 20)
        os.killpg(process.pid, signal.SIGINT)
        told, errors = process.communicate()
        assert process.returncode == -signal.SIGINT
    assert told == ""
    assert "KeyboardInterrupt" in errors
    assert "reading_process.py" in errors
    assert errors.count("Traceback") == 1  # of its processes none says a word
    rows, read = finish(photos, tmp_path)
    assert rows == undisturbed
    assert read == COUNT + 1 - 20


def test_two_runs_at_once_end_as_one(
    photos: Path, undisturbed: dict[str, PhotoRow], tmp_path: Path
) -> None:
    with start(photos, tmp_path, hold_at=4) as one, start(photos, tmp_path, hold_at=4) as other:
        wait_for(one, 4)
        wait_for(other, 4)
        for process in (one, other):
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        for process in (one, other):
            told, errors = process.communicate()
            assert (process.returncode, errors) == (0, "")
            assert told.split()[-1] == str(COUNT + 1)
    assert finish(photos, tmp_path) == (undisturbed, 0)


def test_a_full_disk_is_told_and_the_next_run_goes_on(
    photos: Path, undisturbed: dict[str, PhotoRow], tmp_path: Path
) -> None:
    with start(photos, tmp_path, most_bytes=300_000) as process:
        told, errors = process.communicate()
        assert (process.returncode, errors) == (2, "")
    assert "the index cannot be written" in told.splitlines()[-1]
    rows, read = finish(photos, tmp_path)
    assert rows == undisturbed
    assert 0 < read < COUNT + 1

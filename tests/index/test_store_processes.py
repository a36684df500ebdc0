import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from photo_rows import META, read_all
from writing_process import make_rows

from seentwice.index.batches import list_batches
from seentwice.index.store import PhotoStore

SCRIPT = Path(__file__).with_name("writing_process.py")


@contextmanager
def start(folder, name, *how):
    """A process that has opened the table; it begins with the next line of its input."""
    command = [sys.executable, str(SCRIPT), str(folder), name, *map(str, how)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout.readline() == "open\n"
        try:
            yield process
        finally:
            process.kill()


def begin(process):
    process.stdin.write("\n")
    process.stdin.flush()


def open_store(folder, on_wait=lambda: None):
    return PhotoStore.open(folder, META, on_wait)


def check_rows(found, written):
    """Each process's own rows are those of its batches; a shared one is whole, and the last of one.

    Args:
        found: rows by key.
        written: how many batches of each process count.
    """
    batches = {
        name: [{row.key: row for row in make_rows(name, number)} for number in range(count)]
        for name, count in written.items()
    }
    own = {key: row for key, row in found.items() if not key.startswith("shared")}
    assert own == {
        key: row
        for rows in batches.values()
        for batch in rows
        for key, row in batch.items()
        if not key.startswith("shared")
    }
    lasts = [rows[-1] for rows in batches.values() if rows]
    for key in found.keys() - own.keys():
        assert found[key] in [last[key] for last in lasts]
    assert len(found) - len(own) == (10 if lasts else 0)


def test_two_processes_that_write_at_once_lose_nothing(tmp_path):
    with start(tmp_path, "1", 40) as one, start(tmp_path, "2", 40) as two:
        begin(one)
        begin(two)
        with PhotoStore.open_to_read(tmp_path, lambda: None) as reader:
            while one.poll() is None or two.poll() is None:
                counts = [len(read_all(reader)) for _ in range(3)]
                assert counts == sorted(counts)
                assert all(count % 40 in (0, 10) for count in counts)
        assert (one.returncode, two.returncode) == (0, 0)
    with open_store(tmp_path) as store:
        check_rows(read_all(store), {"1": 40, "2": 40})


def test_two_processes_that_make_the_table_at_once_have_one(tmp_path):
    command = [sys.executable, str(SCRIPT), str(tmp_path)]
    both = [
        subprocess.Popen([*command, name, "3"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        for name in "12"
    ]
    for process in both:
        process.communicate()
        assert process.returncode == 0
    with open_store(tmp_path) as store:
        check_rows(read_all(store), {"1": 3, "2": 3})


@pytest.mark.parametrize("lines", [1, 2, 20])
def test_of_a_process_that_is_killed_all_that_it_told_of_is_there(tmp_path, lines):
    with start(tmp_path, "1", 1_000) as process:
        begin(process)
        for _ in range(lines):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()
        told = lines + len(process.stdout.read().splitlines())
    with open_store(tmp_path) as store:
        found = read_all(store)
        count = (len(found) - 10) // 40  # one more may have been written and not been told
        assert count in (told, told + 1)
        check_rows(found, {"1": count})
        store.write(make_rows("2", 0))
        assert len(read_all(store)) == len(found) + 40


def test_a_process_that_is_killed_within_a_transaction_leaves_the_one_before(tmp_path):
    with open_store(tmp_path) as store:
        store.write(make_rows("1", 0))
    with start(tmp_path, "2", "held") as process:
        begin(process)
        assert process.stdout.readline() == "inside\n"
        with PhotoStore.open_to_read(tmp_path, lambda: None) as reader:
            check_rows(read_all(reader), {"1": 1})
        process.send_signal(signal.SIGKILL)
        process.wait()
    with open_store(tmp_path) as store:
        check_rows(read_all(store), {"1": 1})
        store.write(make_rows("1", 1))
        check_rows(read_all(store), {"1": 2})


def test_a_process_that_is_killed_while_it_merges_loses_no_row(tmp_path):
    with start(tmp_path, "1", "merging") as process:
        begin(process)
        told = 0
        while process.stdout.readline() != "inside\n":
            told += 1
        process.send_signal(signal.SIGKILL)
        process.wait()
    with open_store(tmp_path) as store:
        check_rows(read_all(store), {"1": told + 1})
        store.write([])
        check_rows(read_all(store), {"1": told + 1})
        with store.snapshot():
            assert len(list_batches(store._database.connection)) == 1


def test_who_waits_for_another_is_told_so_and_writes_then(tmp_path):
    waits = []
    with start(tmp_path, "1", "held") as process:
        begin(process)
        assert process.stdout.readline() == "inside\n"

        def on_wait():
            waits.append(1)
            process.send_signal(signal.SIGKILL)
            process.wait()

        with open_store(tmp_path, on_wait) as store:
            store.write(make_rows("2", 0))
            check_rows(read_all(store), {"2": 1})
    assert waits


@pytest.mark.parametrize("limit", [200_000, 300_000, 1_000_000])
def test_a_full_disk_is_told_in_one_line_and_the_table_is_whole(tmp_path, limit):
    with start(tmp_path, "1", "full", limit) as process:
        begin(process)
        *numbers, told = process.stdout.read().splitlines()
        assert process.wait() == 0
    assert told.startswith(f"{tmp_path}: the index cannot be written (")
    assert told.endswith("make room there and run again: what was written before is kept")
    with open_store(tmp_path) as store:
        check_rows(read_all(store), {"1": len(numbers)})
        store.write(make_rows("1", len(numbers)))
        check_rows(read_all(store), {"1": len(numbers) + 1})

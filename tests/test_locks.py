from pathlib import Path

import pytest

from seentwice.locks import hold_lock


def never_wait() -> None:
    raise AssertionError("nobody holds the lock")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no /proc on this system")
def test_a_folder_that_takes_no_files_is_no_held_lock() -> None:
    with (
        pytest.raises(OSError, match=r"/proc/some\.lock"),
        hold_lock(Path("/proc/some.lock"), never_wait),
    ):
        pass


def test_a_lock_that_is_held_is_waited_for(tmp_path: Path) -> None:
    lock = tmp_path / "some.lock"

    def stop_waiting() -> None:
        raise TimeoutError

    with (
        hold_lock(lock, never_wait),
        pytest.raises(TimeoutError),
        hold_lock(lock, stop_waiting),
    ):
        pass
    with hold_lock(lock, never_wait):
        pass

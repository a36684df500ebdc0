"""What the tests of moves work on: a folder of photos, and two folders to move to."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from moved_photos import GROUP, write_file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (*GROUP, "d.jpg"):
        write_file(tmp_path / "root" / name, name.encode() * 1000)
    return tmp_path / "root"


@pytest.fixture(params=["same", "other"])
def away(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder to move to, on the same file system and on another one."""
    if request.param == "same":
        yield tmp_path / "away"
        return
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("/dev/shm is not there, or no other file system")
    folder = Path(tempfile.mkdtemp(dir=memory))
    yield folder / "away"
    shutil.rmtree(folder)

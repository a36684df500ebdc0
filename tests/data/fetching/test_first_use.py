import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from seentwice import locks
from seentwice.data.fetching.archives import CHECKSUMS
from seentwice.data.fetching.first_use import fill_folder
from seentwice.errors import UserError


def ignore(done: int, total: int) -> None:
    """Show nothing."""


def accept(folder: Path) -> None:
    """Take whatever was unpacked."""


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def archive(tmp_path: Path, houses_zip: bytes) -> Path:
    (tmp_path / "houses.zip").write_bytes(houses_zip)
    return tmp_path / "houses.zip"


def test_an_archive_fills_a_missing_folder_once(tmp_path, archive):
    root = tmp_path / "raw" / "houses"
    fill_folder(root, archive, None, accept, ignore)
    assert (root / "Houses-dataset-master" / "Houses Dataset" / "501_kitchen.jpg").is_file()
    assert names_in(root.parent) == [".houses.lock", "houses"]
    (root.parent / ".houses.lock").unlink()
    fill_folder(root, archive, None, accept, ignore)
    assert names_in(root.parent) == ["houses"]
    archive.unlink()
    with pytest.raises(UserError, match=r"data\.archive=.*houses\.zip: no such file"):
        fill_folder(root, archive, None, accept, ignore)


def test_a_download_fills_a_missing_folder_once(tmp_path, houses_zip):
    fetched: list[Path] = []

    def fetch(path, on_progress):
        fetched.append(path)
        path.write_bytes(houses_zip)

    fill_folder(tmp_path / "houses", None, fetch, accept, ignore)
    fill_folder(tmp_path / "houses", None, fetch, accept, ignore)
    assert len(fetched) == 1
    assert names_in(tmp_path) == [".houses.lock", "houses"]


@pytest.mark.parametrize("ends", ["broken", "stopped", "no zip"])
def test_a_download_that_fails_leaves_nothing_and_is_tried_again(tmp_path, houses_zip, ends):
    def fetch(path, on_progress):
        path.write_bytes(houses_zip[:1000])
        if ends != "no zip":
            raise UserError("broke off") if ends == "broken" else KeyboardInterrupt

    with pytest.raises(UserError if ends != "stopped" else KeyboardInterrupt):
        fill_folder(tmp_path / "houses", None, fetch, accept, ignore)
    assert names_in(tmp_path) == [".houses.lock"]
    fill_folder(
        tmp_path / "houses", None, lambda path, _: path.write_bytes(houses_zip), accept, ignore
    )
    assert names_in(tmp_path) == [".houses.lock", "houses"]


def test_a_link_is_filled_where_it_leads(tmp_path, archive):
    (tmp_path / "big disk").mkdir()
    root = tmp_path / "houses"
    root.symlink_to(tmp_path / "big disk" / "houses")
    fill_folder(root, archive, None, accept, ignore)
    assert root.is_symlink()
    assert (tmp_path / "big disk" / "houses" / CHECKSUMS).is_file()


def test_a_folder_that_holds_something_is_the_users(tmp_path, archive):
    root = tmp_path / "mine"
    root.mkdir()
    (root / "1_kitchen.jpg").write_text("mine")
    with pytest.raises(
        UserError, match=r"data\.archive=.*mine holds something else already; leave"
    ):
        fill_folder(root, archive, None, accept, ignore)
    fill_folder(root, None, pytest.fail, accept, ignore)
    assert names_in(root) == ["1_kitchen.jpg"]


def test_the_archive_of_a_download_is_known_again(tmp_path, archive, airbnb_zip):
    root = tmp_path / "houses"
    fill_folder(root, None, lambda path, _: path.write_bytes(archive.read_bytes()), accept, ignore)
    fill_folder(root, archive, None, accept, ignore)
    archive.write_bytes(airbnb_zip)
    with pytest.raises(UserError, match="holds something else already"):
        fill_folder(root, archive, None, accept, ignore)


@pytest.mark.parametrize(
    ("archive_name", "may_fetch", "complaint"),
    [
        (None, False, r"nowhere': no such folder; give .*data\.archive=ZIP .*data\.download_to="),
        ("none.zip", True, r"data\.archive=.*none\.zip: no such file"),
    ],
)
def test_nothing_to_fill_a_folder_with_is_told(tmp_path, archive_name, may_fetch, complaint):
    archive = tmp_path / archive_name if archive_name else None
    with pytest.raises(UserError, match=complaint):
        fill_folder(
            tmp_path / "nowhere", archive, pytest.fail if may_fetch else None, accept, ignore
        )
    assert names_in(tmp_path) == []


def test_files_that_are_gone_are_told(tmp_path, archive):
    root = tmp_path / "houses"
    fill_folder(root, archive, None, accept, ignore)
    (root / "Houses-dataset-master" / "Houses Dataset" / "502_frontal.jpg").unlink()
    with pytest.raises(UserError, match=r"lacks 1 of the 10 files that SHA256SUMS .*502_frontal"):
        fill_folder(root, archive, None, accept, ignore)


def test_another_archive_than_is_wanted_is_not_kept(tmp_path, archive):
    """Nor a download; the next one is taken."""

    def check(folder: Path) -> None:
        assert len(list(folder.rglob("*.jpg"))) == 8
        raise UserError("holds no castle")

    root = tmp_path / "raw" / "castles"
    told = r"data\.archive=.*houses\.zip: holds no castle; nothing was kept"
    with pytest.raises(UserError, match=told):
        fill_folder(root, archive, None, check, ignore)
    content = archive.read_bytes()
    with pytest.raises(UserError, match=r"the download for .*: holds no castle; nothing was kept"):
        fill_folder(root, None, lambda path, _: path.write_bytes(content), check, ignore)
    assert names_in(root.parent) == [".castles.lock"]
    fill_folder(root, archive, None, accept, ignore)
    assert len(list(root.rglob("*.jpg"))) == 8


@pytest.mark.parametrize("unreadable", ["houses.zip", "houses", "SHA256SUMS"])
def test_what_may_not_be_read_is_told(tmp_path, archive, monkeypatch, unreadable):
    root = tmp_path / "houses"
    fill_folder(root, archive, None, accept, ignore)

    def refuse(method):
        def ask(path, mode=None, **others):
            if path.name == unreadable:
                raise PermissionError(13, "Permission denied", str(path))
            return method(path, mode, **others) if mode else method(path)

        return ask

    for name in ("iterdir", "open", "is_file"):
        monkeypatch.setattr(Path, name, refuse(getattr(Path, name)))
    told = rf"{unreadable} cannot be read \(Permission denied\); let your account"
    with pytest.raises(UserError, match=told):
        fill_folder(root, archive, None, accept, ignore)


def test_a_damaged_list_of_checksums_is_told(tmp_path, archive):
    fill_folder(tmp_path / "houses", archive, None, accept, ignore)
    (tmp_path / "houses" / CHECKSUMS).write_bytes(b"\xff\n")
    with pytest.raises(UserError, match=rf"{CHECKSUMS} is damaged; delete the folder"):
        fill_folder(tmp_path / "houses", archive, None, accept, ignore)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_written_is_told(tmp_path, archive):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(UserError, match=r"cannot be written \(Permission denied\)"):
        fill_folder(tmp_path / "locked" / "houses", archive, None, accept, ignore)


def test_a_file_where_a_folder_should_be_is_told(tmp_path, archive):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"file/houses cannot be written \(.*\); see to .*/file"):
        fill_folder(tmp_path / "file" / "houses", archive, None, accept, ignore)


def test_a_full_disk_is_told(tmp_path, archive):
    def fetch(path, on_progress):
        with Path("/dev/full").open("wb", buffering=0) as full:
            full.write(b"x")

    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with pytest.raises(UserError, match="the disk is full; make room"):
        fill_folder(tmp_path / "houses", None, fetch, accept, ignore)


def test_who_waits_says_so_and_finds_the_folder_filled(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "_POLL_SECONDS", 0.01)
    root = tmp_path / "houses"
    waits = threading.Event()
    lock = FileLock(tmp_path / ".houses.lock")
    lock.acquire()

    def on_progress(done: int, total: int) -> None:
        assert (done, total) == (0, 0)
        waits.set()

    waiting = threading.Thread(
        target=fill_folder, args=(root, None, pytest.fail, accept, on_progress)
    )
    waiting.start()
    assert waits.wait(20)
    root.mkdir()
    (root / "1_kitchen.jpg").touch()  # as another process would
    lock.release()
    waiting.join()
    assert names_in(root) == ["1_kitchen.jpg"]


KILLED = """
import os, signal, sys
from pathlib import Path
from seentwice.data.fetching.first_use import fill_folder

def on_progress(done, total):
    if done == 4:
        os.kill(os.getpid(), signal.SIGKILL)

fill_folder(Path(sys.argv[1]), Path(sys.argv[2]), None, lambda folder: None, on_progress)
"""


def test_a_process_that_is_killed_leaves_no_folder_that_reads_as_whole(tmp_path, archive):
    root = tmp_path / "raw" / "houses"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(root), str(archive)])
    assert killed.returncode == -signal.SIGKILL
    assert names_in(root.parent) == [".houses.lock", ".houses.partial"]
    assert len(list((root.parent / ".houses.partial").rglob("*.jpg"))) > 0
    fill_folder(root, archive, None, accept, ignore)
    assert names_in(root.parent) == [".houses.lock", "houses"]
    assert len(list(root.rglob("*.jpg"))) == 8


FILLS = """
import sys
from functools import partial
from pathlib import Path
from urllib.request import urlopen
from seentwice.data.fetching.archive_download import download_file
from seentwice.data.fetching.first_use import fill_folder

def on_progress(done, total):
    if total == 0:
        urlopen(sys.argv[2] + "/waiting").close()

fetch = partial(download_file, sys.argv[2] + "/houses.zip")
fill_folder(Path(sys.argv[1]), None, fetch, lambda folder: None, on_progress)
"""


def test_of_two_processes_one_downloads(tmp_path, site, houses_zip):
    """The first gets no answer before the second has said that it waits."""
    waits = threading.Event()
    site.serve("/houses.zip", houses_zip, released=waits)
    site.serve("/waiting", releases=waits)
    command = [sys.executable, "-c", FILLS, str(tmp_path / "houses"), site.url]
    both = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert site.asked.count("/houses.zip") == 1
    assert site.asked.count("/waiting") > 0
    assert len(list((tmp_path / "houses").rglob("*.jpg"))) == 8

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seentwice.dedupe import walking
from seentwice.dedupe.walking import walk_files
from seentwice.records import Reason


@pytest.mark.parametrize("part", [1, 3, 4, 100])
def test_columns_tell_of_each_file_what_its_status_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr(walking, "_PART", part)
    (tmp_path / "folder").mkdir()
    for number, key in enumerate(("a.jpg", "folder/b.png", "folder/ü\n.gif", "z.tif")):
        (tmp_path / key).write_bytes(bytes(number))
    (tmp_path / "link.jpg").symlink_to("z.tif")
    (tmp_path / "broken.jpg").symlink_to("nothing")
    walked = walk_files(tmp_path)
    assert len(walked) == 5
    found = {}
    for index in range(5):
        key = walked.key(index)
        status = (tmp_path / key).stat()
        found[key] = bool(walked.is_link[index])
        assert walked.size_bytes[index] == status.st_size
        assert walked.modified_ns[index] == status.st_mtime_ns
        assert walked.inode[index] == status.st_ino
        assert walked.device[index] == status.st_dev
    keys = {"a.jpg", "folder/b.png", "folder/ü\n.gif", "z.tif"}
    assert found == {**dict.fromkeys(keys, False), "link.jpg": True}
    assert [(p.path.name, p.reason) for p in walked.unreadable] == [("broken.jpg", Reason.MISSING)]


def test_an_empty_folder_has_no_files(tmp_path: Path) -> None:
    walked = walk_files(tmp_path)
    assert len(walked) == 0
    assert walked.size_bytes.shape == (0,)


@given(name=st.binary(min_size=1, max_size=60))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_name_of_any_bytes_comes_back(tmp_path: Path, name: bytes) -> None:
    safe = b"x" + name.replace(b"/", b"-").replace(b"\0", b"0") + b".jpg"
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + safe))
    path.touch()
    walked = walk_files(tmp_path)
    assert [os.fsencode(walked.key(index)) for index in range(len(walked))] == [safe]
    path.unlink()


def test_a_folder_that_may_not_be_entered_is_listed_and_the_rest_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("a/1.jpg", "closed/2.jpg", "z/3.jpg"):
        (tmp_path / key).parent.mkdir()
        (tmp_path / key).touch()
    real = os.scandir

    def refuse(path: str) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    walked = walk_files(tmp_path)
    assert {walked.key(index) for index in range(len(walked))} == {"a/1.jpg", "z/3.jpg"}
    assert [(p.path.name, p.reason, p.detail) for p in walked.unreadable] == [
        ("closed", Reason.NO_PERMISSION, "Permission denied")
    ]


def test_a_folder_that_goes_while_it_is_listed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("a/1.jpg", "going/2.jpg"):
        (tmp_path / key).parent.mkdir()
        (tmp_path / key).touch()
    real = os.scandir

    def remove(path: str) -> object:
        if Path(path).name == "going":
            (tmp_path / "going" / "2.jpg").unlink()
            (tmp_path / "going").rmdir()
        return real(path)

    monkeypatch.setattr(os, "scandir", remove)
    walked = walk_files(tmp_path)
    assert [walked.key(index) for index in range(len(walked))] == ["a/1.jpg"]
    assert [(p.path.name, p.reason) for p in walked.unreadable] == [("going", Reason.MISSING)]

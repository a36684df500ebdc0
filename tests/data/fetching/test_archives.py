import hashlib
import io
import os
import shutil
import stat
import subprocess
from contextlib import suppress
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile, ZipInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seentwice.data.fetching import archives
from seentwice.data.fetching.archives import (
    ARCHIVE_CHECKSUM,
    CHECKSUMS,
    extract_archive,
    is_from,
    list_missing,
)
from seentwice.errors import UserError

FILES = {"a/1.jpg": b"one", "a/b/2.jpg": b"", "é 3.jpg": bytes(3_000_000)}


def write_zip(path: Path, entries: dict[str | ZipInfo, bytes]) -> Path:
    with ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def accept(folder: Path) -> None:
    """Take whatever was unpacked."""


def extract(archive: Path, folder: Path) -> list[tuple[int, int]]:
    steps: list[tuple[int, int]] = []
    extract_archive(
        archive, folder, "the zip", accept, lambda done, total: steps.append((done, total))
    )
    return steps


def read_tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def expect_refusal(archive: Path, folder: Path, complaint: str) -> None:
    """Nothing may have been written: not beside the folder either."""
    before = read_tree(folder.parent)
    with pytest.raises(UserError, match=complaint) as raised:
        extract(archive, folder)
    assert str(raised.value).startswith("the zip: ")
    assert "\n" not in str(raised.value)
    assert read_tree(folder.parent) == before
    assert not folder.exists()


def test_files_come_out_with_their_checksums(tmp_path):
    archive = write_zip(tmp_path / "a.zip", {"a/": b"", **FILES, "empty/": b""})
    folder = tmp_path / "photos"
    assert extract(archive, folder) == [(1, 3), (2, 3), (3, 3)]
    found = read_tree(folder)
    sums = found.pop(CHECKSUMS).decode()
    checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert found.pop(ARCHIVE_CHECKSUM).decode() == f"{checksum}\n"
    assert found == FILES
    assert sums == "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in FILES.items()
    )
    assert list_missing(folder) == ([], 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "photos"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o777 & ~umask


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs the program sha256sum")
def test_sha256sum_reads_the_checksums(tmp_path):
    extract(write_zip(tmp_path / "a.zip", FILES), tmp_path / "photos")
    command = ["sha256sum", "--check", "--strict", "--quiet", CHECKSUMS]
    assert subprocess.run(command, cwd=tmp_path / "photos").returncode == 0
    (tmp_path / "photos" / "a" / "1.jpg").write_bytes(b"two")
    assert subprocess.run(command, cwd=tmp_path / "photos", capture_output=True).returncode == 1


def test_an_empty_folder_and_what_a_crash_left_are_replaced(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / ".photos.partial" / "a").mkdir(parents=True)
    (tmp_path / ".photos.partial" / "a" / "1.jpg").write_bytes(b"half")
    extract(write_zip(tmp_path / "a.zip", FILES), tmp_path / "photos")
    assert read_tree(tmp_path / "photos").keys() == {*FILES, CHECKSUMS, ARCHIVE_CHECKSUM}
    assert not (tmp_path / ".photos.partial").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "mine.jpg").write_bytes(b"mine")
    with pytest.raises(OSError, match="not empty"):
        extract(write_zip(tmp_path / "a.zip", FILES), tmp_path / "photos")
    assert read_tree(tmp_path / "photos") == {"mine.jpg": b"mine"}
    assert not (tmp_path / ".photos.partial").exists()


@pytest.mark.parametrize(
    "name",
    [
        *("/etc/x.jpg", "//host/share/x.jpg", "../x.jpg", "a/../../x.jpg", "a/..", ".."),
        *("a/./x.jpg", ".", "a//x.jpg", "C:/x.jpg", "c:x.jpg"),
    ],
)
def test_a_path_that_leaves_the_folder_is_refused(tmp_path, name):
    archive = write_zip(tmp_path / "a.zip", {**FILES, name: b"x"})
    expect_refusal(archive, tmp_path / "photos", "leaves the folder; nothing was unpacked")


@pytest.mark.parametrize("char", ["\\", "\0", "\n", "\x1b", "\x7f"])
def test_a_name_that_systems_read_in_several_ways_is_refused(tmp_path, char):
    archive = write_zip(tmp_path / "a.zip", {"a/..@evil.jpg": b"x"})
    archive.write_bytes(archive.read_bytes().replace(b"@", char.encode()))
    expect_refusal(archive, tmp_path / "photos", "a backslash or a control character")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path, kind):
    entry = ZipInfo("a/link.jpg")
    entry.external_attr = (kind | 0o777) << 16
    archive = write_zip(tmp_path / "a.zip", {entry: b"/etc/passwd"})
    expect_refusal(archive, tmp_path / "photos", r"'a/link\.jpg' is a link or a device")


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (("a/x.jpg", "A/X.JPG"), "'A/X.JPG' has the name of another"),
        (("caf\u00e9.jpg", "cafe\u0301.jpg"), "has the name of another"),
        (("STRASSE.jpg", "stra\u00dfe.jpg"), "has the name of another"),
        (("sha256sums",), "'sha256sums' has the name of another"),
        (("a", "a/x.jpg"), "'a' is a file and a folder"),
        (("A/x.jpg", "a"), "'a' is a file and a folder"),
        (("a/b/", "a/B"), "'a/b' is a file and a folder"),
    ],
)
def test_names_that_are_one_on_some_file_system_are_refused(tmp_path, names, complaint):
    archive = write_zip(tmp_path / "a.zip", dict.fromkeys(names, b""))
    expect_refusal(archive, tmp_path / "photos", complaint)


def test_one_name_twice_is_refused(tmp_path):
    with ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.jpg", b"one")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.jpg", b"two")
    expect_refusal(tmp_path / "a.zip", tmp_path / "photos", "has the name of another")


def test_the_same_name_in_folders_that_differ_is_two_files(tmp_path):
    files = {"a/x.jpg": b"one", "b/x.jpg": b"two", "x.jpg": b"three"}
    extract(write_zip(tmp_path / "a.zip", files), tmp_path / "photos")
    assert read_tree(tmp_path / "photos").items() >= files.items()


def test_encrypted_and_oddly_packed_entries_are_refused(tmp_path):
    archive = write_zip(tmp_path / "a.zip", {"x.jpg": b"x"})
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flags in the directory
    (tmp_path / "locked.zip").write_bytes(data)
    expect_refusal(tmp_path / "locked.zip", tmp_path / "photos", "is encrypted")
    with ZipFile(tmp_path / "bzip2.zip", "w", ZIP_BZIP2) as packed:
        packed.writestr("x.jpg", b"x")
    expect_refusal(tmp_path / "bzip2.zip", tmp_path / "photos", "packed in a way that is not read")


def test_bombs_are_refused_by_what_they_say(tmp_path, monkeypatch):
    with ZipFile(tmp_path / "bomb.zip", "w", ZIP_DEFLATED) as archive:
        archive.writestr("x.jpg", bytes(5_000_000))
    expect_refusal(tmp_path / "bomb.zip", tmp_path / "photos", "would unpack .* to 5,000,000")
    monkeypatch.setattr(archives, "MAX_BYTES", 3_000_002)
    archive = write_zip(tmp_path / "a.zip", FILES)
    expect_refusal(archive, tmp_path / "photos", "to 3,000,003, more .* 3,000,002")
    monkeypatch.setattr(archives, "MAX_ENTRIES", 2)
    expect_refusal(archive, tmp_path / "photos", "3 entries, more than 2")


def test_a_bomb_that_says_too_little_is_cut_off_there(tmp_path):
    with ZipFile(tmp_path / "a.zip", "w", ZIP_DEFLATED) as archive:
        archive.writestr("x.jpg", bytes(5_000_000))
    data = bytearray((tmp_path / "a.zip").read_bytes())
    size_at = data.index(b"PK\x01\x02") + 24
    data[size_at : size_at + 4] = (10).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(data)
    expect_refusal(tmp_path / "a.zip", tmp_path / "photos", "not a whole zip .*CRC")


def damaged(how: str, data: bytes) -> bytes:
    match how:
        case "cut":
            return data[:-30]
        case "cut early":
            return data[: len(data) // 2]
        case "no zip":
            return b"<html>Sign in to go on</html>"
        case "empty":
            return b""
        case "other content":
            return data.replace(b"one", b"two", 1)
    raise ValueError(how)


@pytest.mark.parametrize("how", ["cut", "cut early", "no zip", "empty", "other content"])
def test_what_is_no_whole_zip_is_refused(tmp_path, how):
    archive = write_zip(tmp_path / "a.zip", FILES)
    archive.write_bytes(damaged(how, archive.read_bytes()))
    expect_refusal(archive, tmp_path / "photos", r"not a whole zip \(.*\); fetch it again")


@settings(deadline=None)  # a disk may be slow
@given(st.data())
def test_bytes_that_were_changed_give_the_files_or_one_line(tmp_path_factory, data):
    """Never another exception, and never other content."""
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        archive.writestr("a/1.jpg", b"one" * 20)
        archive.writestr("2.jpg", b"two")
    changed = bytearray(packed.getvalue())
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    root = tmp_path_factory.mktemp("changed")
    (root / "a.zip").write_bytes(changed)
    with suppress(UserError):
        extract(root / "a.zip", root / "photos")
        found = read_tree(root / "photos")
        del found[CHECKSUMS], found[ARCHIVE_CHECKSUM]
        assert {b"one" * 20, b"two"} >= set(found.values())
    assert not (root / ".photos.partial").exists()


def test_ctrl_c_leaves_nothing(tmp_path):
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    archive = write_zip(tmp_path / "a.zip", FILES)
    with pytest.raises(KeyboardInterrupt):
        extract_archive(archive, tmp_path / "photos", "the zip", accept, stop)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_files_that_are_gone_are_listed(tmp_path):
    extract(write_zip(tmp_path / "a.zip", FILES), tmp_path / "photos")
    (tmp_path / "photos" / "é 3.jpg").unlink()
    assert list_missing(tmp_path / "photos") == (["é 3.jpg"], 3)
    assert list_missing(tmp_path) == ([], 0)


def test_line_ends_of_unicode_in_names_end_no_line(tmp_path):
    names = ["a\u2028b.jpg", "a\u0085b.jpg", "a\u2029b.jpg"]
    extract(write_zip(tmp_path / "a.zip", dict.fromkeys(names, b"x")), tmp_path / "photos")
    assert list_missing(tmp_path / "photos") == ([], 3)
    (tmp_path / "photos" / names[0]).unlink()
    assert list_missing(tmp_path / "photos") == ([names[0]], 3)


def test_names_may_begin_at_the_top_of_the_archive(tmp_path):
    entries = {"./": b"", "./a/": b"", **{f"./{name}": data for name, data in FILES.items()}}
    extract(write_zip(tmp_path / "a.zip", entries), tmp_path / "photos")
    found = read_tree(tmp_path / "photos")
    assert {name: found[name] for name in FILES} == FILES
    assert list_missing(tmp_path / "photos") == ([], 3)
    for name in (".//x.jpg", "./../x.jpg", "././x.jpg"):
        archive = write_zip(tmp_path / "b.zip", {name: b"x"})
        expect_refusal(archive, tmp_path / "other", "leaves the folder; nothing was unpacked")
    archive = write_zip(tmp_path / "b.zip", {"./a.jpg": b"x", "a.jpg": b"y"})
    expect_refusal(archive, tmp_path / "other", "has the name of another")


def test_the_zip_of_a_folder_that_was_filled_fills_another(tmp_path):
    extract(write_zip(tmp_path / "a.zip", FILES), tmp_path / "photos")
    inside = read_tree(tmp_path / "photos") | {CHECKSUMS: b"of another day"}
    archive = write_zip(tmp_path / "again.zip", inside)
    assert extract(archive, tmp_path / "again")[-1] == (3, 3)
    found = read_tree(tmp_path / "again")
    assert found[CHECKSUMS] == (tmp_path / "photos" / CHECKSUMS).read_bytes()
    assert is_from(tmp_path / "again", archive)
    assert not is_from(tmp_path / "again", tmp_path / "a.zip")
    archive = write_zip(tmp_path / "b.zip", {CHECKSUMS.lower(): b"x"})
    expect_refusal(archive, tmp_path / "other", "has the name of another")

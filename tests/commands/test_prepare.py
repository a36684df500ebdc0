import csv
from pathlib import Path

import pytest

from seentwice.commands.main import main


def test_photos_are_counted_and_what_gives_none_is_listed(
    few_rooms: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "photos"
    (root / "kitchen").mkdir(parents=True)
    good = next(few_rooms.rglob("*.jpg")).read_bytes()
    (root / "kitchen" / "rome_1_1.jpg").write_bytes(good)
    (root / "kitchen" / "rome_1_2.jpg").write_bytes(good)
    (root / "kitchen" / "rome_2_\x1b[31m.jpg").write_bytes(b"")
    (root / "kitchen" / "rome_3_[red].jpg").write_text("no photo")
    assert main(["prepare", "data=folder", f"data.root={root}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "photos: 2 photos of 1 place, 1 pair of one place" in lines
    assert "  kitchen: 2" in lines
    assert any(r"rome_2_\x1b[31m.jpg: empty" in line for line in lines)
    assert any("rome_3_[red].jpg: not an image" in line for line in lines)


def test_of_many_files_that_give_no_photo_the_first_are_listed_and_a_table_has_all(
    few_rooms: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos" / "kitchen"
    folder.mkdir(parents=True)
    (folder / "a_1_1.jpg").write_bytes(next(few_rooms.rglob("*.jpg")).read_bytes())
    for number in range(23):
        (folder / f"b_{number:02}_1.jpg").touch()
    assert main(["prepare", "data=folder", "data.root=photos"]) == 0
    lines = capsys.readouterr().out.splitlines()
    listed = [line for line in lines if line.startswith("  no photo: ")]
    assert len(listed) == 20
    (table,) = tmp_path.glob("outputs/prepare/*/unreadable.csv")
    assert f"  and 3 more, in {table}" in lines
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [
        f"photos/kitchen/b_{number:02}_1.jpg" for number in range(23)
    ]
    assert {(row["reason"], row["detail"]) for row in rows} == {("empty", "0 bytes")}


def test_a_name_that_is_not_utf_8_is_shown_escaped(
    few_rooms: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos" / "kitchen"
    folder.mkdir(parents=True)
    (folder / "a_1_1.jpg").write_bytes(next(few_rooms.rglob("*.jpg")).read_bytes())
    (folder / "caf\udce9_1_1.jpg").write_bytes(b"\x00")
    assert main(["prepare", "data=folder", "data.root=photos"]) == 0
    out = capsys.readouterr().out
    out.encode("utf-8")
    assert r"caf\udce9_1_1.jpg" in out


def test_edited_copies_are_named(
    few_rooms: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["prepare", "data=folder", f"data.root={few_rooms}", "edits=mls"]) == 0
    assert "of every photo an edited copy: watermark/logo, crop, rotate" in capsys.readouterr().out


def test_photos_without_a_second_one_of_their_place_are_said_to_teach_nothing(
    few_rooms: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos" / "kitchen"
    folder.mkdir(parents=True)
    for number, photo in enumerate(list(few_rooms.rglob("*.jpg"))[:3]):
        (folder / f"a_{number}_1.jpg").write_bytes(photo.read_bytes())
    assert main(["prepare", "data=folder", "data.root=photos"]) == 0
    assert "No place has two photos" in capsys.readouterr().out
    assert main(["prepare", "data=folder", "data.root=photos", "edits=mls"]) == 0
    assert "No place has two photos" not in capsys.readouterr().out


def test_what_is_known_of_homes_and_room_types_is_said(
    few_rooms: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    good = next(few_rooms.rglob("*.jpg")).read_bytes()
    (tmp_path / "photos" / "kitchen").mkdir(parents=True)
    for name in ("kitchen/home1_1_1.jpg", "home1_2_1.jpg"):
        (tmp_path / "photos" / name).write_bytes(good)
    assert main(["prepare", "data=folder", "data.root=photos"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {"  kitchen: 1", "  no room type: 1"} < set(lines)
    (line,) = [line for line in lines if line.startswith("No home is known, so places are split")]
    assert "; data.homes=name takes it from the first part of the name" in line
    assert main(["prepare", "data=folder", "data.root=photos", "data.homes=name"]) == 0
    out = capsys.readouterr().out
    assert "home is known" not in out
    assert "photos: 2 photos of 2 places, 0 pairs of one place\n  1 home\n" in out
    assert main(["prepare", "data=folder", "data.root=photos", "data.homes=names"]) == 2
    assert "data.homes='names': Input should be 'manifest' or" in capsys.readouterr().err
    assert main(["prepare", "data=airbnb", "data.root=photos"]) == 0
    assert "0 training photos, where the set on Kaggle has 631" in capsys.readouterr().out

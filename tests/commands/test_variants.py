import csv
import hashlib
import json
import shlex
import shutil
from pathlib import Path

import pytest

from seentwice.commands import unreadable, variants
from seentwice.commands.main import main
from seentwice.data.folder import read_folder
from seentwice.data.variants.write import write_photo
from seentwice.edits import STRENGTHS, parse_edit


@pytest.fixture
def photos(few_rooms: Path, tmp_path: Path) -> Path:
    """A folder of five photos, a file of the same bytes as one, and a file that is no photo."""
    root = tmp_path / "photos"
    for folder in ("Training Data/kitchen", "Test Data/bedroom"):
        (root / folder).mkdir(parents=True)
    files = sorted(few_rooms.rglob("*.jpg"))[:5]
    for number, file in enumerate(files):
        folder = "Test Data/bedroom" if number == 4 else "Training Data/kitchen"
        shutil.copy(file, root / folder / f"Küche {number}.JPG")
    shutil.copy(files[0], root / "Training Data/kitchen/again.jpg")
    (root / "Training Data/kitchen/torn_\x1b[31m.jpg").write_bytes(b"GIF")
    return root


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def run(photos: Path, out: Path, *options: str) -> int:
    return main(["variants", str(photos), str(out), "--workers", "1", *options])


def test_photos_copies_and_pairs_are_written(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(photos, out) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    lines = shown.out.splitlines()
    assert f"5 photos, 15 edited copies in {out}" in lines
    assert "pairs.csv: 60 rows, 30 of them duplicates" in lines
    assert lines[-1] == f"Next: seentwice compare data=folder data.root={out}"
    assert any(r"torn_\x1b[31m.jpg: not an image" in line for line in lines)
    assert any("1 files left out, whose bytes came before" in line for line in lines)

    files = read_table(out / "variants.csv")
    assert len(files) == 20
    assert all((out / row["file"]).is_file() for row in files)
    assert {row["photo"] for row in files if not row["edit"]} == {
        "Test Data/bedroom/Küche 4.JPG",
        *(f"Training Data/kitchen/Küche {number}.JPG" for number in (1, 2, 3)),
        "Training Data/kitchen/Küche 0.JPG",
    }
    edit_of = {row["file"]: row["edit"] for row in files}
    photo_of = {row["file"]: row["photo"] for row in files}
    for edit in edit_of.values():
        assert not edit or str(parse_edit(edit)) == edit

    pairs = read_table(out / "pairs.csv")
    assert len({frozenset((row["left"], row["right"])) for row in pairs}) == len(pairs) == 60
    for row in pairs:
        left, right = row["left"], row["right"]
        assert (row["left_edit"], row["right_edit"]) == (edit_of[left], edit_of[right])
        assert (row["duplicate"] == "1") == (photo_of[left] == photo_of[right])
    assert [row["reason"] for row in read_table(out / "unreadable.csv")] == ["not an image"]
    assert read_table(out / "same_bytes.csv") == [
        {
            "file": "Training Data/kitchen/again.jpg",
            "same_as": "Training Data/kitchen/Küche 0.JPG",
        }
    ]


def test_the_first_files_that_give_no_photo_are_shown_and_the_table_has_all(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(unreadable, "MOST_LISTED", 3)
    for number in range(4):
        (photos / f"torn {number}.jpg").write_bytes(b"GIF" * (number + 2))
        (photos / f"gone {number}.jpg").symlink_to("nowhere")
    assert run(photos, tmp_path / "out", "--edit", "hflip") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "gone" in line] == [
        line for line in lines if ": missing" in line
    ]
    assert f"  and 6 more, in {tmp_path / 'out' / 'unreadable.csv'}" in lines
    assert len(read_table(tmp_path / "out" / "unreadable.csv")) == 9


def test_a_photo_that_changed_is_copied_again(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    photo = photos / "Test Data/bedroom/Küche 4.JPG"
    pixels = photo.read_bytes()
    photo.write_bytes(pixels + b"1")
    assert run(photos, out) == 0
    photo.write_bytes(pixels + b"2")  # of the same length
    assert run(photos, out) == 0
    rows = read_table(out / "variants.csv")
    (row,) = (row for row in rows if row["photo"].endswith("4.JPG") and not row["edit"])
    assert row["sha256"] == hashlib.sha256(photo.read_bytes()).hexdigest()


def test_what_is_written_is_a_data_set_of_places(photos: Path, tmp_path: Path) -> None:
    assert run(photos, tmp_path / "out") == 0
    found = read_folder(tmp_path / "out").photos
    assert len(found) == 20
    assert len({photo.place for photo in found}) == 5
    assert [photo.split for photo in found].count("test") == 4
    assert {photo.room_type for photo in found} == {"kitchen", "bedroom"}
    assert main(["prepare", "data=folder", f"data.root={tmp_path / 'out'}"]) == 0


def test_places_that_names_tell_are_told_of_and_used_where_asked_for(
    few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    (photos,) = (path for path in few_rooms.rglob("bedroom") if "Training" in str(path))
    count = len(list(photos.iterdir()))
    hint = "--places, or two photos of one place get the flag 0"
    assert run(photos, out, "--edit", "hflip") == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if hint in line)
    assert f"tell {count // 3} places of {count} photos" in line
    before = {path: path.read_bytes() for path in out.rglob("*.jpg")}

    for pairs, others in (("balanced", count), ("all", 4 * (count * (count - 3) // 2))):
        words = ["--places", "--edit", "hflip", "--pairs", pairs]
        assert run(photos, out, *words) == 0
        shown = capsys.readouterr().out
        assert hint not in shown
        assert f"{count} photos show {count // 3} places" in shown
        assert f"pairs.csv: {count + others:,} rows, {count:,} of them duplicates" in shown
        rows = read_table(out / "pairs.csv")
        assert [row["duplicate"] for row in rows].count("0") == others == len(rows) - count
        zone_of = {row["file"]: row["zone_id"] for row in read_table(out / "manifest.csv")}
        photo_of = {row["file"]: row["photo"] for row in read_table(out / "variants.csv")}
        for row in rows:
            left, right = row["left"], row["right"]
            assert (row["duplicate"] == "1") == (zone_of[left] == zone_of[right])
            assert (row["duplicate"] == "1") == (photo_of[left] == photo_of[right])
    assert {path: path.read_bytes() for path in out.rglob("*.jpg")} == before


def test_homes_that_names_tell_are_written_where_asked_for(
    few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    (photos / "kitchen").mkdir(parents=True)
    for number, file in enumerate(sorted(few_rooms.rglob("*.jpg"))[:12]):
        home, room, shot = number // 4, number // 2 % 2, number % 2
        shutil.copy(file, photos / "kitchen" / f"h{home}_r{room}_{shot}.jpg")
    assert run(photos, out, "--places", "--edit", "hflip") == 0
    assert "no home is known; where the first part of their names is one" in capsys.readouterr().out
    compare = ["compare", "data=folder", f"data.root={out}", "head=[]", "baselines=[average]"]
    compare += ["bootstrap_resamples=9", "workers=1", f"hydra.run.dir={tmp_path / 'run'}"]
    assert main([*compare, "data.homes=name"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "begin with the photo of which they are variants" in line
    assert line.endswith("the same variants command with --places --homes name writes it down")

    assert run(photos, out, "--places", "--homes", "name", "--edit", "hflip") == 0
    assert "no home is known" not in capsys.readouterr().out
    assert main(compare) == 0
    assert "No home is known" not in capsys.readouterr().out
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert (results["properties"], results["cluster"]) == (3, "property")


def test_a_run_that_is_stopped_leaves_the_manifest(
    few_rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(job, keys, workers):
        for key in keys[:2]:
            yield key, write_photo(job, key)
        raise KeyboardInterrupt

    out, whole = tmp_path / "out", tmp_path / "whole"
    with monkeypatch.context() as patch:
        patch.setattr(variants, "write_all", stop)
        assert run(few_rooms, out, "--places", "--edit", "hflip") == 130
    assert len(read_folder(out).photos) == 4
    assert all(photo.zone for photo in read_folder(out).photos)
    for folder in (out, whole):
        assert run(few_rooms, folder, "--places", "--edit", "hflip") == 0
    for name in ("pairs.csv", "manifest.csv", "variants.csv"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()


def test_names_that_tell_no_place_or_each_its_own_need_no_word(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, photo in enumerate(sorted((photos / "Training Data/kitchen").glob("K*"))):
        photo.rename(photo.with_name(f"IMG_{number}.jpg"))
    assert run(photos, tmp_path / "out", "--edit", "hflip") == 0
    assert "--places" not in capsys.readouterr().out


def test_a_second_run_makes_the_same_of_what_is_missing(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(photos, out, "--edit", "crop", "--edit", "rotate:7|jpeg:60", "--format", "png") == 0
    before = {path: path.read_bytes() for path in out.rglob("*.*") if path.is_file()}
    for path in list(before)[::3]:
        if path.name != "variants.json":
            path.unlink()
    assert run(photos, out, "--edit", "crop", "--edit", "rotate:7|jpeg:60", "--format", "png") == 0
    assert {path: path.read_bytes() for path in out.rglob("*.*") if path.is_file()} == before
    assert "what is there stays, what is missing is made" in capsys.readouterr().out


def test_all_pairs_are_every_pair(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(photos, out, "--pairs", "all", "--edit", "hflip") == 0
    pairs = read_table(out / "pairs.csv")
    assert len({frozenset((row["left"], row["right"])) for row in pairs}) == len(pairs) == 45
    assert sum(row["duplicate"] == "1" for row in pairs) == 5


@pytest.mark.parametrize(
    ("pairs", "rows", "way_out"),
    [("all", 66, "choose --pairs balanced"), ("balanced", 12, "name fewer edits")],
)
def test_too_many_pairs_are_refused_before_anything_is_written(
    pairs: str,
    rows: int,
    way_out: str,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(variants, "MOST_ROWS", rows - 1)
    out = tmp_path / "out"
    words = ["--pairs", pairs, "--edit", "hflip"]
    assert run(photos, out, *words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"are {rows} rows, more than {rows - 1}; {way_out}, or add --yes" in line
    assert not out.exists()
    assert run(photos, out, *words, "--yes") == 0


@pytest.mark.parametrize("strength", sorted(STRENGTHS))
def test_every_strength_is_written(photos: Path, tmp_path: Path, strength: str) -> None:
    assert run(photos, tmp_path / "out", "--strength", strength) == 0
    rows = read_table(tmp_path / "out" / "variants.csv")
    assert len(rows) == 5 * (1 + len(STRENGTHS[strength]))


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("P", "the following arguments are required: OUT"),
        ("nowhere O", "'nowhere': no such folder"),
        ("P P", "lies in the photos' folder"),
        ("P P/deep/out", "lies in the photos' folder"),
        ("P O --edit smear", "'smear' is no edit; choose from watermark"),
        ("P O --edit rotate:500", "degrees lies in -180 to 180"),
        ("P O --edit crop --edit hflip --edit crop", "'crop' stands there twice"),
        ("P O --edit crop --strength web", "not allowed with argument"),
        ("P O --strength weak", "invalid choice: 'weak' (choose from"),
        ("P O --seed -1", "'-1': give a whole number, 0 to 2,147,483,647"),
        ("P O --workers 0", "'0': give a whole number, 1 or more"),
        ("P O --max-pixels many", "'many': give a whole number, 1 or more"),
        ("P O --max-pixels 10", "none of 6 photos could be read"),
        ("P full", "'full' holds something other than variants"),
        ("P made/deep", "lies in '{}/made', which holds other variants"),
        ("P full/letter.txt/out", "'full/letter.txt/out': Not a directory; see to it, and the"),
        ("P O --edits crop", "--edits: no such argument; give --edit; see"),
        ("P O --edit", "expected one argument"),
        ("P O --edit web --edit jpeg", "web holds 'jpeg' already; leave 'jpeg' out"),
        ("P O --edit web --edit web", "'web' stands there twice"),
        ("P O strength=mls", "strength=mls: no such argument; give --strength mls; see"),
        ("strength=mls", "strength=mls: no such argument; give --strength mls; see"),
        ("P O places=true", "places=true: no such argument; give --places; see"),
        ("P O --homes name", "--homes name: homes are kept together by their places; add --places"),
        ("P O --places", "tell no place ('Test Data/bedroom/"),
        ("P made", "made/manifest.csv' tells places, which pairs.csv would not know; add --places"),
        ("void O", "'void' holds no photo that is read; give a folder that holds files of .jpg"),
    ],
)
def test_a_mistake_gives_one_line_and_exit_code_2(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: str,
    complaint: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("")
    (tmp_path / "void").mkdir()
    assert run(photos, tmp_path / "made") == 0
    (tmp_path / "made" / "manifest.csv").write_text("file\n")
    capsys.readouterr()
    names = {"P": "photos", "O": "out", "P/deep/out": "photos/deep/out"}
    extra = ["--workers", "1"] if "--workers" not in words else []
    assert main(["variants", *(names.get(word, word) for word in words.split()), *extra]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint.format(tmp_path) in line


def test_a_full_disk_is_one_line_and_ctrl_c_says_how_to_go_on(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for error, code, complaint in (
        (OSError(28, "No space left on device"), 2, "No space left on device"),
        (KeyboardInterrupt(), 130, "stopped; the same command goes on where it stopped"),
        (
            OSError(28, "No space left", "o/a.jpg"),
            2,
            "out (No space left); make room there and try again; the same",
        ),
    ):

        def fail(job, keys, workers, error=error):
            raise error
            yield

        with monkeypatch.context() as patch:
            patch.setattr(variants, "write_all", fail)
            assert run(photos, tmp_path / "out") == code
        (line,) = capsys.readouterr().err.splitlines()
        assert complaint in line
        assert not (tmp_path / "out" / "variants.csv").exists()
    assert run(photos, tmp_path / "out") == 0


def test_names_that_are_no_utf_8_are_written_safely_and_escaped_in_tables(
    photos: Path, spare_rooms: Path, tmp_path: Path
) -> None:
    odd = photos / "Test Data" / "caf\udce9,\n.jpg"
    shutil.copy(next(spare_rooms.rglob("*.jpg")), odd)
    out = tmp_path / "out"
    assert run(photos, out, "--edit", "hflip") == 0
    rows = [row for row in read_table(out / "variants.csv") if "caf" in row["file"]]
    assert [row["photo"] for row in rows] == ["Test Data/caf\\udce9,\n.jpg"] * 2
    for row in rows:
        assert row["file"].startswith("Test Data/caf---_")
        assert (out / row["file"]).is_file()


def test_the_next_command_is_quoted_for_shell_and_hydra(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "my out"
    assert run(photos, out, "--edit", "hflip") == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert shlex.split(line)[-1] == f"data.root='{out}'"

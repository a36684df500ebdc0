import csv
import json
import shutil
from pathlib import Path

import jsonschema
import pytest
from PIL import Image

from seentwice.commands.dedupe import describe_coverage
from seentwice.commands.main import main
from seentwice.dedupe.findings import WHOLE, Coverage
from seentwice.dedupe.report.json_file import read_schema


@pytest.fixture
def photos(few_rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three photos, copies of the first in five ways, and a file that is no photo."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "photos"
    (root / "deep").mkdir(parents=True)
    files = sorted(few_rooms.rglob("*_1.jpg"))[:3]
    for number, file in enumerate(files):
        shutil.copy(file, root / f"{number}.jpg")
    shutil.copy(root / "0.jpg", root / "deep/bytes.jpg")
    with Image.open(root / "0.jpg") as first:
        first.save(root / "pixels.png")
        first.save(root / "saved again.jpg", quality=40)
        first.resize((first.width // 2, first.height // 2)).save(root / "small.jpg")
        first.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(root / "mirrored.jpg", quality=95)
    (root / "link.jpg").symlink_to("1.jpg")
    (root / "torn_\x1b[31m.jpg").write_bytes(b"GIF")
    return root


def run(*words: str | Path) -> int:
    return main(["dedupe", *map(str, words), "--workers", "1", "--out", "out"])


def read_groups() -> dict[str, object]:
    found = json.loads(Path("out/groups.json").read_text("utf-8"))
    jsonschema.validate(found, read_schema())
    return found


def list_evidence() -> dict[str, str]:
    (group,) = read_groups()["groups"]
    return {match["right"]: match["evidence"][0] for match in group["matches"]}


def test_copies_are_found_with_their_reasons(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(photos) == 1  # for the file that is no photo
    shown = capsys.readouterr()
    assert shown.err == ""
    # Of photos of one size the oldest file is kept.
    assert list_evidence() == {
        "deep/bytes.jpg": "same bytes",
        "mirrored.jpg": "near hashes once turned",
        "pixels.png": "same pixels",
        "saved again.jpg": "near hashes",
        "small.jpg": "near hashes",
    }
    lines = shown.out.splitlines()
    assert any(r"torn_\x1b[31m.jpg: not an image" in line for line in lines)
    assert any("1 link to files that are here under another name" in line for line in lines)
    assert "1 group of duplicates; 5 photos could go" in shown.out
    for name in ("report.html", "groups.csv", "unreadable.csv", "same_files.csv"):
        assert Path("out", name).is_file()
    assert len(list(photos.iterdir())) == 10


def test_a_second_run_reads_only_what_changed(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(photos)
    first = Path("out/groups.json").read_bytes()
    (photos / "2.jpg").unlink()
    shutil.copy(photos / "1.jpg", photos / "new.jpg")
    capsys.readouterr()
    run(photos)
    assert "of files 1 was read, " in capsys.readouterr().out
    assert Path("out/groups.json").read_bytes() != first
    run(photos)
    assert "of files 0 were read, 9 were known, 0 are gone" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--by", "bytes"), {"same bytes"}),
        (("--by", "bytes,pixels"), {"same bytes", "same pixels"}),
        (("--upright",), {"same bytes", "same pixels", "near hashes"}),
        (
            ("--full-decode",),
            {"same bytes", "same pixels", "near hashes", "near hashes once turned"},
        ),
    ],
    ids=["bytes", "pixels", "upright", "full"],
)
def test_what_counts_as_a_copy_can_be_chosen(
    photos: Path, options: tuple[str, ...], found: set[str]
) -> None:
    run(photos, *options)
    assert set(list_evidence().values()) == found


def test_duplicates_move_away_and_come_back(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()}
    move = ("--apply", "keep-largest", "--to", "away")
    assert run(photos, *move) == 1
    shown = capsys.readouterr().out
    assert "Nothing was moved yet: 5 photos would move to" in shown
    assert not Path("away").exists()
    assert run(photos, *move, "--yes") == 1
    assert "5 photos moved to" in capsys.readouterr().out
    assert len([path for path in photos.rglob("*.jpg") if path.is_file()]) < 8
    (undo,) = Path("away").glob("undo*.jsonl")
    assert main(["dedupe", "--undo", str(undo)]) == 0
    assert {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()} == before


def test_what_a_link_leads_to_stays(photos: Path) -> None:
    (photos / "second link.jpg").symlink_to("small.jpg")
    run(photos, "--apply", "keep-largest", "--to", "away", "--yes")
    assert (photos / "second link.jpg").exists()
    assert not (photos / "saved again.jpg").exists()


def test_products_of_one_family_or_of_two_categories_are_no_duplicates(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        ("a", "0.jpg", "bed", "", "ann"),
        ("b", "deep/bytes.jpg", "bed", "f", "ann"),
        ("c", "small.jpg", "bed", "f", "bob"),
        ("d", "mirrored.jpg", "sofa", "", "bob"),
        ("e", "1.jpg,gone.jpg", "bed", "", ""),
    ]
    with Path("products.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "photos", "category", "productFamily", "seller"))
        writer.writerows(rows)
    run(photos, "--catalogue", "products.csv")
    found = json.loads(Path("out/products.json").read_text("utf-8"))
    shown = {
        key: [(one["id"], one["relation"], one["photos"][0]["evidence"]) for one in duplicates]
        for key, duplicates in found.items()
    }
    assert shown == {
        "a": [("b", "same seller", ["same bytes"]), ("c", "other seller", ["near hashes"])],
        "b": [("a", "same seller", ["same bytes"])],
        "c": [("a", "other seller", ["near hashes"])],
        "d": [],
        "e": [],
    }
    shown_text = capsys.readouterr().out
    assert "5 products, 3 of them with duplicates (products.json): 2 pairs" in shown_text
    assert "1 photo of products is not among those that were read: 'e: gone.jpg'" in shown_text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "give the folder of the photos"),
        (("nowhere",), "no such folder"),
        (("photos", "--bits", "13"), "0 to 12"),
        (("photos", "--by", "eyes"), "choose some of bytes,pixels,hashes,embeddings"),
        (("photos", "--by", "bytes", "--bits", "3"), "--bits: --by bytes has no use for it"),
        (("photos", "--by", "bytes, pixels", "--least-score", "0.9"), "--by bytes,pixels has no"),
        (("photos", "--by", "pixels", "--upright"), "--upright: --by pixels has no use"),
        (("photos", "--by", "embeddings"), "add --detector CHECKPOINT"),
        (("photos", "--least-score", "2"), "above 0, up to 1"),
        (("photos", "--apply", "keep-largest"), "belong together"),
        (("photos", "--yes"), "add those"),
        (("photos", "--apply", "keep-oldest", "--to", "x", "--keep", "largest"), "differ"),
        (("photos", "--column", "id=a"), "add --catalogue FILE"),
        (("photos", "--catalogue", "nothing.csv"), "nothing.csv"),
        (("photos", "--catalogue", "t.csv", "--apply", "keep-largest", "--to", "x"), "leave"),
        (
            ("photos", "--index", "photos/index"),
            "--index photos/index: in the folder",
        ),
        (("photos", "--undo", "u.jsonl"), "leave PHOTOS out"),
        (("--undo", "u.jsonl"), "u.jsonl"),
        (("photos", "--keep", "best"), "largest"),
    ],
)
def test_wrong_words_are_told_in_a_line(
    photos: Path, words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dedupe", *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert error.startswith("seentwice dedupe: ")


def test_a_folder_without_photos_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty") == 2
    assert "holds no photo that is read" in capsys.readouterr().err


def test_two_indexes_are_not_taken_for_each_other(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    shutil.copytree(photos, other, symlinks=True)
    run(photos, "--index", "index")
    assert run(other, "--index", "index") == 2
    assert "index" in capsys.readouterr().err


def test_a_checkpoint_scores_and_keeps_its_embeddings(
    photos: Path, registered_training: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Image.open(photos / "0.jpg") as first:
        width, height = first.size
        first.crop((width // 8, height // 8, width, height)).save(photos / "cropped.jpg")
    assert run(photos, "--detector", registered_training) == 1
    assert "Embedding photos" in capsys.readouterr().out
    (group,) = read_groups()["groups"]
    assert all(match["similarity"] is not None for match in group["matches"])
    run(photos, "--detector", registered_training)
    assert "Embedding photos" not in capsys.readouterr().out


def test_a_detector_that_is_none_is_told(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.safetensors").write_bytes(b"no net")
    assert run(photos, "--detector", "net.safetensors") == 2
    assert "net.safetensors" in capsys.readouterr().err


def test_only_what_was_not_compared_is_told() -> None:
    assert list(describe_coverage(WHOLE)) == []
    (by_embedding,) = describe_coverage(Coverage(neighbour_recall=0.9916))
    assert "99.2 % of those of a sample" in by_embedding
    (by_tones,) = describe_coverage(Coverage(nearest_only=4_200))
    assert "4,200 pictures" in by_tones


def test_folders_of_results_that_cannot_be_are_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    Path("file").touch()
    cases = {
        (".",): "run from another folder, or give --out FOLDER --index FOLDER outside",
        (".", "--out", "../out"): "or give --index FOLDER outside",
        ("photos", "--index", "file"): "--index file: a file has the name of a folder there",
        ("photos", "--out", "file/out"): "--out file/out: a file has the name of a folder there",
    }
    if Path("/proc/self").is_dir():
        cases["photos", "--out", "/proc/x"] = "--out /proc/x: cannot be made"
        cases["photos", "--index", "/proc"] = "cannot be written"
    for words, told in cases.items():
        assert main(["dedupe", *words]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert told in error
        assert "[Errno" not in error

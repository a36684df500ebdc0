import base64
import json
import os
import shutil
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from PIL import Image

from seentwice.commands.main import main
from seentwice.dedupe import checking


@pytest.fixture
def photos(few_rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four photos of an index, and a blank one."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "photos"
    root.mkdir()
    for number, file in enumerate(sorted(few_rooms.rglob("*_1.jpg"))[:4]):
        shutil.copy(file, root / f"{number}.jpg")
    Image.new("RGB", (64, 48), "white").save(root / "blank.png")
    assert main(["dedupe", str(root), "--workers", "1"]) == 0
    return root


def read_line(text: str) -> dict[str, Any]:
    schema = resources.files("seentwice.dedupe") / "schema" / "check.schema.json"
    found: dict[str, Any] = json.loads(text)
    jsonschema.validate(found, json.loads(schema.read_text("utf-8")))
    return found


def check(capsys: pytest.CaptureFixture[str], *words: str | Path) -> list[tuple[str, str]]:
    """Check a photo; return the photos that it is a copy of, each with the reason."""
    capsys.readouterr()
    assert main(["check", *map(str, words), "--json"]) == 0
    found = read_line(capsys.readouterr().out)
    return [(copy["path"], copy["evidence"][0]) for copy in found["copies"]]


def test_a_photo_is_known_again(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(photos / "2.jpg", "same.jpg")
    assert check(capsys, "same.jpg") == [("2.jpg", "same bytes")]
    with Image.open("same.jpg") as image:
        image.save("same.png")
        image.resize((image.width * 2 // 3, image.height * 2 // 3)).save("small.jpg", quality=70)
        for turn in Image.Transpose:
            image.transpose(turn).save(f"turned {turn.name}.jpg", quality=90)
    assert check(capsys, "same.png") == [("2.jpg", "same pixels")]
    assert check(capsys, "small.jpg", "--against", photos) == [("2.jpg", "near hashes")]
    for turn in Image.Transpose:
        found = check(capsys, f"turned {turn.name}.jpg")
        assert found == [("2.jpg", "near hashes once turned")]
        assert check(capsys, f"turned {turn.name}.jpg", "--upright") == []


def test_a_photo_of_another_place_is_no_copy(
    few_rooms: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = sorted(few_rooms.rglob("*_1.jpg"))[-1]
    assert check(capsys, other) == []
    assert main(["check", str(other)]) == 0
    assert capsys.readouterr().out == f"{other}: no copy found\n"


def test_a_blank_photo_is_known_by_its_bytes_or_pixels_alone(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (64, 48), "white").save("white.bmp")
    Image.new("RGB", (64, 50), "white").save("other.png")
    assert check(capsys, photos / "blank.png") == [("blank.png", "same bytes")]
    assert check(capsys, "white.bmp") == [("blank.png", "same pixels")]
    assert check(capsys, "other.png") == []


def test_a_file_knows_itself_among_any_number_of_blank_ones(
    photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "MOST_VERIFIED", 3)
    for size in range(40, 60):
        Image.new("RGB", (size, 48), "white").save(photos / f"blank {size}.png")
    assert main(["dedupe", str(photos), "--workers", "1"]) == 0
    assert check(capsys, photos / "blank 59.png")[0] == ("blank 59.png", "same bytes")


def test_files_that_are_no_photos_are_told_and_the_rest_is_done(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("torn.jpg").write_bytes(b"GIF")
    capsys.readouterr()
    assert main(["check", "torn.jpg", "gone.jpg", str(photos / "0.jpg")]) == 1
    shown = capsys.readouterr().out
    assert "torn.jpg: not an image" in shown
    assert "gone.jpg: missing" in shown
    assert f"{photos / '0.jpg'}: a copy of" in shown


def test_copies_that_are_gone_and_names_of_other_bytes_are_told(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    (photos / "2.jpg").rename(name)
    capsys.readouterr()
    assert main(["check", name, "--json"]) == 0
    found = read_line(capsys.readouterr().out)
    assert found["photo"] == r"caf\udce9.jpg"
    assert base64.b64decode(found["photo_bytes"]) == b"caf\xe9.jpg"
    assert [(copy["path"], copy["is_there"]) for copy in found["copies"]] == [("2.jpg", False)]
    assert main(["check", name]) == 0
    assert "2.jpg (gone)  (same bytes" in capsys.readouterr().out
    Path("torn.jpg").write_bytes(b"GIF")
    assert main(["check", "torn.jpg", "--json"]) == 1
    assert read_line(capsys.readouterr().out)["reason"] == "not an image"


def test_without_an_index_one_is_told_how_to_make_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    cases = {
        (): "no index yet; make one",
        ("--against", "photos"): "no index yet; make one: seentwice dedupe photos",
        ("--against", "."): f"in another folder run seentwice dedupe {tmp_path}, and ask from",
        ("--against", "nowhere"): "'nowhere': no such folder",
        ("--index", "nothing"): "holds no index",
    }
    for words, told in cases.items():
        assert main(["check", "a.jpg", *words]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert told in error

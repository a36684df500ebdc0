import csv
import shutil
from pathlib import Path

import pytest

from seentwice.commands import unreadable
from seentwice.commands.main import main
from seentwice.commands.progress import open_console
from seentwice.commands.unreadable import listing_unreadable, open_unreadable, report_unreadable
from seentwice.errors import UserError
from seentwice.records import Reason, Unreadable

FILES = [Unreadable(Path(f"/photos/a/{n}.jpg"), Reason.EMPTY, f"detail {n}") for n in (3, 1, 2)]


def read_rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("most", [2, 3])
def test_the_first_are_listed_and_the_table_has_all_in_their_order(
    most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unreadable, "MOST_LISTED", most)
    lines = report_unreadable(FILES, tmp_path)
    assert lines[0] == "  no photo: /photos/a/3.jpg: empty (detail 3)"
    table = tmp_path / "unreadable.csv"
    assert lines[most:] == ([f"  and 1 more, in {table}"] if most == 2 else [])
    whole = [["/photos/a/3.jpg", "empty", "detail 3"], ["/photos/a/1.jpg", "empty", "detail 1"]]
    assert read_rows(table)[:3] == [["file", "reason", "detail"], *whole]
    assert len(read_rows(table)) == 4

    with open_unreadable(table, Path("/photos")) as listed:
        for file in FILES:
            listed.add(file)
        assert len(read_rows(table)) == 4  # the old table, until the new one is whole
        assert len(listed._first) == most
    assert listed.describe() == lines
    assert [row[0] for row in read_rows(table)] == ["file", "a/3.jpg", "a/1.jpg", "a/2.jpg"]


def test_where_all_gave_a_photo_there_is_no_table(tmp_path: Path) -> None:
    assert report_unreadable([], tmp_path) == []
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("most", [2, 3])
def test_what_gave_no_photo_is_listed_before_an_error(
    most: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(unreadable, "MOST_LISTED", most)
    with listing_unreadable(FILES, open_console()):
        pass
    assert capsys.readouterr().out == ""
    with pytest.raises(UserError), listing_unreadable(FILES, open_console()):
        raise UserError("no pair")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "  no photo: /photos/a/3.jpg: empty (detail 3)"
    assert len(lines) == 3
    assert lines[2] == (
        "  and 1 more" if most == 2 else "  no photo: /photos/a/2.jpg: empty (detail 2)"
    )


def test_a_run_without_pairs_lists_what_gave_no_photo(
    few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "rooms"
    shutil.copytree(few_rooms, root)
    broken = min(root.rglob("*.jpg"))
    broken.write_bytes(broken.read_bytes()[:500])
    words = ["data=folder", f"data.root={root}", f"hydra.run.dir={tmp_path / 'out'}"]
    none = [f"sampling.evaluation.positives.{kind}=0" for kind in ("edited", "same_place")]
    assert main(["pairs", *words, *none]) == 2
    said = capsys.readouterr()
    assert f"no photo: {broken}" in said.out
    assert len(said.err.splitlines()) == 1

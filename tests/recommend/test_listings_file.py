import csv
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from seentwice.data.tabular.rejects import collect_rejects
from seentwice.data.tabular.spelling import CONFIG
from seentwice.errors import UserError
from seentwice.recommend.listing_columns import list_records
from seentwice.recommend.listing_table import (
    load_listings,
    put_listing,
    remove_listing,
    replace_listings,
)
from seentwice.recommend.listings import ListingRecord, list_folders
from seentwice.recommend.listings_file import find_bare, find_missing, read_listings


def read(folder: Path, text: str, name: str = "listings.csv") -> tuple[ListingRecord, ...]:
    (folder / name).write_text(text, "utf-8")
    with collect_rejects(folder / "rejects.csv") as rejects:
        return read_listings(
            folder / name, folder / "photos", None, rejects, lambda done, total: None, CONFIG
        )


def test_a_row_is_a_listing_and_every_other_column_a_fact(tmp_path: Path) -> None:
    found = read(tmp_path, "id,photos,city,price\n7,a.jpg|b/c.jpg | a.jpg,Łódź,\n8,,Nice,10\n")
    assert found == (
        ListingRecord("7", ("a.jpg", "b/c.jpg"), {"city": "Łódź"}),
        ListingRecord("8", (), {"city": "Nice", "price": "10"}),
    )


def test_rows_of_one_id_are_one_listing(tmp_path: Path) -> None:
    found = read(tmp_path, "photo,id,city\na.jpg,7,Rome\nc.jpg,8,\n./b.jpg,7,\n")
    assert found == (
        ListingRecord("7", ("a.jpg", "b.jpg"), {"city": "Rome"}),
        ListingRecord("8", ("c.jpg",), {}),
    )


def test_json_lines_are_read_too(tmp_path: Path) -> None:
    found = read(tmp_path, '{"id": 7, "photos": ["a.jpg"], "price": 2.5}\n', "listings.jsonl")
    assert found == (ListingRecord("7", ("a.jpg",), {"price": "2.5"}),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,photos\n7,a.jpg,x\n", "line 2: 3 cells where the header has 2"),
        ("id,photos\n,b.jpg\n", "line 2: no id"),
        ("id,photos\n7,../a.jpg\n", "line 2: the photo '../a.jpg' is not below"),
        ("key,photos\n7,a.jpg\n", "give 'id' and one of 'photos' and 'photo'"),
        ("id,city\n7,Rome\n", "give 'id' and one of 'photos' and 'photo'"),
        ("id,photos\n", "holds no row"),
        ("", "is empty"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UserError, match=told) as caught:
        read(tmp_path, text)
    assert "listings.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_rows_that_give_no_listing_are_rejected_whole_and_the_others_kept(tmp_path: Path) -> None:
    rows = "7,a.jpg,Rome\n,b.jpg,\n7,c.jpg|d.jpg,Nice\n8,/b.jpg,\n9,../b.jpg,\n7,e.jpg,\n10,b\n"
    found = read(tmp_path, f"id,photos,city\n{rows}")
    assert found == (ListingRecord("7", ("a.jpg", "e.jpg"), {"city": "Rome"}),)
    with (tmp_path / "rejects.csv").open() as file:
        rejects = list(csv.DictReader(file))
    assert [reject["line"] for reject in rejects] == ["3", "4", "5", "6", "8"]
    assert rejects[1]["reason"].startswith("city of '7' is 'Nice', and 'Rome' from line 2 on")
    assert rejects[1]["row"] == "7,c.jpg|d.jpg,Nice"
    lines = '{"id": 7, "photos": "a.jpg"}\n{"photos": "b.jpg"}\n{"id": 8, "photos": []}\n'
    assert [one.id for one in read(tmp_path, lines, "listings.jsonl")] == ["7", "8"]


def test_photos_that_are_not_there_are_left_out_and_told() -> None:
    records = [ListingRecord("A", ("x", "p1", "p0")), ListingRecord("B", ("y", "x"))]
    numbers = {"p0": 0, "p1": 1}
    assert find_bare([*records, ListingRecord("C", ())], numbers) == ["B", "C"]
    assert find_missing(records, numbers) == ["x", "y"]
    listings = list_records(records, numbers)
    assert listings.photos_of(0).tolist() == [1, 0]
    assert listings.photos_of(1).tolist() == []


def test_a_folder_is_a_listing_with_its_photos_in_order() -> None:
    listings = list_folders(("b/2", "top", "b/10", "b/x/1", "a/1"), np.array([1, 1, 1, 1, 0], bool))
    assert list(listings.ids) == [".", "b", "b/x"]
    assert listings.photos_of(1).tolist() == [2, 0]


def test_the_table_keeps_what_was_put_and_forgets_what_was_removed(tmp_path: Path) -> None:
    table = tmp_path / "listings ü.sqlite"
    odd = ListingRecord("é,\n", ("\udcff.jpg",), {"city": "Łódź"})
    replace_listings(table, [ListingRecord("B", ("b",)), odd])
    put_listing(table, ListingRecord("A", ("a",), {"pool": "yes"}))
    put_listing(table, ListingRecord("B", ("c", "d")))
    assert load_listings(table) == (
        ListingRecord("A", ("a",), {"pool": "yes"}),
        ListingRecord("B", ("c", "d")),
        odd,
    )
    remove_listing(table, "A")
    assert [record.id for record in load_listings(table)] == ["B", odd.id]
    replace_listings(table, [odd])
    assert load_listings(table) == (odd,)


def test_a_writer_that_is_killed_leaves_the_listings_of_before(tmp_path: Path) -> None:
    table = tmp_path / "listings.sqlite"
    records = [ListingRecord(f"L{number}", ("p" * 500,)) for number in range(8_000)]
    replace_listings(table, records)
    child = Path(__file__).with_name("killed_writer.py")
    done = subprocess.run([sys.executable, str(child), str(table)])
    assert done.returncode == -signal.SIGKILL
    # It was ended after pages of the file had changed, before they counted.
    assert Path(f"{table}-journal").stat().st_size > 0
    assert load_listings(table) == tuple(sorted(records, key=lambda record: record.id))
    put_listing(table, ListingRecord("new", ()))
    assert len(load_listings(table)) == 8_001


def make_damaged(table: Path) -> None:
    table.write_bytes(b"no database" * 100)


def make_no_json(table: Path) -> None:
    with closing(sqlite3.connect(table)) as connection, connection:
        connection.execute("UPDATE listing SET photos = '['")


def make_newer(table: Path) -> None:
    with closing(sqlite3.connect(table)) as connection:
        connection.execute("PRAGMA user_version=9")


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (Path.unlink, "run seentwice index --listings again"),
        (make_damaged, "is damaged .* run seentwice index --listings again, which writes another"),
        (make_no_json, "is damaged .* run seentwice index --listings again, which writes another"),
        (make_newer, r"of another version of seentwice \(its table is 9, this one reads 2\)"),
    ],
)
def test_a_table_that_cannot_be_used_is_told_and_never_to_be_deleted(
    tmp_path: Path, harm: Callable[[Path], None], told: str
) -> None:
    table = tmp_path / "listings.sqlite"
    replace_listings(table, [ListingRecord("A", ("a",))])
    harm(table)
    with pytest.raises(UserError, match=told) as caught:
        load_listings(table)
    for word in ("delete", "account", "\n"):
        assert word not in str(caught.value)
    if harm is not make_no_json:
        with pytest.raises(UserError, match=told):
            put_listing(table, ListingRecord("B", ()))

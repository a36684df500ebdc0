import csv
from pathlib import Path

import pytest
from file_names import file_names
from found_duplicates import EVERYTHING, HOSTILE, make_chain, make_duplicates, make_group
from hypothesis import HealthCheck, given, settings

from seentwice.dedupe.findings import Duplicates
from seentwice.dedupe.report import write_csv
from seentwice.dedupe.report.csv_file import COLUMNS
from seentwice.dedupe.report.reasons import find_reasons
from seentwice.dedupe.report.writing import spell_name

GOLDEN = (
    "\ufeffgroup,keep,path,width,height,bytes,modified,matches,score,evidence,hash_bits,"
    "similarity,edit,product,seller\r\n"
    "1,yes,a.jpg,1200,800,1000,2020-09-13T12:26:40Z,,,,,,,P0,s1\r\n"
    "1,no,b.jpg,1200,801,2000,2020-09-13T12:26:41Z,a.jpg,0.987654,near hashes,3,,"
    "'-5 % brighter,P1,'=s2\r\n"
    "1,no,é/c.jpg,1200,802,3000,2020-09-13T12:26:42Z,b.jpg,0.75,"
    '"near hashes, near embeddings",9,0.9,,P2,\r\n'
)


def rows(tmp_path: Path, duplicates: Duplicates) -> list[dict[str, str]]:
    write_csv(tmp_path / "groups.csv", duplicates)
    with (tmp_path / "groups.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_file_is_this(tmp_path: Path) -> None:
    write_csv(tmp_path / "groups.csv", make_duplicates((make_chain(),)))
    assert (tmp_path / "groups.csv").read_bytes().decode() == GOLDEN


def test_nothing_found_leaves_the_head(tmp_path: Path) -> None:
    assert rows(tmp_path, make_duplicates(())) == []
    assert (tmp_path / "groups.csv").read_text("utf-8-sig").strip() == ",".join(COLUMNS)


def test_every_photo_is_a_row_and_each_group_keeps_one(tmp_path: Path) -> None:
    read = rows(tmp_path, EVERYTHING)
    assert [row["group"] for row in read] == ["1"] * 3 + ["2"] * len(HOSTILE)
    assert [row["keep"] for row in read].count("yes") == 2


def test_hostile_names_survive(tmp_path: Path) -> None:
    names = (*HOSTILE[:4], "carriage\rreturn.jpg", 'quote",comma.jpg')
    read = rows(tmp_path, make_duplicates((make_group(*names),)))
    assert tuple(row["path"] for row in read) == names


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "'quoted", "''"]
)
def test_what_a_spreadsheet_would_run_is_guarded_and_comes_back(tmp_path: Path, name: str) -> None:
    read = rows(tmp_path, make_duplicates((make_group("a.jpg", name),)))
    assert read[1]["path"] == f"'{name}"
    assert read[0]["path"] == "a.jpg"  # nothing else is touched


def test_a_reason_compares_with_the_kept_photo_where_it_can() -> None:
    near, far = make_chain().matches
    assert find_reasons(make_chain()) == {"b.jpg": near, "é/c.jpg": far}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(file_names())
def test_every_name_comes_back_without_its_apostrophe(tmp_path: Path, name: str) -> None:
    [_, row] = rows(tmp_path, make_duplicates((make_group("a.jpg", name),)))
    assert row["path"].removeprefix("'") == spell_name(name)
    assert not row["path"].startswith(tuple("=+-@\t\r\n"))

import csv
import os
from pathlib import Path

import pytest

from seentwice.data.tabular.rejects import COLUMNS, KEPT, collect_rejects
from seentwice.errors import UserError

FILE = Path("table.csv")


def test_rejects_are_written_with_line_and_reason(tmp_path):
    path = tmp_path / "prepared" / "rejects.csv"
    with collect_rejects(path) as rejects:
        rejects.add(FILE, 2, "too short", 'a,"b')
        rejects.add(FILE, 5, "half a pair", "\ud800,=1+1\n")
        assert not path.exists()
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            list(COLUMNS),
            ["table.csv", "2", "too short", 'a,"b'],
            ["table.csv", "5", "half a pair", "\\ud800,=1+1\n"],
        ]
    assert list(path.parent.iterdir()) == [path]


def test_the_summary_counts_all_and_keeps_the_first():
    with collect_rejects(None) as rejects:
        for line in range(2, 12):
            rejects.add(FILE, line, f"reason {line}", "row")
    summary = rejects.summary()
    assert summary.count == rejects.count == 10
    assert [str(reject) for reject in summary.first] == [
        f"line {line}: reason {line}" for line in range(2, 2 + KEPT)
    ]


EARLIER = "file,line,reason,row\nof an earlier,1,reading,\n"


def test_without_rejects_an_old_file_is_removed(tmp_path):
    path = tmp_path / "rejects.csv"
    path.write_text(EARLIER)
    with collect_rejects(path):
        assert path.exists()
    assert not path.exists()


@pytest.mark.parametrize("content", ["", "id,photos\n1,a.jpg\n", "file,line,reason", "notes"])
def test_what_is_no_file_of_rejects_is_left_alone(tmp_path, content):
    path = tmp_path / "mine.csv"
    path.write_text(content)
    message = r"data\.rejects=.*mine\.csv: holds no rejected rows, and is not overwritten; name"
    with pytest.raises(UserError, match=message), collect_rejects(path):
        pass
    assert path.read_text() == content


def test_what_is_no_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(UserError, match="holds no rejected rows"), collect_rejects(path):
            pass
        assert path.exists()


def test_a_reading_that_the_user_can_mend_keeps_the_rejects_and_names_them(tmp_path):
    path = tmp_path / "rejects.csv"
    path.write_text(EARLIER)
    with pytest.raises(UserError) as raised, collect_rejects(path) as rejects:  # noqa: PT012
        rejects.add(FILE, 2, "too short", "1")
        raise UserError("table.csv, line 3: cut off")
    assert str(raised.value) == f"table.csv, line 3: cut off; the rejected rows are in {path}"
    assert path.read_text() == "file,line,reason,row\ntable.csv,2,too short,1\n"
    with pytest.raises(UserError) as raised, collect_rejects(path) as rejects:  # noqa: PT012
        rejects.add_cell(FILE, 2, "price: 'ask' is no number", "1")
        raise UserError("cut off")
    assert str(raised.value) == f"cut off; the odd cells are in {path}"
    with pytest.raises(UserError, match=r"^no such file$"), collect_rejects(path):
        raise UserError("no such file")
    assert not path.exists()


def test_a_reading_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "rejects.csv"
    path.write_text(EARLIER)
    with pytest.raises(TypeError), collect_rejects(path) as rejects:  # noqa: PT012
        rejects.add(FILE, 2, "too short", "")
        rejects.add(FILE, 3, "too short", None)
    assert path.read_text() == EARLIER
    assert list(tmp_path.iterdir()) == [path]


def test_odd_cells_are_written_beside_the_rows_and_counted_apart(tmp_path):
    path = tmp_path / "rejects.csv"
    with collect_rejects(path) as rejects:
        rejects.add(FILE, 2, "too short", "1")
        for line in range(3, 13):
            rejects.add_cell(FILE, line, "price: 'ask' is no number", f"{line},ask")
    summary = rejects.summary()
    assert (summary.count, summary.cells) == (1, 10)
    assert [reject.line for reject in summary.first] == [2]
    assert [reject.line for reject in summary.first_cells] == [3, 4, 5]
    lines = path.read_text().splitlines()
    assert len(lines) == 12
    assert lines[2] == "table.csv,3,price: 'ask' is no number,\"3,ask\""
    with collect_rejects(path) as rejects:
        rejects.add_cell(FILE, 3, "price: 'ask' is no number", "3,ask")
    assert len(path.read_text().splitlines()) == 2


def test_a_hint_is_given_once():
    with collect_rejects(None) as rejects:
        for _ in range(3):
            rejects.add_hint("do this")
        rejects.add_hint("do that")
    assert rejects.summary().hints == ("do this", "do that")


def test_rows_that_are_not_utf_8_give_one_hint_where_they_are_no_accident():
    with collect_rejects(None) as rejects:
        for line in range(2, 102):
            rejects.add(FILE, line, f"not UTF-8 at byte 1 of line {line}", "")
        rejects.end_file(FILE, 9_900)
        assert rejects.summary().hints == ()
        rejects.end_file(FILE, 100)
        (hint,) = rejects.summary().hints
        assert hint == (
            "table.csv: 100 of its 200 rows are not UTF-8; save the file in UTF-8 and read it again"
        )
        message = "none of its 100 rows can be read; the first: line 2: .*; save the file in UTF-8$"
        with pytest.raises(UserError, match=message):
            rejects.end_file(FILE, 0)


def test_a_long_row_is_cut(tmp_path):
    path = tmp_path / "rejects.csv"
    with collect_rejects(path) as rejects:
        rejects.add(FILE, 2, "too long", "x" * 10_000_000)
    assert path.stat().st_size < 3_000


def test_a_file_that_gave_nothing_ends_the_reading_with_its_own_first_reason():
    other = Path("other.csv")
    with collect_rejects(None) as rejects:
        rejects.add(other, 9, "not this one", "")
        rejects.add(FILE, 2, "too short", "")
        rejects.add(FILE, 3, "too long", "")
        rejects.end_file(FILE, 1)
        message = r"table\.csv: none of its 2 rows can be read; the first: line 2: too short"
        with pytest.raises(UserError, match=message):
            rejects.end_file(FILE, 0)
        with pytest.raises(UserError, match=r"empty\.csv: holds no row"):
            rejects.end_file(Path("empty.csv"), 0)

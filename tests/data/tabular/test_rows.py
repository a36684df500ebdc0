import csv
import io
import json
import os
import threading
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seentwice.data.source import tell_nobody
from seentwice.data.tabular import lines
from seentwice.data.tabular.rejects import collect_rejects
from seentwice.data.tabular.rows import read_delimiter, read_rows
from seentwice.errors import UserError


def read(path: Path, content: str | bytes, delimiter: str | None = None):
    """Write a file, and return line and cells of its rows, and line and reason of its rejects."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with collect_rejects(path.with_name("rejects.csv")) as rejects:
        rows = list(read_rows(path, delimiter, rejects, tell_nobody))
    rejected = []
    if rejects.count:
        with path.with_name("rejects.csv").open(newline="", encoding="utf-8") as file:
            rejected = [(int(row["line"]), row["reason"]) for row in csv.DictReader(file)]
    return [(row.line, dict(row.cells)) for row in rows], rejected


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_rows_of_csv_know_their_first_line(tmp_path, mark, end, last):
    lines = ["a, b", "1,x", "", '2,"two', 'lines, ""one"" cell"', "3,é"]
    content = mark + end.join(lines).encode() + (end.encode() if last else b"")
    rows, rejected = read(tmp_path / "t.csv", content)
    assert rows == [
        (2, {"a": "1", "b": "x"}),
        (4, {"a": "2", "b": f'two{end}lines, "one" cell'}),
        (6, {"a": "3", "b": "é"}),
    ]
    assert rejected == []


def test_the_extension_or_the_setting_chooses_the_delimiter(tmp_path):
    assert read(tmp_path / "t.tsv", "a\tb\n1,5\t2\n")[0] == [(2, {"a": "1,5", "b": "2"})]
    assert read(tmp_path / "t.csv", "a;b\n1,5;2\n", ";")[0] == [(2, {"a": "1,5", "b": "2"})]


@pytest.mark.parametrize(
    ("text", "delimiter"), [(None, None), (";", ";"), ("\t", "\t"), (r"\t", "\t"), ("é", "é")]
)
def test_a_delimiter_is_one_character_or_an_escaped_tab(text, delimiter):
    assert read_delimiter("data.delimiter", text) == delimiter


@pytest.mark.parametrize("text", ["", ";;", '"', "\n", "\r", "\0", " ", r"\n", "tab"])
def test_a_delimiter_that_csv_cannot_have_is_refused(text):
    with pytest.raises(UserError, match=r"^data\.delimiter=.*give one character, such as ';', or"):
        read_delimiter("data.delimiter", text)


MALFORMED = {
    "too few cells": ("2", "1 cells where the header has 2"),
    "too many cells": ("2,x,y", "3 cells where the header has 2"),
    "not UTF-8": (b"2,\xe9", "not UTF-8 at byte 3 of line 3"),
    "a NUL byte": ("2,\0", "a NUL byte in line 3"),
    "an old line end": ("2,x\ry", "new-line character seen in unquoted field"),
    "text after a quote": ('2,"x"y', "',' expected after '\"'"),
}


@pytest.mark.parametrize("name", sorted(MALFORMED))
def test_a_malformed_row_is_rejected_and_the_rest_kept(tmp_path, name):
    row, reason = MALFORMED[name]
    raw = row.encode() if isinstance(row, str) else row
    rows, rejected = read(tmp_path / "t.csv", b"a,b\n1,x\n" + raw + b"\n3,z\n")
    assert [line for line, _ in rows] == [2, 4]
    assert [line for line, _ in rejected] == [3]
    assert reason in rejected[0][1]


def test_a_cell_may_be_as_long_as_a_line(tmp_path):
    cell = "x" * 1_000_000
    assert read(tmp_path / "t.csv", f"a,b\n1,{cell}\n") == ([(2, {"a": "1", "b": cell})], [])


@pytest.mark.parametrize("last", ['4,"four"\n', "4,four\n"])
def test_a_quote_that_is_never_closed_costs_one_row(tmp_path, last):
    rows, rejected = read(tmp_path / "t.csv", f'a,b\n1,x\n2,"y\n3,z\n{last}')
    assert [line for line, _ in rows] == [2, 4, 5]
    assert [line for line, _ in rejected] == [3]


def test_an_unreadable_line_within_quotes_is_rejected_besides_the_row(tmp_path):
    rows, rejected = read(tmp_path / "t.csv", b'a,b\n1,"x\n\xff\n2,y\n')
    assert rows == [(4, {"a": "2", "b": "y"})]
    assert [line for line, _ in rejected] == [2, 3]


def test_a_line_too_long_for_memory_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "LONGEST_LINE", 1000)
    content = f"a,b\n1,x\n{'x' * 5_000}\n3,{'y' * 997}\n4,z"
    rows, rejected = read(tmp_path / "t.csv", content)
    assert [line for line, _ in rows] == [2, 4, 5]
    assert rejected == [(3, "longer than 1,000 bytes")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; its first row must name the columns"),
        (b"a,b,a\n", "two columns are named 'a'"),
        (
            "prix,état\n".encode("latin-1"),
            "the header is not UTF-8 at byte 6 of line 1, p",
        ),
        (
            "цена;тип\n".encode("cp1251"),
            "the header is not UTF-8 .*; save the file as",
        ),
        (b'a,"b\n1,2\n', "line 1: .*save the file as CSV"),
    ],
)
def test_a_header_that_names_no_columns_is_refused(tmp_path, content, message):
    with pytest.raises(UserError, match=message):
        read(tmp_path / "t.csv", content)


@pytest.mark.parametrize(
    ("name", "header", "message"),
    [
        ("t.csv", "id;name", r"""no comma but a semicolon; .*, add 'data\.delimiter=";"'$"""),
        ("t.csv", '"id";"name"', r"""no comma but a semicolon; .*, add 'data\.delimiter=";"'$"""),
        ("t.csv", "id\tname", r"""no comma but a tab; .*, add 'data\.delimiter="\\t"'$"""),
        ("t.csv", "id|name", r"""no comma but a vertical bar; .*, add 'data\.delimiter="\|"'$"""),
        ("t.tsv", "id,name", r"""no tab but a comma; .*, add 'data\.delimiter=","'$"""),
    ],
)
def test_a_header_that_is_one_cell_tells_what_may_stand_between_cells(
    tmp_path, name, header, message
):
    with pytest.raises(UserError, match=message):
        read(tmp_path / name, f"{header}\n1,2\n")


def test_a_table_may_have_one_column(tmp_path):
    assert read(tmp_path / "t.csv", "id\n1;2\n") == ([(2, {"id": "1;2"})], [])
    assert read(tmp_path / "t.csv", "a;b,c\n1;2,3\n")[0] == [(2, {"a;b": "1;2", "c": "3"})]


def test_a_missing_file_is_refused(tmp_path, rejects):
    with pytest.raises(UserError, match=r"none\.csv': cannot be read \(No such file"):
        list(read_rows(tmp_path / "none.csv", None, rejects, tell_nobody))


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(st.lists(st.tuples(cells, cells), max_size=6))
def test_what_the_standard_library_writes_is_read(tmp_path_factory, table):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("a", "b"), *table])
    rows, rejected = read(tmp_path_factory.mktemp("csv") / "t.csv", text.getvalue())
    assert [tuple(cells.values()) for _, cells in rows] == table
    assert rejected == []


def test_json_lines_are_rejected_one_by_one(tmp_path):
    deep = "[" * 100_000
    content = b'{"a": 1}\n\n{"a": \n[1]\n{"a": "\xff"}\n' + deep.encode() + b'\n{"a": {"b": null}}'
    rows, rejected = read(tmp_path / "t.jsonl", content)
    assert rows == [(1, {"a": 1}), (7, {"a": {"b": None}})]
    assert [line for line, _ in rejected] == [3, 4, 5, 6]
    assert rejected[1][1] == "no JSON object"


ARRAY = '[\n {"a": 1, "b": "\\"]"},\n {"a":\n 2}\n, 7, {"a": 3}]\n'


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        '{{"@odata.count": 12, "x": [{{}}],\n"value": {}}}',
        '{{"x": 1,\n"value": {}, "@odata.nextLink": null\n, "y": {{"z": []}} }} \n',
    ],
)
@pytest.mark.parametrize("chunk", [1, 2, 7, 65_536])
def test_a_json_array_gives_its_objects_with_their_lines(tmp_path, monkeypatch, around, chunk):
    monkeypatch.setattr("seentwice.data.tabular.json_values._CHUNK_BYTES", chunk)
    above = around.partition("value")[0].count("\n")
    rows, rejected = read(tmp_path / "t.json", "\ufeff" + around.format(ARRAY))
    assert rows == [
        (2 + above, {"a": 1, "b": '"]'}),
        (3 + above, {"a": 2}),
        (5 + above, {"a": 3}),
    ]
    assert rejected == [(5 + above, "no JSON object")]


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
objects = st.dictionaries(
    st.text(max_size=3),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=5,
    ),
    max_size=3,
)


@settings(max_examples=50)
@given(st.lists(objects, max_size=5), st.sampled_from([None, 1]), st.booleans())
def test_a_json_array_is_read_as_the_standard_library_reads_it(
    tmp_path_factory, values, indent, ascii_only
):
    content = json.dumps(values, indent=indent, ensure_ascii=ascii_only)
    rows, rejected = read(tmp_path_factory.mktemp("json") / "t.json", content)
    assert [cells for _, cells in rows] == values
    assert rejected == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'[{"a": 1},\n{"a": 2', "line 2: not JSON, or cut off"),
        (b'[{"a": 1}\n{"a": 2}]', "line 2: not JSON, or cut off: ',' is missing"),
        (b'[{"a": 1}', "line 1: not JSON, or cut off: ',' is missing"),
        (b'[{"a": 1}\n,"\xff"]', "line 2: not UTF-8"),
        (b'[{"a": 1}, ]', "line 1: not JSON"),
        (b'[{"a": 1}]\n[{"a": 2}]', "line 2: the JSON goes on after its end"),
        (b'[]\n\n{"a": 2}', "line 3: the JSON goes on after its end"),
        (b'{"value": []}\n{"value": []}', "line 2: the JSON goes on after its end"),
        (b'{"value": [{"a": 1}]', "line 1: not JSON, or cut off: ',' is missing"),
        (b'{"value": [{"a": 1}],\n"x"', "line 2: not JSON, or cut off: ':' is missing"),
        (b'{"x": 1 "value": []}', "line 1: not JSON, or cut off: ',' is missing"),
        (b'{"value": [],\n"value": []}', 'line 2: "value" stands there twice'),
        (b'{"value": [{"a": 1}],\n"@odata.nextLink": "http://x"}', "line 2: .*join them as one"),
        (b'{"@odata.nextLink": "http://x", "value": [{"a": 1}]}', "line 1: .*one page of several"),
        (b'{"a": [1]}', "holds neither an array nor"),
        (b'{"a": 1}\n{"a": 2}', r"name a file that holds one object a line \.jsonl"),
        (b"", "holds neither an array nor"),
        (b"[" * 100_000, "line 1: not JSON"),
        (b'[{"a": ' + b"1" * 5_000 + b"}]", "line 1: not JSON"),
    ],
)
def test_a_json_array_that_breaks_off_is_refused(tmp_path, content, message):
    with pytest.raises(UserError, match=message) as raised:
        read(tmp_path / "t.json", content)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "begin", "row"),
    [
        ("t.csv", b"a,b\n", b'1,"x\ny"\n'),
        ("t.jsonl", b"", b'{"a": 1}\n'),
        ("t.json", b"[", b'{"a": 1},\n'),
    ],
)
def test_rows_come_before_the_file_ends(tmp_path, rejects, name, begin, row):
    """The file is a pipe whose writer goes on until its reader has left."""
    path = tmp_path / name
    os.mkfifo(path)

    def write_for_ever() -> None:
        try:
            with path.open("wb", buffering=0) as file:
                file.write(begin)
                while True:
                    file.write(row)
        except BrokenPipeError:
            pass

    writer = threading.Thread(target=write_for_ever)
    writer.start()
    rows = read_rows(path, None, rejects, tell_nobody)
    assert len(list(islice(rows, 1000))) == 1000
    rows.close()
    writer.join()


def test_progress_tells_the_bytes_that_are_read(tmp_path, rejects):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,x\n" * 2_500)
    told = []
    list(read_rows(path, None, rejects, lambda done, total: told.append((done, total))))
    assert told == [(4_000, 10_004), (8_000, 10_004), (10_004, 10_004)]

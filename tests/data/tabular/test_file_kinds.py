import io
import sqlite3
from contextlib import closing
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image

from seentwice.data.tabular.lines import open_table
from seentwice.errors import UserError

TABLE = "id,name\n1,Стол\n"


def zip_of(*names: str) -> bytes:
    packed = io.BytesIO()
    with ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, "application/vnd.oasis.opendocument.spreadsheet")
    return packed.getvalue()


def photo(kind: str) -> bytes:
    encoded = io.BytesIO()
    Image.new("RGB", (8, 8)).save(encoded, kind)
    return encoded.getvalue()


OTHERS = {
    "[Content_Types].xml": (zip_of("[Content_Types].xml", "xl/workbook.xml"), r"Excel \(\.xlsx\)"),
    "xl": (zip_of("xl/workbook.xml"), r"a workbook of Excel \(\.xlsx\); save the table as CSV in"),
    "ods": (zip_of("mimetype", "content.xml"), r"a workbook of OpenDocument \(\.ods\); save"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), r"an old workbook, such as .*\.xls;"),
    "zip": (zip_of("items.csv"), "a zip archive; unpack it, and name the table that it holds"),
    "gzip": (b"\x1f\x8b\x08" + bytes(20), "packed with gzip; unpack it"),
    "parquet": (b"PAR1\x15\x04\x15\x00\xff", "a Parquet file; save the table as CSV in UTF-8"),
    "jpeg": (photo("JPEG"), "a photo; name the table that names the photos"),
    "png": (photo("PNG"), "a photo"),
    "bmp": (photo("BMP"), "a photo"),
    "web page": (b"\n<!DOCTYPE html><html>", "a web page; download the table itself"),
    "web page, mark": (b"\xef\xbb\xbf<html lang=en>", "a web page; download the table itself"),
    "UTF-16": (TABLE.encode("utf-16"), "text in UTF-16; save the file in UTF-8"),
    "UTF-16, no mark": (TABLE.encode("utf-16-le"), "text in UTF-16"),
    "UTF-16, big end first": (TABLE.encode("utf-16-be"), "text in UTF-16"),
    "UTF-32": (TABLE.encode("utf-32"), "text in UTF-32"),
}


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_what_is_no_text_is_named(tmp_path: Path, name: str):
    content, message = OTHERS[name]
    (tmp_path / "items.csv").write_bytes(content)
    with (
        pytest.raises(UserError, match=rf"items\.csv: is .*{message}") as raised,
        open_table(tmp_path / "items.csv"),
    ):
        pass
    assert str(raised.value).startswith(f"{tmp_path / 'items.csv'}: is ")
    assert "\n" not in str(raised.value)


def test_a_database_is_named(tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "items.csv")) as database:
        database.execute("CREATE TABLE items (id)")
    with (
        pytest.raises(UserError, match="is a SQLite database; save the table as CSV in UTF-8"),
        open_table(tmp_path / "items.csv"),
    ):
        pass


@pytest.mark.parametrize(
    "text", ["", "BMW,id\n", "PAR1,id\n", "GIF89a,id\n", "\ufeffid\n", "a,\0b\n", "PK,id\n", "{}"]
)
def test_a_text_is_read_from_its_begin(tmp_path: Path, text: str):
    (tmp_path / "items.csv").write_bytes(text.encode())
    with open_table(tmp_path / "items.csv") as stream:
        assert stream.read() == text.encode()

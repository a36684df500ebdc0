import json
from collections import OrderedDict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seentwice.data.source import tell_nobody
from seentwice.data.tabular.columns import Columns, Made, to_listing
from seentwice.data.tabular.listing_rows import MakeListing
from seentwice.data.tabular.photo_rows import read_photo_rows
from seentwice.data.tabular.rejects import Rejects, collect_rejects
from seentwice.data.tabular.rows import Row
from seentwice.errors import UserError
from seentwice.records import Listing

COLUMNS = Columns(id="sku", title="name", category="type", price="price", photos="photo")


def choose(first: Row) -> MakeListing:
    def make(row: Row) -> Made:
        return to_listing(row.cells, COLUMNS, ",")

    return make


def read(folder: Path, text: str, rejects: Rejects) -> list[Listing]:
    path = folder / "photos.csv"
    path.write_text(text, encoding="utf-8")
    return list(read_photo_rows(path, None, choose, rejects, tell_nobody))


def test_the_rows_of_one_id_are_one_listing_wherever_they_stand(tmp_path: Path, rejects: Rejects):
    table = """\
sku,name,type,price,photo,colour
1,Chair,chair,9.5,b.jpg,red
2,Lamp,lamp,,c.jpg,
1,,,,a.jpg,blue
2,,lamp,,"d.jpg,e.jpg",
1,Chair,chair,9.5,http://x/f.jpg,
"""
    assert read(tmp_path, table, rejects) == [
        Listing(
            key="1",
            title="Chair",
            category="chair",
            price=9.5,
            attributes=(("colour", "red"),),
            photos=("b.jpg", "a.jpg", "http://x/f.jpg"),
        ),
        Listing(key="2", title="Lamp", category="lamp", photos=("c.jpg", "d.jpg", "e.jpg")),
    ]
    assert rejects.count == 0


def test_a_row_that_does_not_go_with_the_first_is_rejected(tmp_path: Path, rejects: Rejects):
    table = """\
sku,name,type,price,photo
1,Chair,chair,ask,a.jpg
1,Chair,lamp,,b.jpg
1,Chair,chair,,a.jpg
2,,,,
2,,lamp,,
2,,chair,,c.jpg
1,,,,d.jpg
,,,,e.jpg
"""
    with collect_rejects(tmp_path / "rejects.csv") as rejects:
        one, two = read(tmp_path, table, rejects)
    assert (one.category, one.photos) == ("chair", ("a.jpg", "d.jpg"))
    assert (two.category, two.photos) == ("lamp", ())
    assert rejects.count == 4
    lines = (tmp_path / "rejects.csv").read_text().splitlines()[1:]
    for line, reason in zip(
        lines,
        [
            "photos.csv,2,price: 'ask' is no number",
            "photos.csv,3,the id '1' with the category 'lamp'; on line 2 it is 'chair'",
            "photos.csv,4,the id '1' again without a new photo; it is on line 2",
            "photos.csv,7,the id '2' with the category 'chair'; on line 6 it is 'lamp'",
            "photos.csv,9,no sku",
        ],
        strict=True,
    ):
        assert reason in line


def test_a_delimiter_for_json_is_refused(tmp_path: Path, rejects: Rejects):
    for name in ("photos.json", "photos.jsonl"):
        (tmp_path / name).write_text('{"sku": 1}')
        with pytest.raises(UserError, match=r"^data\.delimiter: .*json.* is JSON, which has none"):
            list(read_photo_rows(tmp_path / name, ";", choose, rejects, tell_nobody))


def test_rows_of_json_may_stand_on_one_line(tmp_path: Path, rejects: Rejects):
    path = tmp_path / "photos.json"
    rows = [{"sku": 1, "photo": "a.jpg"}, {"sku": 2, "photo": "b.jpg"}, {"sku": 1, "photo": "c"}]
    path.write_text(json.dumps(rows))
    listings = read_photo_rows(path, None, choose, rejects, tell_nobody)
    assert [(each.key, each.photos) for each in listings] == [
        ("1", ("a.jpg", "c")),
        ("2", ("b.jpg",)),
    ]


def test_a_table_without_a_row_that_can_be_read_is_refused(tmp_path: Path, rejects: Rejects):
    with pytest.raises(UserError, match="none of its 2 rows can be read; the first: line 2: no sk"):
        read(tmp_path, "sku,photo\n,a.jpg\n,b.jpg\n", rejects)


keys = st.sampled_from(["1", "2", "é", '"', "1 "])
photos = st.sampled_from(["a.jpg", "b.jpg", "c.jpg"])


@settings(max_examples=50)
@given(st.lists(st.tuples(keys, photos), min_size=1, max_size=12))
def test_photo_rows_are_grouped_like_a_dictionary(tmp_path_factory, rows):
    grouped: OrderedDict[str, list[str]] = OrderedDict()
    repeated = 0
    for key, photo in rows:
        of_key = grouped.setdefault(key.strip(), [])
        repeated += photo in of_key
        of_key += [] if photo in of_key else [photo]
    quoted = [(key.replace('"', '""'), photo) for key, photo in rows]
    table = "sku,photo\n" + "".join(f'"{key}",{photo}\n' for key, photo in quoted)
    with collect_rejects(None) as rejects:
        listings = read(tmp_path_factory.mktemp("rows"), table, rejects)
    assert [(each.key, list(each.photos)) for each in listings] == list(grouped.items())
    assert rejects.count == repeated

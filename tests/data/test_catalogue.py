import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from web_server import WebServer, send

from seentwice.data.catalogue import CatalogueSource, read_catalogue, write_catalogue_json
from seentwice.data.fetching.web import DownloadLimits, Web
from seentwice.data.source import tell_nobody
from seentwice.data.tabular.columns import Columns
from seentwice.data.tabular.rejects import Rejects, collect_rejects
from seentwice.errors import UserError
from seentwice.records import Listing, Photo, Reason

COLUMNS = Columns(
    id="sku", photos="images", category="category", family="productFamily", seller="shop"
)
TABLE = """\
sku,images,category,productFamily,shop,colour
1,"a.jpg,b.jpg",chair,f1,Ann,red
2,c.jpg,chair,f1,Ann,blue
3,,table,,,
4,sub/d.jpg,table,,Bob,"wood,
oak"
"""


def write_table(folder: Path, text: str = TABLE, name: str = "products.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read_all(file: Path, rejects: Rejects, columns: Columns = COLUMNS) -> list[Listing]:
    return list(
        read_catalogue(file, columns, "product", file.parent, ",", None, rejects, tell_nobody)
    )


def source_of(folder: Path, **settings: object) -> CatalogueSource:
    rejects, cache = folder / "rejects.csv", folder / "cache"
    source = CatalogueSource(folder / "products.csv", rejects, COLUMNS, cache=cache)
    return replace(source, **settings)


def test_rows_become_listings(tmp_path: Path, rejects: Rejects):
    one, two, three, four = read_all(write_table(tmp_path), rejects)
    assert one == Listing(
        key="1",
        category="chair",
        photos=("a.jpg", "b.jpg"),
        family="f1",
        seller="Ann",
        attributes=(("colour", "red"),),
    )
    assert (two.key, two.family) == ("2", "f1")
    assert three == Listing(key="3", category="table")
    assert four.attributes == (("colour", "wood,\noak"),)
    assert rejects.count == 0


def test_a_photo_is_of_the_place_of_its_product_and_of_the_zone_of_its_family(tmp_path: Path):
    write_table(tmp_path)
    photo_set = source_of(tmp_path).read()
    assert photo_set.name == "products"
    assert photo_set.photos[0] == Photo(
        path=tmp_path / "a.jpg",
        key="1/a.jpg",
        place="1",
        property="family f1",
        room_type="chair",
        zone="family f1",
    )
    assert [photo.key for photo in photo_set.photos] == [
        "1/a.jpg",
        "1/b.jpg",
        "2/c.jpg",
        "4/sub/d.jpg",
    ]
    assert [photo.zone for photo in photo_set.photos] == [*["family f1"] * 3, None]
    assert photo_set.rejected.count == 0


def test_no_two_photos_have_one_key(tmp_path: Path):
    write_table(
        tmp_path, TABLE.splitlines()[0] + "\n1,2/a.jpg,,,,\n1/2,a.jpg,,,,\n1%2F2,a.jpg,,,,\n"
    )
    keys = [photo.key for photo in source_of(tmp_path).read().photos]
    assert keys == ["1%252F2/a.jpg", "1%2F2/a.jpg", "1/2/a.jpg"]


def test_another_folder_may_hold_the_photos(tmp_path: Path):
    write_table(tmp_path)
    photo_set = source_of(tmp_path, photo_root=tmp_path / "photos").read()
    assert photo_set.photos[0].path == tmp_path / "photos" / "a.jpg"


def test_malformed_rows_are_written_with_line_and_reason(tmp_path: Path):
    (tmp_path / "link.jpg").symlink_to("/etc/passwd")
    rows = [
        "1,x.jpg,chair,,,",
        "9,../x.jpg,,,,",
        "9,/etc/passwd,,,,",
        "9,link.jpg,,,,",
        ",y.jpg,,,,",
    ]
    write_table(tmp_path, TABLE + "\n".join(rows))
    source = source_of(tmp_path)
    photo_set = source.read()
    assert len(photo_set.photos) == 4
    assert photo_set.rejected.count == 5
    with source.rejects.open(newline="", encoding="utf-8") as file:
        rejected = list(csv.DictReader(file))
    assert [(row["line"], row["reason"]) for row in rejected] == [
        ("7", "the id '1' again; it is on line 2"),
        ("8", "the photo '../x.jpg' is not below the photo folder"),
        ("9", "the photo '/etc/passwd' is not below the photo folder"),
        ("10", "the photo 'link.jpg' is a link out of the photo folder"),
        ("11", "no sku"),
    ]
    assert [row["row"] for row in rejected] == rows
    write_table(tmp_path)
    source.read()
    assert not source.rejects.exists()


def test_a_row_may_be_a_photo(tmp_path: Path):
    rows = ["sku,images,category,productFamily,shop,colour"]
    rows += ["1,a.jpg,chair,f1,Ann,red", "2,c.jpg,chair,,,", "1,b.jpg,chair,f1,Ann,red"]
    write_table(tmp_path, "\n".join(rows))
    source = source_of(tmp_path, rows="photo", json=tmp_path / "out.json")
    photo_set = source.read()
    assert [photo.key for photo in photo_set.photos] == ["1/a.jpg", "1/b.jpg", "2/c.jpg"]
    assert [photo.place for photo in photo_set.photos] == ["1", "1", "2"]
    assert photo_set.rejected.count == 0
    source.export(tell_nobody)
    assert [each["images"] for each in json.loads(source.json.read_bytes())] == [
        ["a.jpg", "b.jpg"],
        ["c.jpg"],
    ]
    as_products = source_of(tmp_path).read()
    assert [photo.key for photo in as_products.photos] == ["1/a.jpg", "2/c.jpg"]
    (hint,) = as_products.rejected.hints
    assert hint == (
        f"{tmp_path / 'products.csv'}: 1 row has the id of another row; if each row is one photo "
        "of a product, add data.rows=photo"
    )


def test_a_slip_in_the_ids_is_no_reason_for_a_hint(tmp_path: Path):
    rows = "".join(f"{number},{number}.jpg,,,,\n" for number in [*range(9), 0])
    write_table(tmp_path, TABLE.splitlines()[0] + "\n" + rows)
    rejected = source_of(tmp_path).read().rejected
    assert (rejected.count, rejected.hints) == (1, ())


def test_a_tab_may_be_written_with_a_backslash(tmp_path: Path):
    write_table(tmp_path, TABLE.replace('"a.jpg,b.jpg"', "a.jpg").replace(",", "\t"))
    photo_set = source_of(tmp_path, delimiter=r"\t").read()
    assert [photo.key for photo in photo_set.photos] == ["1/a.jpg", "2/c.jpg", "4/sub/d.jpg"]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"delimiter": ";;"}, r"data\.delimiter=';;': give one character"),
        ({"photo_separator": ""}, r"data\.photo_separator='': give what stands between photos"),
    ],
)
def test_what_separates_nothing_is_refused(tmp_path: Path, setting: dict[str, str], message: str):
    with pytest.raises(UserError, match=message):
        source_of(tmp_path, **setting)


def test_the_table_is_not_taken_for_the_file_of_rejects(tmp_path: Path):
    file = write_table(tmp_path)
    with pytest.raises(UserError, match=r"data\.rejects=.*products\.csv, which is used already"):
        source_of(tmp_path, rejects=file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            TABLE.replace("images", "photos"),
            r"no column 'images'; set data\.columns\.photos to one of",
        ),
        (TABLE.replace("shop", "seller"), r"set data\.columns\.seller .*colour, or to null"),
        (TABLE.replace("sku", "id"), r"set data\.columns\.id to one of id, images.*colour$"),
        (
            TABLE.replace("shop", "\x1b[31m"),
            r"one of sku, images, .*, \\x1b\[31m, colour, or to null",
        ),
        ("a," * 40 + "b\n" + "," * 40 + "\n", "two columns are named 'a'"),
        ("sku,images,category,productFamily,shop\n", "holds no row"),
        ("sku,images,category,productFamily,shop\n1\n2\n", "none of its 2 rows.* line 2: 1 cells"),
    ],
)
def test_a_table_of_another_kind_is_refused(
    tmp_path: Path, rejects: Rejects, text: str, message: str
):
    with pytest.raises(UserError, match=message) as raised:
        read_all(write_table(tmp_path, text), rejects)
    assert "\n" not in str(raised.value)


def test_products_without_photos_are_told(tmp_path: Path):
    write_table(tmp_path, f"{TABLE}C,,,,,\nE,,,,,\n")
    (note,) = source_of(tmp_path).read().notes
    assert note == "Of 6 products 3 name no photo ('3', 'C', 'E'): no pair is of them"
    write_table(tmp_path, "".join(TABLE.splitlines(keepends=True)[:2]))
    assert source_of(tmp_path).read().notes == ()


def test_a_catalogue_without_photos_is_refused(tmp_path: Path):
    write_table(tmp_path, TABLE.splitlines()[0] + "\n1,,,,,\n")
    with pytest.raises(UserError, match=r"no product names a photo \(columns: images\)"):
        source_of(tmp_path).read()


def test_json_may_leave_columns_out(tmp_path: Path, rejects: Rejects):
    products = [{"sku": 1, "images": ["a.jpg"]}, {"sku": 2, "shop": None, "size": 3}]
    file = write_table(tmp_path, json.dumps(products), "products.json")
    assert read_all(file, rejects) == [
        Listing(key="1", photos=("a.jpg",)),
        Listing(key="2", attributes=(("size", "3"),)),
    ]


@pytest.mark.parametrize("attributes", [None, "more"])
def test_an_odd_price_is_written_as_json_and_stays_odd(
    tmp_path: Path, rejects: Rejects, attributes: str | None
):
    columns = Columns(id="sku", price="price", photos="images", attributes=attributes)
    file = write_table(tmp_path, "sku,images,price,more\n1,a.jpg,ask,\n2,b.jpg,5,\n")
    products = read_all(file, rejects, columns)
    assert products[0].attributes == (("price", "ask"),)
    write_catalogue_json(tmp_path / "out.json", products, columns)
    assert read_all(tmp_path / "out.json", rejects, columns) == products


def test_what_is_written_as_json_is_one_line_a_product(tmp_path: Path, rejects: Rejects):
    out = tmp_path / "out.json"
    write_catalogue_json(out, read_all(write_table(tmp_path), rejects), COLUMNS)
    assert out.read_text(encoding="utf-8").splitlines()[:3] == [
        "[",
        '{"sku": "1", "category": "chair", "images": ["a.jpg", "b.jpg"], "productFamily": "f1", '
        '"shop": "Ann", "colour": "red"},',
        '{"sku": "2", "category": "chair", "images": ["c.jpg"], "productFamily": "f1", '
        '"shop": "Ann", "colour": "blue"},',
    ]
    assert read_all(out, rejects) == read_all(tmp_path / "products.csv", rejects)
    again = tmp_path / "again.json"
    write_catalogue_json(again, read_all(out, rejects), COLUMNS)
    assert again.read_bytes() == out.read_bytes()


def test_a_catalogue_is_written_as_json_when_it_is_exported(tmp_path: Path):
    write_table(tmp_path, f"{TABLE}1,again.jpg,,,,\n")
    source = source_of(tmp_path, json=tmp_path / "out" / "products.json")
    told = []
    source.prepare(tell_nobody)
    assert not source.json.exists()
    source.export(lambda done, total: told.append(done))
    assert told == [(tmp_path / "products.csv").stat().st_size]
    again = replace(source, file=source.json, json=None, photo_root=tmp_path)
    assert again.read().photos == source.read().photos
    assert len(json.loads(source.json.read_bytes())) == 4


@pytest.mark.parametrize(
    ("file", "json_file", "message"),
    [
        ("a.json", "a.json", r"data\.json=.*a\.json: is .*a\.json, which is used already; name"),
        ("a.csv", "rejects.json", r"data\.json=.*: is .*rejects\.json, which is used already"),
        ("a.csv", "a.csv", r"data\.json=.*a\.csv: give a name that ends in \.json"),
    ],
)
def test_json_overwrites_no_other_file(tmp_path: Path, file: str, json_file: str, message: str):
    files = {"file": tmp_path / file, "rejects": tmp_path / "rejects.json"}
    with pytest.raises(UserError, match=message):
        source_of(tmp_path, json=tmp_path / json_file, **files)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
words = texts.filter(str.strip)
names = words.filter(lambda name: len(name) > 1)
prices = st.none() | st.floats(min_value=0, allow_infinity=False)
listings = st.builds(
    Listing,
    key=words.map(str.strip),
    title=st.just("") | words,
    category=st.none() | words,
    price=prices,
    latitude=st.none() | st.floats(-90, 90),
    photos=st.lists(st.from_regex(r"[a-z]{1,3}\.jpg", fullmatch=True), unique=True).map(tuple),
    family=st.none() | words,
    attributes=st.dictionaries(names, words, max_size=3).map(lambda d: tuple(d.items())),
)
ALL = Columns(id="i", title="t", category="c", price="p", latitude="l", photos="f", family="g")


@settings(max_examples=50)
@given(
    st.lists(listings, max_size=4, unique_by=lambda each: each.key),
    st.sampled_from([ALL, replace(ALL, attributes="m")]),
)
def test_json_out_is_json_in(tmp_path_factory, products: list[Listing], columns: Columns):
    path = tmp_path_factory.mktemp("json") / "products.json"
    write_catalogue_json(path, iter(products), columns)
    json.loads(path.read_bytes())
    with collect_rejects(None) as rejects:
        if products:
            assert read_all(path, rejects, columns) == products
        assert rejects.count == 0


@pytest.mark.parametrize(
    ("listing", "message"),
    [
        (Listing(key="1", title="x"), r"columns\.title: name a key; '1' has a value for it"),
        (Listing(key="1", attributes=(("shop", "x"),)), "'1': an attribute has the name of a col"),
    ],
)
def test_what_json_would_lose_is_not_written(tmp_path: Path, listing: Listing, message: str):
    with pytest.raises(UserError, match=message):
        write_catalogue_json(tmp_path / "out.json", [Listing(key="0"), listing], COLUMNS)
    assert list(tmp_path.iterdir()) == []


def test_products_are_written_as_they_come(tmp_path: Path):
    def endless():
        for number in range(1_000_000_000):
            if number == 20_000:
                # Larger than any buffer, so the first ones are on the disk.
                (partial,) = tmp_path.iterdir()
                assert partial.stat().st_size > 100_000
                raise KeyboardInterrupt
            yield Listing(key=str(number))

    with pytest.raises(KeyboardInterrupt):
        write_catalogue_json(tmp_path / "out.json", endless(), COLUMNS)
    assert list(tmp_path.iterdir()) == []


def test_photos_from_the_web_are_fetched_once(tmp_path: Path, server: WebServer):
    Image.new("RGB", (8, 8)).save(tmp_path / "photo.jpg")
    server.answers["/1.jpg"] = send((tmp_path / "photo.jpg").read_bytes())
    here, gone = server.url("/1.jpg"), server.url("/2.jpg")
    write_table(tmp_path, f'{TABLE}5,"{here},photo.jpg",lamp,,,\n6,{gone},lamp,,,\n')
    source = source_of(tmp_path, download=DownloadLimits(retries=0))
    web = Web(source.download, is_allowed=lambda address: address.is_loopback)
    source.fetch(web, tell_nobody)
    photo_set = source.read()
    photos = {photo.key: photo for photo in photo_set.photos}
    assert photos[f"5/{here}"].path.read_bytes() == (tmp_path / "photo.jpg").read_bytes()
    assert photos[f"5/{here}"].place == photos["5/photo.jpg"].place == "5"
    (problem,) = photo_set.unreadable
    assert (problem.name, problem.reason, problem.detail) == (gone, Reason.NOT_SERVED, "HTTP 404")
    server.requests.clear()
    source.fetch(web, tell_nobody)
    assert not server.requests
    source.forget_failures()
    source.fetch(web, tell_nobody)
    assert server.requests == {"/2.jpg": 1}


def test_by_default_a_catalogue_reaches_no_private_address(tmp_path: Path, server: WebServer):
    server.answers["/1.jpg"] = send(b"photo")
    write_table(tmp_path, f"{TABLE}5,{server.url('/1.jpg')},lamp,,,\n6,file:///etc/passwd,,,,\n")
    source = source_of(tmp_path)
    source.prepare(tell_nobody)
    unreadable = source.read().unreadable
    assert [problem.reason for problem in unreadable] == [Reason.REFUSED_ADDRESS] * 2
    assert not server.requests


def test_a_catalogue_without_urls_makes_no_folder(tmp_path: Path):
    write_table(tmp_path)
    source = source_of(tmp_path)
    source.prepare(tell_nobody)
    assert not source.cache.exists()

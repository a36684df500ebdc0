import json
from itertools import combinations, islice
from pathlib import Path

import pytest

from seentwice.data.listings import LAYOUTS, ListingsSource, read_items
from seentwice.data.source import ListingSource, tell_nobody
from seentwice.data.tabular.rejects import Rejects, collect_rejects
from seentwice.errors import UserError
from seentwice.records import Listing, ListingPair

AVITO_ITEMS = """\
itemID,categoryID,title,description,images_array,attrsJSON,price,locationID,metroID,lat,lon
11,81,Продам диван,"Почти
новый","12345, 905","{""Вид товара"":""Диваны""}",1500,637640,174,55.75,37.62
12,81,Диван,Диван,,,,637640,,55.7,37.6
13,81
14,81,Стол,"Стол, ""дуб"" x",../1,,100,637640,,55.7,37.6
"""
AVITO_PAIRS = """\
itemID_1,itemID_2,isDuplicate,generationMethod
11,12,1,3
11,13,0,1
12,12,0,1
12,11,maybe,1
12,11,0,1
"""
HOME = {
    "@odata.id": "Property('K1')",
    "ListingKey": "K1",
    "ListingId": "1000",
    "PublicRemarks": "Sunny.",
    "PropertyType": "Residential",
    "PropertySubType": "Condominium",
    "ListPrice": 425000.0,
    "UnparsedAddress": "1 Main St",
    "City": "Springfield",
    "Latitude": 39.8,
    "Longitude": -89.6,
    "BedroomsTotal": 2,
    "BathroomsTotalInteger": 1,
    "LivingArea": 850.5,
    "ListAgentKey": None,
    "ListOfficeKey": "O9",
    "Media": [
        {"MediaURL": "https://x/2.jpg", "Order": 2, "MediaCategory": "Photo"},
        {"MediaURL": "https://x/1.jpg", "Order": 1, "MediaCategory": "Photo"},
        {"MediaURL": "https://x/tour", "Order": 0, "MediaCategory": "Branded Virtual Tour"},
    ],
}
READ_HOME = Listing(
    key="K1",
    title="1 Main St",
    description="Sunny.",
    category="Condominium",
    price=425000.0,
    attributes=(
        ("@odata.id", "Property('K1')"),
        ("ListingId", "1000"),
        ("PropertyType", "Residential"),
        ("BedroomsTotal", "2"),
        ("BathroomsTotalInteger", "1"),
        ("LivingArea", "850.5"),
    ),
    location="Springfield",
    latitude=39.8,
    longitude=-89.6,
    photos=("https://x/1.jpg", "https://x/2.jpg"),
    seller="O9",
)


def avito(folder: Path, **settings: object) -> ListingsSource:
    (folder / "items.csv").write_text(AVITO_ITEMS, encoding="utf-8")
    (folder / "pairs.csv").write_text(AVITO_PAIRS, encoding="utf-8")
    return ListingsSource(
        folder / "items.csv", folder / "rejects.csv", folder / "pairs.csv", **settings
    )


def read_file(path: Path, content: str, rejects: Rejects) -> list[Listing]:
    path.write_text(content, encoding="utf-8")
    return list(read_items(path, None, None, None, rejects, tell_nobody))


def test_items_of_avito_are_listings(tmp_path: Path, rejects: Rejects):
    source = avito(tmp_path)
    listings = list(source.read_listings(rejects, tell_nobody))
    assert listings[0] == Listing(
        key="11",
        title="Продам диван",
        description="Почти\nновый",
        category="81",
        price=1500.0,
        attributes=(("Вид товара", "Диваны"),),
        location="637640",
        metro="174",
        latitude=55.75,
        longitude=37.62,
        photos=("12345", "905"),
    )
    assert [listing.key for listing in listings] == ["11", "12", "14"]
    assert listings[1].price is None
    assert [reject.line for reject in rejects.summary().first] == [5]


def test_photo_ids_become_paths_that_are_safe(tmp_path: Path, rejects: Rejects):
    source = avito(
        tmp_path, photo_root=tmp_path / "photos", photo_path="Images_{tens}/{last_two}/{id}.jpg"
    )
    listings = list(source.read_listings(rejects, tell_nobody))
    assert listings[0].photos == ("Images_4/45/12345.jpg", "Images_0/05/905.jpg")
    assert source.photo_file(listings[0].photos[0]) == (
        tmp_path / "photos" / "Images_4" / "45" / "12345.jpg"
    )
    assert source.photo_file("https://x/1.jpg") is None
    assert [str(reject) for reject in rejects.summary().first] == [
        "line 5: 2 cells where the header has 11",
        "line 6: the photo id '../1' holds more than letters, digits, - and _",
    ]


def test_without_a_template_photos_are_paths(tmp_path: Path, rejects: Rejects):
    source = avito(tmp_path, photo_root=tmp_path)
    assert [each.key for each in source.read_listings(rejects, tell_nobody)] == ["11", "12"]
    assert "'../1' is not below the photo folder" in str(rejects.summary().first[1])
    assert avito(tmp_path).photo_file("905") is None


def test_pairs_are_of_listings_that_are_there(tmp_path: Path, rejects: Rejects):
    source = avito(tmp_path)
    assert isinstance(source, ListingSource)
    pairs = list(source.read_pairs(rejects, tell_nobody))
    assert pairs == [
        ListingPair("11", "12", is_duplicate=True, source="3"),
    ]
    assert [str(reject) for reject in rejects.summary().first] == [
        "line 3: no listing '13'",
        "line 4: '12' is paired with itself",
        "line 5: isDuplicate is 'maybe'; needed is 0 or 1",
    ]
    assert rejects.count == 4


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("11,12,1", "line 4: '11' and '12' again; they are on line 2"),
        ("12,11,1", "line 4: '11' and '12' again; they are on line 2"),
        ("11,12,0", "line 4: '11' and '12' again, isDuplicate 0; on line 2 it is 1"),
        ("12,11,", "line 4: '11' and '12' again, isDuplicate empty; on line 2 it is 1"),
        ("14,12,0", "line 4: '12' and '14' again, isDuplicate 0; on line 3 it is empty"),
    ],
)
def test_of_pairs_of_the_same_listings_the_first_counts(
    tmp_path: Path, rejects: Rejects, row: str, reason: str
):
    source = avito(tmp_path)
    source.pairs.write_text(f"itemID_1,itemID_2,isDuplicate\n11,12,1\n12,14,\n{row}\n11,14,0\n")
    pairs = list(source.read_pairs(rejects, tell_nobody))
    assert [(pair.left, pair.right) for pair in pairs] == [("11", "12"), ("12", "14"), ("11", "14")]
    assert [str(reject) for reject in rejects.summary().first] == [reason]


def test_ids_that_run_together_are_no_other_pair(tmp_path: Path, rejects: Rejects):
    ids = ("1", "11", "111", "1 1")
    homes = [{"ListingKey": key} for key in ids]
    (tmp_path / "homes.json").write_text(json.dumps(homes))
    pairs = [{"ListingKey_1": left, "ListingKey_2": right} for left, right in combinations(ids, 2)]
    (tmp_path / "pairs.json").write_text(json.dumps(pairs))
    source = ListingsSource(tmp_path / "homes.json", tmp_path / "r.csv", tmp_path / "pairs.json")
    assert len(list(source.read_pairs(rejects, tell_nobody))) == len(pairs)
    assert rejects.count == 0


def test_an_odd_price_or_coordinate_costs_no_listing(tmp_path: Path, rejects: Rejects):
    table = "itemID,title,price,lat,lon\n1,a,ask,55.7,37.6\n2,b,5,north,37.6\n"
    one, two = read_file(tmp_path / "items.csv", table, rejects)
    assert one == Listing(
        key="1", title="a", attributes=(("price", "ask"),), latitude=55.7, longitude=37.6
    )
    assert (two.price, two.latitude, two.attributes) == (5.0, None, (("lat", "north"),))
    assert (rejects.count, rejects.cells) == (0, 2)
    assert [str(odd) for odd in rejects.summary().first_cells] == [
        "line 2: price: 'ask' is no number; it became an attribute",
        "line 3: lat: 'north' is no number; it became an attribute",
    ]


def test_another_character_may_stand_between_cells_of_both_tables(tmp_path: Path, rejects: Rejects):
    source = avito(tmp_path, delimiter=";")
    source.items.write_text("itemID;title\n1;a,b\n2;c\n")
    source.pairs.write_text("itemID_1;itemID_2;isDuplicate\n1;2;1\n")
    assert [each.title for each in source.read_listings(rejects, tell_nobody)] == ["a,b", "c"]
    assert list(source.read_pairs(rejects, tell_nobody)) == [ListingPair("1", "2", True)]
    source.pairs.write_text("itemID_1,itemID_2,isDuplicate\n1,2,1\n")
    with pytest.raises(
        UserError, match=r"pairs\.csv: .* no semicolon but a comma; .*of two tables "
    ):
        list(source.read_pairs(rejects, tell_nobody))
    with pytest.raises(UserError, match=r"data\.delimiter=';;': give one character"):
        avito(tmp_path, delimiter=";;")


def test_pairs_may_be_unlabelled_or_none(tmp_path: Path, rejects: Rejects):
    source = avito(tmp_path)
    source.pairs.write_text("id,itemID_1,itemID_2\n0,11,12\n1,,12\n")
    assert list(source.read_pairs(rejects, tell_nobody)) == [ListingPair("11", "12", None)]
    assert str(rejects.summary().first[0]) == "line 3: no itemID_1"
    alone = ListingsSource(source.items, source.rejects)
    assert list(alone.read_pairs(rejects, tell_nobody)) == []


def test_the_answer_of_a_reso_web_api_is_understood(tmp_path: Path, rejects: Rejects):
    answer = {"@odata.context": "https://api/$metadata#Property", "value": [HOME]}
    assert read_file(tmp_path / "homes.json", json.dumps(answer), rejects) == [READ_HOME]
    assert read_file(tmp_path / "homes.jsonl", json.dumps(HOME), rejects) == [READ_HOME]
    assert rejects.count == 0


def test_a_table_with_resos_names_is_understood(tmp_path: Path, rejects: Rejects):
    media = json.dumps(HOME["Media"]).replace('"', '""')
    table = (
        "ListingId,PublicRemarks,ListPrice,PostalCity,PropertyType,Media\n"
        f'1000,Sunny.,425000,Springfield,Land,"{media}"\n'
    )
    assert read_file(tmp_path / "homes.csv", table, rejects) == [
        Listing(
            key="1000",
            description="Sunny.",
            category="Land",
            price=425000.0,
            location="Springfield",
            photos=READ_HOME.photos,
        )
    ]


def test_pairs_of_resos_listings_name_their_keys(tmp_path: Path, rejects: Rejects):
    homes = [HOME, {**HOME, "ListingKey": "K2"}]
    (tmp_path / "homes.json").write_text(json.dumps(homes))
    pairs = [{"ListingKey_1": "K1", "ListingKey_2": "K2", "isDuplicate": True}]
    (tmp_path / "pairs.json").write_text(json.dumps(pairs))
    source = ListingsSource(tmp_path / "homes.json", tmp_path / "r.csv", tmp_path / "pairs.json")
    assert list(source.read_pairs(rejects, tell_nobody)) == [ListingPair("K1", "K2", True)]


def test_tables_of_another_kind_are_refused(tmp_path: Path, rejects: Rejects):
    with pytest.raises(UserError, match="has none of the columns itemID, ListingKey, ListingId; d"):
        read_file(tmp_path / "items.csv", "id,title\n1,x\n", rejects)
    source = avito(tmp_path)
    source.pairs.write_text("left,right\n11,12\n")
    with pytest.raises(UserError, match="tells no pairs; needed are two columns: itemID_1 and it"):
        list(source.read_pairs(rejects, tell_nobody))
    source.pairs.write_text("itemID_1,itemID_2\n1,2\n3,4\n")
    with pytest.raises(UserError, match="none of its 2 rows can be read; the first: line 2: no li"):
        list(source.read_pairs(rejects, tell_nobody))
    with pytest.raises(UserError, match=r"photo_path='photo\.jpg': give a path"):
        ListingsSource(tmp_path / "items.csv", tmp_path / "r.csv", photo_path="photo.jpg")


def test_the_rejects_of_both_tables_are_in_one_file(tmp_path: Path):
    source = avito(tmp_path)
    with collect_rejects(source.rejects) as rejects:
        list(source.read_listings(rejects, tell_nobody))
        list(source.read_pairs(rejects, tell_nobody))
    lines = source.rejects.read_text().splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [
        [str(source.items), "5"],
        *([str(source.pairs), number] for number in ("3", "4", "5", "6")),
    ]


@pytest.mark.parametrize("name", ["items.csv", "pairs.csv"])
def test_neither_table_is_taken_for_the_file_of_rejects(tmp_path: Path, name: str):
    tables = {"items": tmp_path / "items.csv", "pairs": tmp_path / "pairs.csv"}
    with pytest.raises(UserError, match=rf"data\.rejects=.*{name}, which is used already"):
        ListingsSource(rejects=tmp_path / name, **tables)


def test_listings_come_before_the_table_is_read(tmp_path: Path, rejects: Rejects):
    """A row that cannot be decoded stands after those that are taken, and is not reached."""
    table = AVITO_ITEMS.splitlines()[0] + "\n" + "".join(f"{n}{',' * 10}\n" for n in range(50))
    (tmp_path / "items.csv").write_bytes(table.encode() + b"\xff\n")
    listings = read_items(tmp_path / "items.csv", None, None, None, rejects, tell_nobody)
    assert [listing.key for listing in islice(listings, 50)] == [str(n) for n in range(50)]
    assert rejects.count == 0
    assert list(listings) == []
    assert rejects.count == 1


def test_every_layout_names_its_fields_once():
    for columns in LAYOUTS.values():
        names = [name for names in columns.by_field().values() for name in names]
        assert len(names) == len(set(names))

import json

import pytest

from seentwice.data.tabular.columns import Columns, find_odd, to_listing
from seentwice.data.tabular.rejects import RowError
from seentwice.errors import UserError
from seentwice.records import Listing

COLUMNS = Columns(
    id=("sku", "ean"),
    title="name",
    price="price",
    attributes="more",
    latitude="lat",
    longitude="lon",
    photos=("photo", "gallery"),
)


def make(**cells: object) -> Listing:
    made = to_listing({"sku": "1"} | cells, COLUMNS, ",")
    assert made.odd == ()
    return made.listing


def test_columns_give_fields_and_the_others_attributes():
    assert make(name="Chair", price="9.50", lat="-33.9", lon=18, colour="red", size="") == Listing(
        key="1",
        title="Chair",
        price=9.5,
        latitude=-33.9,
        longitude=18.0,
        attributes=(("colour", "red"),),
    )


def test_of_several_columns_the_first_that_is_not_empty_counts():
    assert make(ean="9").attributes == (("ean", "9"),)
    listing = make(sku="", ean="9")
    assert (listing.key, listing.attributes) == ("9", ())
    listing = make(sku="  ", ean="9", colour=" ")
    assert (listing.key, listing.attributes) == ("9", ())


def test_json_values_become_text():
    listing = make(sku=17, rooms=3, garden=True, tags=["a", "é"], nothing=None)
    assert listing.key == "17"
    assert listing.attributes == (("rooms", "3"), ("garden", "true"), ("tags", '["a", "é"]'))


def test_attributes_may_stand_in_one_cell():
    assert make(more='{"Вид": "Диван", "n": 2, "": "x"}', colour="red").attributes == (
        ("Вид", "Диван"),
        ("n", "2"),
        ("colour", "red"),
    )
    assert make(more={"a": "b"}).attributes == (("a", "b"),)


@pytest.mark.parametrize(
    ("cell", "photos"),
    [
        ("a.jpg, b.jpg,,", ("a.jpg", "b.jpg")),
        ('["a,b.jpg", "c.jpg"]', ("a,b.jpg", "c.jpg")),
        (["a.jpg", 7], ("a.jpg", "7")),
        ("", ()),
        (None, ()),
        (["", " "], ()),
        (["a.jpg", "b.jpg", "a.jpg"], ("a.jpg", "b.jpg")),
        (
            [
                {"MediaURL": "http://x/2", "Order": 2},
                {"MediaURL": "http://x/3", "Order": None},
                {"MediaURL": "http://x/1", "Order": 1, "MediaCategory": "Photo"},
                {"MediaURL": "http://x/0", "Order": 0, "MediaCategory": "Document"},
                {"MediaURL": None, "Order": 0},
            ],
            ("http://x/1", "http://x/2", "http://x/3"),
        ),
        (
            [
                {"MediaURL": "c", "Order": "10"},
                {"MediaURL": "d", "Order": "last"},
                {"MediaURL": "e", "Order": "nan"},
                {"MediaURL": "b", "Order": " 9 "},
                {"MediaURL": "a", "Order": 1},
            ],
            ("a", "b", "c", "d", "e"),
        ),
    ],
)
def test_photos_stand_in_text_or_json(cell: object, photos: tuple[str, ...]):
    assert make(photo=cell).photos == photos


def test_photos_stand_in_all_of_several_columns():
    assert make(gallery="b.jpg,a.jpg", photo="a.jpg").photos == ("a.jpg", "b.jpg")


HALF = json.loads('"\\ud800"')


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"sku": " "}, "no sku or ean"),
        ({"sku": {}}, r"sku: \{\} is no id; needed is a text or a number"),
        ({"sku": [1]}, r"sku: \[1\] is no id"),
        ({"sku": True}, "sku: true is no id"),
        ({"ean": False}, "ean: false is no id"),
        ({"sku": HALF}, "half a surrogate pair"),
        ({"colour": HALF}, "half a surrogate pair"),
        ({"photo": [HALF]}, "photo: a text with half a surrogate pair"),
        ({"more": "{"}, "more: not JSON"),
        ({"more": "[1]"}, "more: no JSON object"),
        ({"more": "[" * 100_000}, "more: not JSON"),
        ({"photo": "[1"}, "photo: not JSON"),
        ({"photo": 5}, "photo: neither a text nor a JSON array"),
        ({"photo": [["a"]]}, "photo: an element is no text"),
        ({"photo": [True]}, "photo: an element is no text"),
        ({"photo": [{"MediaURL": "a.jpg"}, "b.jpg"]}, "photo: some elements are texts and others"),
        ({"photo": [{"MediaURL": ["a"]}]}, "photo: an element is no text"),
    ],
)
def test_a_row_that_makes_no_listing_says_why(cells: dict[str, object], reason: str):
    with pytest.raises(RowError, match=reason) as raised:
        make(**cells)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("price", "ask", "price: 'ask' is no number"),
        ("price", "1 200 000 руб", "price: '1 200 000 руб' is no number"),
        ("price", "-5", "price: '-5' is not 0 or more"),
        ("price", -5, "price: '-5' is not 0 or more"),
        ("price", "nan", "price: 'nan' is not 0 or more"),
        ("price", "inf", "price: 'inf' is not 0 or more"),
        ("lat", "90.5", "lat: '90.5' is not from -90 to 90"),
        ("lon", "-181", "lon: '-181' is not from -180 to 180"),
        ("lon", "x" * 1_000, f"lon: '{'x' * 40}' is no number"),
    ],
)
def test_a_number_that_is_none_becomes_an_attribute_and_is_told(
    column: str, cell: object, reason: str
):
    cells = {"sku": "1", "name": "Chair", column: cell}
    made = to_listing(cells, COLUMNS, ",")
    assert made.listing == Listing(key="1", title="Chair", attributes=((column, str(cell)),))
    assert made.odd == (f"{reason}; it became an attribute",)


def test_each_odd_number_of_a_row_is_told():
    cells = {"sku": "1", "price": "?", "lat": "north", "lon": "7"}
    made = to_listing(cells, COLUMNS, ",")
    assert (made.listing.price, made.listing.latitude, made.listing.longitude) == (None, None, 7.0)
    assert [odd.partition(":")[0] for odd in made.odd] == ["price", "lat"]


def test_only_fields_that_hold_numbers_can_be_odd():
    assert find_odd("title", "ask") is None
    assert find_odd("price", " ") is None
    assert find_odd("price", "0") is None


@pytest.mark.parametrize("names", [None, ()])
def test_without_an_id_there_are_no_columns(names):
    with pytest.raises(UserError, match=r"columns\.id: name the column"):
        Columns(id=names)

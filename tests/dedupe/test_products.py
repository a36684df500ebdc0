import json
from collections import defaultdict
from dataclasses import replace
from importlib import resources
from itertools import combinations
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.dedupe import products as products_module
from seentwice.dedupe.findings import Evidence, Match
from seentwice.dedupe.product_matches import match_products
from seentwice.dedupe.products import Product, Relation, index_products, to_products
from seentwice.dedupe.products_json import write_products_json
from seentwice.records import Listing


def product(key, photos, category="chairs", family=None, seller=None):
    return Product(key, category, family, seller, tuple(photos))


def match(left, right, score=0.9, edit=""):
    return Match(left, right, score, (Evidence.NEAR_HASHES,), hash_bits=3, edit=edit)


def find(products, matches):
    photos = sorted({photo for one in products for photo in one.photos})
    return dict(match_products(index_products(products, photos), matches).list_duplicates())


def keys(found):
    return {key: [one.key for one in duplicates] for key, duplicates in found.items()}


def test_products_with_matching_photos_are_duplicates_of_each_other():
    products = [product("p", "ab"), product("q", "c"), product("r", "d")]
    found = find(products, [match("c", "a", 0.7), match("b", "c", 0.8)])
    assert keys(found) == {"p": ["q"], "q": ["p"], "r": []}
    assert list(found) == ["p", "q", "r"]
    (there,), (back,) = found["p"], found["q"]
    assert (there.score, there.share, there.relation) == (0.8, 1.0, Relation.UNKNOWN)
    assert [(photos.left, photos.right) for photos in there.photos] == [("b", "c"), ("a", "c")]
    assert [(photos.left, photos.right) for photos in back.photos] == [("c", "b"), ("c", "a")]
    assert [photos.match for photos in back.photos] == [match("b", "c", 0.8), match("c", "a", 0.7)]


def test_the_share_counts_each_matching_photo_of_both_once():
    products = [product("p", "abc"), product("q", "de")]
    (duplicate,) = find(products, [match("a", "d"), match("a", "e"), match("d", "e")])["p"]
    assert duplicate.share == pytest.approx(3 / 5)


@pytest.mark.parametrize(
    ("left", "right", "is_allowed"),
    [
        ({}, {}, True),
        ({"category": None}, {"category": None}, True),
        ({"category": None}, {}, False),
        ({"category": "tables"}, {}, False),
        ({"family": "f"}, {"family": "f"}, False),
        ({"family": "f"}, {"family": "g"}, True),
        ({"family": "f"}, {}, True),
        ({"category": "f"}, {"category": "f", "family": "f"}, True),
        ({"category": "Flat "}, {"category": "flat"}, True),
        ({"family": "f"}, {"family": " f"}, False),
    ],
)
def test_duplicates_are_of_one_category_and_of_no_family(left, right, is_allowed):
    products = [product("p", "a", **left), product("q", "b", **right)]
    assert keys(find(products, [match("a", "b")])) == (
        {"p": ["q"], "q": ["p"]} if is_allowed else {"p": [], "q": []}
    )
    index = index_products(products, "ab")
    assert index.allow(np.array([0, 1, 0]), np.array([1, 0, 0])).tolist() == (
        [is_allowed, is_allowed, False]
    )


@pytest.mark.parametrize(
    ("sellers", "relation"),
    [
        (("x", "x"), Relation.SAME_SELLER),
        (("x", "y"), Relation.OTHER_SELLER),
        (("x", None), Relation.UNKNOWN),
        ((None, None), Relation.UNKNOWN),
    ],
)
def test_who_sells_both_is_told(sellers, relation):
    products = [product(key, key, seller=seller) for key, seller in zip("ab", sellers, strict=True)]
    found = find(products, [match("a", "b")])
    assert [found[key][0].relation for key in "ab"] == [relation, relation]


def test_products_with_one_photo_in_common_match_by_it():
    found = find([product("p", "ab"), product("q", "b"), product("r", "b", family="f")], [])
    assert keys(found) == {"p": ["q", "r"], "q": ["p", "r"], "r": ["p", "q"]}
    (photos,) = found["p"][0].photos
    assert photos.match == Match("b", "b", 1.0, (Evidence.SAME_BYTES,))
    assert (photos.left, photos.right, found["p"][0].share) == ("b", "b", pytest.approx(2 / 3))


def test_matches_of_photos_that_both_products_have_are_told_from_either_side():
    found = find([product("p", "ab"), product("q", "ab")], [match("a", "b")])
    (duplicate,) = found["q"]
    told = [(photos.left, photos.right, photos.match.score) for photos in duplicate.photos]
    assert told == [("a", "a", 1.0), ("b", "b", 1.0), ("b", "a", 0.9), ("a", "b", 0.9)]


def test_of_two_matches_of_the_same_photos_the_surer_one_is_told():
    found = find([product("p", "a"), product("q", "b")], [match("a", "b", 0.6), match("b", "a")])
    assert [photos.match.score for photos in found["p"][0].photos] == [0.9]


def test_photos_within_one_product_are_no_duplicates():
    assert keys(find([product("p", "ab")], [match("a", "b")])) == {"p": []}


def test_matches_of_other_photos_say_nothing():
    products = [product("p", "ab"), product("q", "c")]
    index = index_products(products, "bc")
    found = match_products(index, [match("a", "c"), match("b", "d"), match("b", "c")])
    ((duplicate,), _) = dict(found.list_duplicates()).values()
    assert [photos.left for photos in duplicate.photos] == ["b"]
    assert duplicate.share == 1.0  # `a` was not searched


def test_a_photo_of_very_many_products_stands_in_for_what_is_missing():
    products = [product(str(number), ["none yet"]) for number in range(3)]
    assert index_products(products, ["none yet"], 3).stand_ins == ()
    index = index_products(products, ["none yet"], 2)
    assert index.stand_ins == ("none yet",)
    assert keys(dict(match_products(index, []).list_duplicates())) == {"0": [], "1": [], "2": []}


def test_listings_become_products():
    listing = Listing("p", category="chairs", photos=("a", "b", "a"), family="f", seller="s")
    assert to_products([listing]) == (product("p", "ab", "chairs", "f", "s"),)


def test_the_json_is_as_its_schema_says(tmp_path: Path) -> None:
    products = [
        product("Stühle", ["ä", "\udce9"], seller="x"),
        product("q", ["b"], seller="x"),
        product("none", []),
    ]
    found = [match("b", "ä", 0.75, "mirrored"), Match("b", "\udce9", 0.5, (Evidence.SAME_PIXELS,))]
    index = index_products(products, ["b", "ä", "\udce9"])
    write_products_json(tmp_path / "products.json", match_products(index, found))
    text = (tmp_path / "products.json").read_bytes()
    mirrored = (
        '"score": 0.75, "evidence": ["near hashes"], "hash_bits": 3, "similarity": null, '
        '"edit": "mirrored"'
    )
    same = (
        '"score": 0.5, "evidence": ["same pixels"], "hash_bits": null, "similarity": null, '
        '"edit": "", "edited": null}'
    )
    about = '"score": 0.75, "share": 1.0, "relation": "same seller", "photos": '
    expected = (
        "{\n"
        f'"Stühle": [{{"id": "q", {about}[{{"left": "ä", "right": "b", {mirrored}, '
        f'"edited": "left"}}, {{"left": "\\udce9", "right": "b", {same}]}}],\n'
        f'"q": [{{"id": "Stühle", {about}[{{"left": "b", "right": "ä", {mirrored}, '
        f'"edited": "right"}}, {{"left": "b", "right": "\\udce9", {same}]}}],\n'
        '"none": []\n'
        "}\n"
    )
    assert text.decode() == expected
    validate(text)


def test_a_catalogue_without_products_is_an_empty_object(tmp_path: Path) -> None:
    write_products_json(tmp_path / "none.json", match_products(index_products([], []), []))
    assert (tmp_path / "none.json").read_bytes() == b"{}\n"


def validate(text: bytes) -> None:
    schema = json.loads(
        (resources.files("seentwice.dedupe") / "schema/products.schema.json").read_bytes()
    )
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(text))


PHOTOS = "abcdefgh"
NAMES = st.sampled_from([None, "x", "y"])
PRODUCTS = st.lists(
    st.tuples(st.sets(st.sampled_from(PHOTOS)).map(sorted), NAMES, NAMES, NAMES), max_size=6
)
MATCHES = st.lists(
    st.tuples(st.sampled_from(PHOTOS), st.sampled_from(PHOTOS), st.sampled_from([0.5, 0.7, 0.9])),
    max_size=12,
)


def find_slowly(products, searched, matches):
    """Score, share and pairs of photos of every two products that are duplicates, by key."""
    found = {}
    for one, other in combinations(products, 2):
        if one.category != other.category or (one.family and one.family == other.family):
            continue
        scores = defaultdict(float)
        for left in set(one.photos) & set(searched):
            for right in set(other.photos) & set(searched):
                if left == right:
                    scores[left, right] = 1.0
                for match in matches:
                    if {match.left, match.right} == {left, right}:
                        scores[left, right] = max(scores[left, right], match.score)
        if scores:
            photos = len({left for left, _ in scores}) + len({right for _, right in scores})
            among = sum(len(set(each.photos) & set(searched)) for each in (one, other))
            found[one.key, other.key] = max(scores.values()), photos / among, dict(scores)
    return found


@given(PRODUCTS, st.sets(st.sampled_from(PHOTOS)).map(sorted), MATCHES, st.integers(1, 5))
def test_products_are_those_that_a_slow_loop_finds(described, searched, pairs, chunk):
    products = [product(str(at), *one) for at, one in enumerate(described)]
    matches = [match(left, right, score) for left, right, score in pairs if left != right]
    index = index_products(products, searched)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products_module, "_CHUNK", chunk)
        found = dict(match_products(index, matches).list_duplicates())
        numbers = [
            (searched.index(one.left), searched.index(one.right))
            for one in matches
            if one.left in searched and one.right in searched
        ]
        left, right = np.array(numbers, np.int64).reshape(-1, 2).T
        allowed = index.allow(left, right)
    expected = find_slowly(products, searched, matches)
    assert list(found) == [one.key for one in products]
    told = {}
    for key, duplicates in found.items():
        assert [-one.score for one in duplicates] == sorted(-one.score for one in duplicates)
        for one in duplicates:
            scores = {(photos.left, photos.right): photos.match.score for photos in one.photos}
            assert len(scores) == len(one.photos)
            assert all(
                {photos.left, photos.right} == {photos.match.left, photos.match.right}
                for photos in one.photos
            )
            told[key, one.key] = one.score, pytest.approx(one.share), scores
    turned = {
        (right, left): (score, share, {photos[::-1]: at for photos, at in scores.items()})
        for (left, right), (score, share, scores) in expected.items()
    }
    assert told == expected | turned
    slow = [
        any(
            (searched[one], searched[other]) in scores or (searched[other], searched[one]) in scores
            for _, _, scores in expected.values()
        )
        for one, other in zip(left.tolist(), right.tolist(), strict=True)
    ]
    assert allowed.tolist() == slow


SOME = st.sampled_from([None, "x", "y"])


@given(
    st.lists(st.tuples(st.sets(st.integers(0, 5), min_size=1), SOME, SOME), min_size=0, max_size=6),
    st.sets(st.integers(0, 5)),
)
def test_some_photos_can_show_duplicates_if_two_of_them_can(described, chosen):
    photos = [str(number) for number in range(6)]
    products = [
        product(f"p{number}", [photos[photo] for photo in sorted(shown)], category, family)
        for number, (shown, category, family) in enumerate(described)
    ]
    index = index_products(products, photos)
    pairs = np.array(list(combinations(sorted(chosen), 2)), np.int64).reshape(-1, 2)
    expected = index.allow(pairs[:, 0], pairs[:, 1]).any()
    assert index.allow_any(np.array(sorted(chosen), np.int64)) == expected


def test_a_million_photos_of_one_family_are_looked_at_once():
    count = 1_000_000
    index = replace(
        index_products([product("p", "a", family="f")], ["a"]),
        starts=np.arange(count + 1),
        owners=np.arange(count),
        category=np.zeros(count, np.int64),
        family=np.zeros(count, np.int64),
    )
    assert not index.allow_any(np.arange(count))
    index.family[7] = 1
    assert index.allow_any(np.arange(count))

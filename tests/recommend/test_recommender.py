from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_homes import (
    ABOUT,
    TAGS,
    make_records,
    make_snapshot,
    make_values,
    open_made,
    score_slowly,
)

from seentwice.errors import UserError
from seentwice.recommend.candidates import Title
from seentwice.recommend.changing import NewPhotos
from seentwice.recommend.filters import read_filter
from seentwice.recommend.listing_table import load_listings
from seentwice.recommend.listings import ListingRecord, list_photos
from seentwice.recommend.recommender import Recommender
from seentwice.recommend.scores import ScoreWeights
from seentwice.recommend.snapshot import LISTINGS

PHOTOS = 60
VALUES = make_values(0, PHOTOS)
RECORDS = make_records(0, PHOTOS)
WEIGHTS = st.builds(
    ScoreWeights,
    st.sampled_from([0.0, 1.0, 2.5]),
    st.sampled_from([0.0, 0.3]),
    st.sampled_from([0.4, 1.0]),
)


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    return open_made(tmp_path_factory.mktemp("index"), make_snapshot(VALUES), RECORDS)


def title_photos(record: ListingRecord, title: Title) -> list[int]:
    photos = [int(key[1:]) for key in record.photos]
    if title == "any":
        return photos
    if title == "first":
        return photos[:1]
    return [max(photos, key=lambda photo: VALUES[photo, 0])]


def recommend_slowly(
    asked: ListingRecord, title: Title, weights: ScoreWeights
) -> list[tuple[str, float]]:
    """All other listings by score, then by id."""
    own = title_photos(asked, title)
    found = []
    for record in RECORDS:
        photos = [photo for photo in title_photos(record, title) if photo not in own]
        if record.id != asked.id and photos:
            score = max(
                sum(score_slowly(VALUES, one, other, weights)) for one in own for other in photos
            )
            found.append((record.id, score))
    return sorted(found, key=lambda one: (-round(one[1], 5), one[0]))


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, len(RECORDS) - 1),
    st.sampled_from(["first", "front", "any"]),
    st.integers(1, 40),
    WEIGHTS,
)
def test_the_best_by_the_whole_score_are_found_in_order(
    homes: Recommender, number: int, title: Title, k: int, weights: ScoreWeights
) -> None:
    asked = RECORDS[number]
    found = homes.recommend(homes.ask_about(asked.id, title), k, title=title, weights=weights)
    expected = recommend_slowly(asked, title, weights)
    assert len(found) == min(k, len(expected))
    by_id = dict(expected)
    np.testing.assert_allclose(
        [one.score for one in found], [score for _, score in expected[:k]], atol=1e-5
    )
    for one in found:
        assert one.score == pytest.approx(by_id[one.listing], abs=2e-6)
    assert [one.rank for one in found] == list(range(1, len(found) + 1))
    order = [(-one.score, int(one.photo[1:]), one.listing) for one in found]
    assert order == sorted(order)


@pytest.mark.parametrize("title", ["first", "front", "any"])
def test_many_questions_are_answered_as_one_by_one(homes: Recommender, title: Title) -> None:
    asked = [homes.ask_about(record.id, title) for record in RECORDS]
    filters = [read_filter("city=Paris")]
    together = homes.recommend_many(asked, 12, filters, title=title)
    assert together == [homes.recommend(one, 12, filters, title=title) for one in asked]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, PHOTOS - 1), WEIGHTS)
def test_three_parts_add_up_to_the_score_and_are_those_of_the_photos(
    homes: Recommender, number: int, weights: ScoreWeights
) -> None:
    found = homes.recommend(homes.ask_about_photo(f"p{number}"), 50, title="any", weights=weights)
    for one in found:
        assert one.class_points + one.tag_points + one.visual_similarity == one.score
        parts = score_slowly(VALUES, number, int(one.photo[1:]), weights)
        assert (one.class_points, one.tag_points) == pytest.approx(parts[:2], abs=1e-12)
        assert one.visual_similarity == pytest.approx(parts[2], abs=2e-6)


def test_a_similarity_is_exact_beside_large_weights(homes: Recommender) -> None:
    weights = ScoreWeights(1e4, 1e4, 1.0)
    for one in homes.recommend(homes.ask_about_photo("p3"), 50, title="any", weights=weights):
        visual = score_slowly(VALUES, 3, int(one.photo[1:]), weights)[2]
        assert one.visual_similarity == pytest.approx(visual, abs=2e-6)


def test_the_photo_asked_about_and_its_listings_are_no_results(homes: Recommender) -> None:
    for number in range(PHOTOS):
        key = f"p{number}"
        own = {record.id for record in RECORDS if key in record.photos}
        found = homes.recommend(homes.ask_about(key), len(RECORDS), title="any")
        assert {one.listing for one in found}.isdisjoint(own)
        assert len(found) == len(RECORDS) - len(own)


def test_a_photo_that_was_just_looked_at_finds_what_its_own_row_finds(homes: Recommender) -> None:
    indexed = homes.ask_about_photo("p7")
    known = homes.ask_about_file(make_snapshot(VALUES).photos.digests[7].tobytes())
    assert known is not None
    assert homes.recommend(known, 20) == homes.recommend(indexed, 20)
    assert homes.ask_about_file(bytes(32)) is None
    stranger = homes.ask_about_values(VALUES[7])
    best = homes.recommend(stranger, 1, title="any")[0]
    assert best.visual_similarity == 1
    assert best.listing in {record.id for record in RECORDS if "p7" in record.photos}


def test_filters_come_before_the_ranking_so_that_all_that_pass_are_found(
    homes: Recommender,
) -> None:
    asked = homes.ask_about_values(VALUES[0])
    filters = [read_filter("city=paris"), read_filter("price<=12000")]
    found = homes.recommend(asked, 100, filters)
    assert {one.listing for one in found} == {f"L{number:03}" for number in range(0, 13, 2)}
    some = homes.recommend(asked, 100, filters, ["L002", "L003", "L004"])
    assert {one.listing for one in some} == {"L002", "L004"}
    assert homes.recommend(asked, 5, [read_filter("city=Rome")]) == ()


def test_a_tag_is_a_filter_on_the_photo_that_is_compared(homes: Recommender) -> None:
    asked = homes.ask_about_values(VALUES[0])
    found = homes.recommend(asked, 100, [read_filter("front=front")], title="any")
    fronts = {f"p{number}" for number in range(PHOTOS) if VALUES[number, 0] >= 0.5}
    assert {one.photo for one in found} <= fronts
    shown = {record.id for record in RECORDS if fronts.intersection(record.photos)}
    assert {one.listing for one in found} == shown


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("town=Paris", "no column 'town'; there are 'city', 'front', 'pool' and 3 more"),
        ("style=gothic", "choose one of style=modern style=ranch style=spanish"),
        ("price<cheap", "'cheap' is no number"),
        ("Paris", "give COLUMN=VALUE"),
        ("price==5", "'==' is none of <= >= != = < >"),
        ("price=<5", "'=<' is none of"),
    ],
)
def test_a_filter_that_cannot_be_used_names_the_choices(
    homes: Recommender, words: str, told: str
) -> None:
    asked = homes.ask_about_photo("p0")
    with pytest.raises(UserError, match=told):
        homes.recommend(asked, 5, [read_filter(words)])


def test_unknown_names_are_told(homes: Recommender) -> None:
    with pytest.raises(UserError, match="no such listing and no such photo"):
        homes.ask_about("L999")
    with pytest.raises(UserError, match="no listing 'L999'"):
        homes.recommend(homes.ask_about("L000"), 5, candidates=["L999"])


@pytest.mark.parametrize("k", [1, 5, 100, 299])
def test_equal_listings_come_in_the_order_of_their_photos(tmp_path: Path, k: int) -> None:
    values = np.repeat(make_values(3, 1), 300, axis=0)
    snapshot = make_snapshot(values)
    ids = np.random.default_rng(0).permutation(300)
    records = [ListingRecord(f"{key:03}", (f"p{number}",)) for number, key in enumerate(ids)]
    homes = open_made(tmp_path, snapshot, records)
    found = homes.recommend(homes.ask_about("000"), k)
    assert [one.listing for one in found] == [f"{key:03}" for key in ids if key][:k]


def test_a_listing_can_be_added_replaced_and_removed(tmp_path: Path) -> None:
    homes = open_made(tmp_path, make_snapshot(VALUES), RECORDS)
    asked = homes.ask_about_values(VALUES[5])
    photos = NewPhotos(("new",), np.ones((1, 32), np.uint8), VALUES[5:6])
    before = len(homes)
    for _ in range(2):  # the second time nothing changes
        homes.add(ListingRecord("N", ("new", "p9"), {"city": "Nice", "pool": "yes"}), photos)
        (best,) = homes.recommend(asked, 1, [read_filter("pool=yes")])
        assert (best.listing, best.photo, best.visual_similarity) == ("N", "new", 1.0)
        assert len(homes) == before + 1
    homes.add(ListingRecord("N", ("p9",), {"city": "Nice"}), NewPhotos((), *_nothing()))
    (best,) = homes.recommend(asked, 1, [read_filter("city=nice")])
    assert best.photo == "p9"
    homes.remove("N")
    assert homes.recommend(asked, 1, [read_filter("city=nice")]) == ()
    assert len(homes) == before
    with pytest.raises(UserError, match="no listing 'N'"):
        homes.remove("N")


def test_a_listing_that_cannot_be_added_or_kept_changes_nothing(tmp_path: Path) -> None:
    homes = open_made(tmp_path, make_snapshot(VALUES), RECORDS)
    asked = homes.ask_about_values(VALUES[5])
    before, table = homes.recommend(asked, 100), load_listings(tmp_path / LISTINGS)
    with pytest.raises(UserError, match="listing 'N' names no photo of the index"):
        homes.add(ListingRecord("N", ("unknown",)), NewPhotos((), *_nothing()))
    infinite = np.full((1, VALUES.shape[1]), np.inf, np.float32)
    with np.errstate(invalid="ignore"), pytest.raises(ValueError, match="finite"):
        homes.add(
            ListingRecord("N", ("new",)), NewPhotos(("new",), np.ones((1, 32), np.uint8), infinite)
        )
    assert load_listings(tmp_path / LISTINGS) == table
    (tmp_path / LISTINGS).rename(tmp_path / "away")
    photos = NewPhotos(("p7",), np.ones((1, 32), np.uint8), VALUES[8:9])
    with pytest.raises(UserError, match="holds no"):
        homes.add(ListingRecord("L000", ("p7",)), photos)
    assert homes.recommend(asked, 100) == before


def test_a_listing_without_photos_can_be_removed(tmp_path: Path) -> None:
    records = [*RECORDS, ListingRecord("empty", ("unknown",))]
    homes = open_made(tmp_path, make_snapshot(VALUES), records)
    homes.remove("empty")
    assert "empty" not in {record.id for record in load_listings(tmp_path / LISTINGS)}
    with pytest.raises(UserError, match="no listing 'empty'"):
        homes.remove("empty")


def test_a_photo_that_changed_is_found_anew_by_all_listings_that_show_it(tmp_path: Path) -> None:
    records = [
        ListingRecord("A", ("p1",)),
        ListingRecord("B", ("p1",)),
        ListingRecord("C", ("p2",)),
    ]
    homes = open_made(tmp_path, make_snapshot(VALUES), records)
    other = NewPhotos(("p1",), np.ones((1, 32), np.uint8), VALUES[50:51])
    homes.add(ListingRecord("B", ("p1",)), other)
    found = homes.recommend(homes.ask_about_values(VALUES[50]), 3)
    assert [one.listing for one in found[:2]] == ["A", "B"]
    assert [one.visual_similarity for one in found[:2]] == [1.0, 1.0]


def test_questions_are_answered_in_full_while_listings_come_and_go(tmp_path: Path) -> None:
    homes = open_made(tmp_path, make_snapshot(VALUES), RECORDS)
    asked = homes.ask_about_values(VALUES[5])
    before = len(homes)
    done = Event()

    def change() -> None:
        for number in range(20):
            photos = NewPhotos(("new",), np.full((1, 32), number, np.uint8), VALUES[5:6])
            homes.add(ListingRecord("N", ("new",)), photos)
            homes.remove("N")
        done.set()

    with ThreadPoolExecutor(3) as pool:
        changing = pool.submit(change)

        def question() -> set[int]:
            sizes = set()
            while not done.is_set():
                sizes.add(len(homes.recommend(asked, 100, title="any")))
            return sizes

        asking = [pool.submit(question) for _ in range(2)]
        changing.result()
        for one in asking:
            assert one.result() <= {before, before + 1}
    assert len(homes) == before


def test_a_listing_can_be_asked_about_while_its_photos_are_replaced(tmp_path: Path) -> None:
    homes = open_made(tmp_path, make_snapshot(VALUES), RECORDS)
    done = Event()

    def change() -> None:
        for number in range(150):
            values = VALUES[number % PHOTOS : number % PHOTOS + 1]
            photos = NewPhotos(("p7",), np.full((1, 32), number, np.uint8), values)
            homes.add(ListingRecord("N", ("p7",)), photos)
        done.set()

    def ask() -> None:
        while not done.is_set():
            homes.ask_about_photo("p7")

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(work) for work in (change, ask, ask, ask)]
        for one in running:
            one.result()


def test_the_rows_of_a_state_stay_when_a_photo_is_replaced(tmp_path: Path) -> None:
    homes = open_made(tmp_path, make_snapshot(VALUES), RECORDS)
    before = homes.state
    number = before.photo_numbers["p7"]
    row = before.near.read(np.array([number]))
    homes.add(
        ListingRecord("N", ("p7",)), NewPhotos(("p7",), np.ones((1, 32), np.uint8), VALUES[8:9])
    )
    np.testing.assert_array_equal(before.near.read(np.array([number])), row)
    now = homes.state
    assert now.near.read(np.array([now.photo_numbers["p7"]])).tolist() != row.tolist()


def test_listings_that_come_of_photos_cannot_be_added(tmp_path: Path) -> None:
    snapshot = replace(make_snapshot(VALUES), about=replace(ABOUT, grouping="photo"))
    listings = list_photos(snapshot.photos.keys, snapshot.photos.is_there)
    homes = Recommender(tmp_path, tmp_path, snapshot, listings)
    assert len(homes.recommend(homes.ask_about("p0"), 100)) == PHOTOS - 1
    with pytest.raises(UserError, match="index with --listings"):
        homes.remove("p0")


def test_the_best_house_front_needs_a_tagger(tmp_path: Path) -> None:
    values = VALUES.copy()
    values[:, TAGS.columns[0]] = [0, 1]
    homes = open_made(tmp_path, make_snapshot(values), RECORDS)
    with pytest.raises(UserError, match="the index knows none"):
        homes.ask_about("L000", "front")


def _nothing() -> tuple[np.ndarray, np.ndarray]:
    return np.empty((0, 32), np.uint8), np.empty((0, VALUES.shape[1]), np.float32)

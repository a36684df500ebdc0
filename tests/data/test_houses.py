import csv
from importlib.resources import files
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.data import houses
from seentwice.data.components import name_components
from seentwice.data.houses import DUPLICATES, ROOM_TYPES, HousesSource, read_houses
from seentwice.errors import UserError

LIST = files("seentwice.data").joinpath(DUPLICATES).read_text(encoding="utf-8")
LISTED = list(csv.DictReader(LIST.splitlines()))


def write_photos(root: Path, names: list[str]) -> None:
    """Files of different bytes: reading the set opens no photo."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def read_by_key(root: Path):
    return {photo.key: photo for photo in read_houses(root).photos}


def test_each_photo_is_a_place_of_its_house(tmp_path):
    write_photos(tmp_path, [f"{n}_{room}.jpg" for n in (401, 1000) for room in ROOM_TYPES])
    photo_set = HousesSource(tmp_path).read()
    assert photo_set.name == "houses"
    assert [(p.place, p.property, p.room_type, p.zone) for p in photo_set.photos[:4]] == [
        (f"1000_{room}", "1000", room, None) for room in ROOM_TYPES
    ]
    assert {p.place for p in photo_set.photos} == {Path(p.key).stem for p in photo_set.photos}


def test_case_and_folders_of_a_name_do_not_matter(tmp_path):
    write_photos(tmp_path, ["some/401_Kitchen.JPG"])
    photo = read_by_key(tmp_path)["some/401_Kitchen.JPG"]
    assert (photo.place, photo.property, photo.room_type) == ("401_kitchen", "401", "kitchen")


def test_the_same_bytes_are_one_place_of_one_home(tmp_path):
    write_photos(tmp_path, [f"{n}_{room}.jpg" for n in (500, 1000, 2000) for room in ROOM_TYPES])
    (tmp_path / "1000_frontal.jpg").write_text("a front")
    (tmp_path / "500_frontal.jpg").write_text("a front")
    photos = read_by_key(tmp_path)
    assert photos["1000_frontal.jpg"].place == photos["500_frontal.jpg"].place == "500_frontal"
    assert photos["1000_kitchen.jpg"].place == "1000_kitchen"
    homes = {photo.property for key, photo in photos.items() if not key.startswith("2000")}
    zones = {photo.zone for key, photo in photos.items() if not key.startswith("2000")}
    assert homes == zones == {"500"}
    assert {photos[f"2000_{room}.jpg"].zone for room in ROOM_TYPES} == {None}


def test_one_photo_under_two_rooms_of_a_house_is_one_place(tmp_path):
    write_photos(tmp_path, [f"401_{room}.jpg" for room in ROOM_TYPES])
    (tmp_path / "401_kitchen.jpg").write_text("401_bedroom.jpg")
    photos = read_by_key(tmp_path)
    assert photos["401_kitchen.jpg"].place == photos["401_bedroom.jpg"].place == "401_bedroom"
    assert photos["401_kitchen.jpg"].room_type == "kitchen"
    assert photos["401_kitchen.jpg"].zone is None


def test_listed_duplicates_are_one_place_of_one_home(tmp_path):
    write_photos(tmp_path, [f"{n}_{room}.jpg" for n in range(1, 401) for room in ROOM_TYPES])
    photos = read_by_key(tmp_path)
    for row in LISTED:
        left, right = photos[row["left"]], photos[row["right"]]
        assert (left.place, left.property) == (right.place, right.property)
    assert len({photo.place for photo in photos.values()}) == 1600 - len(LISTED)
    assert len({photo.property for photo in photos.values()}) == 400 - 10
    # The kitchens of a home that was listed twice, from two sides.
    nine, twenty_one = photos["9_kitchen.jpg"], photos["21_kitchen.jpg"]
    assert nine.place != twenty_one.place
    assert nine.zone == twenty_one.zone == "9"


def test_names_alone_tell_places_and_homes_where_duplicates_are_not_to_be_known(tmp_path):
    write_photos(tmp_path, [f"{n}_{room}.jpg" for n in (9, 21, 500, 600) for room in ROOM_TYPES])
    (tmp_path / "600_frontal.jpg").write_text("500_frontal.jpg")
    photos = HousesSource(tmp_path, known_duplicates=False).read().photos
    assert {(p.key, p.place, p.property, p.zone) for p in photos} == {
        (f"{n}_{room}.jpg", f"{n}_{room}", str(n), None)
        for n in (9, 21, 500, 600)
        for room in ROOM_TYPES
    }


def test_a_home_listed_twice_is_no_zone_where_one_listing_is_missing(tmp_path):
    write_photos(tmp_path, [f"21_{room}.jpg" for room in ROOM_TYPES])
    assert {photo.zone for photo in read_houses(tmp_path).photos} == {None}


def test_the_list_names_photos_in_order_and_none_with_itself():
    assert all(row["how"] in ("same bytes", "saved again") for row in LISTED)
    numbers = [
        tuple(int(row[side].partition("_")[0]) for side in ("left", "right")) for row in LISTED
    ]
    assert numbers == sorted(numbers)
    assert all(row["left"] != row["right"] for row in LISTED)


def test_a_photo_that_vanishes_is_left_to_its_reader(tmp_path, monkeypatch):
    write_photos(tmp_path, ["401_kitchen.jpg", "402_kitchen.jpg"])
    find = houses.find_photos

    def find_and_delete(root):
        found = find(root)
        (root / "401_kitchen.jpg").unlink()
        return found

    monkeypatch.setattr(houses, "find_photos", find_and_delete)
    assert [photo.place for photo in read_houses(tmp_path).photos] == ["401_kitchen", "402_kitchen"]


def test_other_names_are_refused(tmp_path):
    write_photos(tmp_path, ["401_kitchen.jpg", "401_garage.jpg", "some/402.jpg"])
    told = r"2 of 3 photos are not of the Houses-dataset \('401_garage\.jpg', 'some/402\.jpg'\)"
    with pytest.raises(UserError, match=rf"{told}; its photos are named <number>_<bathroom"):
        read_houses(tmp_path)


def test_a_zip_with_some_other_names_can_be_mended_as_the_error_says(tmp_path, houses_zip):
    archive = tmp_path / "my.zip"
    archive.write_bytes(houses_zip)
    with ZipFile(archive, "a") as file:
        file.writestr("Houses-dataset-master/Houses Dataset/IMG_1.jpg", b"")
    source = HousesSource(tmp_path / "new", archive=archive)
    source.prepare(ignore)
    with pytest.raises(UserError, match="delete the others, with their lines in SHA256SUMS"):
        source.read()
    (other,) = (tmp_path / "new").rglob("IMG_1.jpg")
    other.unlink()
    sums = tmp_path / "new" / "SHA256SUMS"
    kept = [line for line in sums.read_text().splitlines(True) if "IMG_1" not in line]
    sums.write_text("".join(kept))
    source.prepare(ignore)
    assert len(source.read().photos) == 8


def test_a_zip_of_another_shape_is_not_kept(tmp_path, houses_zip, airbnb_zip):
    (tmp_path / "my.zip").write_bytes(airbnb_zip)
    source = HousesSource(tmp_path / "new", archive=tmp_path / "my.zip")
    told = (
        r"my\.zip: 6 of its 6 photos are not named <number>_<bathroom\|bedroom\|frontal\|kitchen>"
    )
    with pytest.raises(UserError, match=rf"{told}.*Houses-dataset are \(.*\); nothing was kept"):
        source.prepare(ignore)
    assert not (tmp_path / "new").exists()
    (tmp_path / "my.zip").write_bytes(houses_zip)
    source.prepare(ignore)
    assert len(source.read().photos) == 8


def ignore(done: int, total: int) -> None:
    """Show nothing."""


@pytest.mark.parametrize("folder", ["", "Houses Dataset", "Houses-dataset-master/Houses Dataset"])
def test_the_repository_is_read_from_any_folder_of_it(tmp_path, folder):
    write_photos(tmp_path / folder, ["401_kitchen.jpg"])
    assert list(read_by_key(tmp_path)) == ["401_kitchen.jpg"]


def test_the_repository_is_downloaded_once(tmp_path, site, houses_zip):
    site.serve("/master.zip", houses_zip, announced=False)
    source = HousesSource(tmp_path / "houses", tmp_path / "houses", f"{site.url}/master.zip")
    for _ in range(2):
        source.prepare(ignore)
        keys = [photo.key for photo in source.read().photos]
        assert keys == [f"{house}_{room}.jpg" for house in (501, 502) for room in ROOM_TYPES]
        assert site.asked == ["/master.zip"]


def test_the_repository_comes_out_of_a_zip(tmp_path, houses_zip):
    (tmp_path / "houses.zip").write_bytes(houses_zip)
    source = HousesSource(tmp_path / "new", archive=tmp_path / "houses.zip")
    source.prepare(ignore)
    assert len(source.read().photos) == 8


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=20))
def test_components_are_named_after_their_smallest_node(links):
    named = name_components(links)
    expected = {node: node for link in links for node in link}
    for _ in expected:  # the smaller name spreads over every link, one step at a time
        for left, right in links:
            expected[left] = expected[right] = min(expected[left], expected[right])
    assert named == expected

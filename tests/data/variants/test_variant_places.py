import csv
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from seentwice.data.folder import Homes, read_folder
from seentwice.data.sampling.items import describe_items
from seentwice.data.splits import groups_of
from seentwice.data.variants.places import count_named_places, read_places, write_manifest
from seentwice.data.variants.plan import VariantSettings, files_of
from seentwice.data.variants.unique import UniquePhotos, find_unique
from seentwice.errors import UserError
from seentwice.records import View

SETTINGS = VariantSettings(0, ("crop", "rotate"), "jpeg")
PHOTOS = {  # by key: home and zone
    "kitchen/a_1_1.jpg": ("home a", "open"),
    "kitchen/a_1_2.jpg": ("home a", ""),
    "living-room/a_2_1.jpg": ("home a", "open"),
    "bedroom/a_3_1.jpg": ("home a", ""),
    "bedroom/b_1_1.jpg": ("", ""),
    "bedroom/b_1_2.jpg": ("home, b", ""),
    "Test Data/bedroom/b_1_3.jpg": ("home, b", ""),
    "kitchen/a_3_1.jpg": ("", ""),
}


def write_photos(root: Path, has_manifest: bool) -> UniquePhotos:
    for number, key in enumerate(PHOTOS):
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(b"a photo" + bytes([number]))
    if has_manifest:
        with (root / "manifest.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("file", "property", "zone_id"))
            writer.writerows((key, *row) for key, row in PHOTOS.items())
    return find_unique(root, lambda done, total: None)


def groups(names: tuple[str, ...], keys: tuple[str, ...]) -> set[frozenset[str]]:
    return {
        frozenset(key for key, other in zip(keys, names, strict=True) if other == name)
        for name in names
    }


def test_names_tell_places_and_zones_join_them(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", True)
    places = read_places(photos, Homes.MANIFEST)
    assert groups(places.names, photos.keys) == {
        frozenset({"kitchen/a_1_1.jpg", "kitchen/a_1_2.jpg", "living-room/a_2_1.jpg"}),
        frozenset({"bedroom/a_3_1.jpg"}),
        frozenset(key for key in PHOTOS if "b_1" in key),
        frozenset({"kitchen/a_3_1.jpg"}),
    }
    assert places.count == 4
    codes = [places.codes[places.names.index(name)] for name in places.names]
    assert places.codes.tolist() == codes
    assert sorted(set(codes)) == [0, 1, 2, 3]
    assert dict(zip(photos.keys, places.properties, strict=True)) == {
        key: home or None for key, (home, _) in PHOTOS.items()
    }


def test_without_a_manifest_names_alone_tell(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", False)
    places = read_places(photos, Homes.MANIFEST)
    assert places.count == 5
    assert set(places.properties) == {None}


@pytest.mark.parametrize("has_manifest", [False, True])
def test_what_is_written_keeps_places_together_and_no_home_in_two_splits(
    has_manifest: bool, tmp_path: Path
) -> None:
    photos = write_photos(tmp_path / "photos", has_manifest)
    places, out = read_places(photos, Homes.MANIFEST), tmp_path / "out"
    key_of = {file: key for key in photos.keys for file in files_of(key, SETTINGS)}
    for file in key_of:
        (out / file).parent.mkdir(parents=True, exist_ok=True)
        (out / file).write_bytes(b"a copy")
    write_manifest(out, photos.keys, places, SETTINGS)

    found = read_folder(out).photos
    assert len(found) == 3 * len(PHOTOS)
    place_of = dict(zip(photos.keys, places.names, strict=True))
    items = describe_items(
        [View(photo) for photo in found],
        np.arange(len(found), dtype=np.uint64),
        np.zeros(len(found), np.uint64),
    )
    low, high = np.array(list(combinations(range(len(found)), 2))).T
    names = np.array([place_of[key_of[photo.key]] for photo in found])
    assert (items.negatives().holds(low, high) == (names[low] != names[high])).all()
    same = items.same_places().holds(low, high)
    keys = np.array([key_of[photo.key] for photo in found])
    assert (same == (keys[low] == keys[high])).all()

    before = read_folder(photos.root).photos
    group_of = dict(zip((photo.key for photo in before), groups_of(before), strict=True))
    together = dict(zip((photo.key for photo in found), groups_of(found), strict=True))
    for one, other in combinations(key_of, 2):
        as_before = group_of[key_of[one]] == group_of[key_of[other]]
        assert (together[one] == together[other]) == as_before


def test_the_first_part_of_a_name_is_the_home_beside_the_manifest(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", True)
    places = read_places(photos, Homes.NAME)
    assert dict(zip(photos.keys, places.properties, strict=True)) == {
        key: home or ("a" if "/a_" in key else "b") for key, (home, _) in PHOTOS.items()
    }


def test_files_of_the_same_bytes_under_another_place_are_counted(tmp_path: Path) -> None:
    write_photos(tmp_path, False)
    (tmp_path / "kitchen/a_1_3.jpg").write_bytes(b"a photo\0")
    (tmp_path / "kitchen/z_1_3.jpg").write_bytes(b"a photo\0")
    places = read_places(find_unique(tmp_path, lambda done, total: None), Homes.MANIFEST)
    assert places.misplaced == 1
    assert len(places.names) == len(PHOTOS)


def test_a_photo_without_a_place_and_one_that_went_are_one_line(tmp_path: Path) -> None:
    photos = write_photos(tmp_path, False)
    (tmp_path / "IMG1.jpg").write_bytes(b"1")
    with pytest.raises(
        UserError, match=r"names of 1 of 9 photos tell no place \('IMG1\.jpg'\); name photos"
    ):
        read_places(photos, Homes.MANIFEST)
    (tmp_path / "IMG1.jpg").unlink()
    (tmp_path / "bedroom/a_3_1.jpg").unlink()
    with pytest.raises(UserError, match=r"'bedroom/a_3_1\.jpg' was there and is not any more"):
        read_places(photos, Homes.MANIFEST)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (PHOTOS, (8, 5)),
        (("IMG_1234.jpg", "IMG_1235.jpg"), (2, 2)),
        (("a/DSC_2024_01.jpg", "a/DSC_2024_02.jpg", "b/DSC_2024_02.jpg"), (3, 2)),
        (("1.jpg", "2.jpg", "a_b.jpg"), (1, 1)),
    ],
)
def test_places_are_counted_of_names_that_tell_one(
    keys: tuple[str, ...], told: tuple[int, int]
) -> None:
    assert count_named_places(keys) == told

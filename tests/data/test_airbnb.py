from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from seentwice.commands.main import main
from seentwice.data.airbnb import SLUG, AirbnbSource, read_airbnb
from seentwice.data.fetching.archives import CHECKSUMS
from seentwice.data.splits import Assign, SplitBy, SplitRule, groups_of, split_photos
from seentwice.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
AIRBNB_NAMES = ROOT.parent / "shared" / "data" / "airbnb_file_names.txt"
ASKED = "/v1/datasets.DatasetApiService/DownloadDataset"
KEYS = (
    "Test Data/bedroom/boston_1_1.jpg",
    "Training Data/bedroom/boston_1_1.jpg",
    "Training Data/bedroom/boston_2_1.jpg",
    "Training Data/bedroom/boston_2_2.jpg",
    "Training Data/kitchen/boston_2_1.jpg",
    "Training Data/kitchen/seattle_3_1.jpg",
)


def write_photos(root: Path, keys=KEYS) -> None:
    """Empty files: reading the set opens no photo."""
    for key in keys:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).touch()


def ignore(done: int, total: int) -> None:
    """Show nothing."""


@pytest.mark.parametrize("above", ["", "Airbnb Data", "Airbnb Data/Airbnb Data"])
def test_names_tell_place_listing_city_and_split(tmp_path, above):
    write_photos(tmp_path / above)
    photo_set = AirbnbSource(tmp_path).read()
    assert photo_set.name == "airbnb"
    assert [photo.key for photo in photo_set.photos] == list(KEYS)
    assert [(p.place, p.property, p.city, p.room_type, p.split) for p in photo_set.photos] == [
        ("test/bedroom/boston_1", "boston_1", "boston", "bedroom", "test"),
        ("train/bedroom/boston_1", "boston_1", "boston", "bedroom", "train"),
        ("train/bedroom/boston_2", "boston_2", "boston", "bedroom", "train"),
        ("train/bedroom/boston_2", "boston_2", "boston", "bedroom", "train"),
        ("train/kitchen/boston_2", "boston_2", "boston", "kitchen", "train"),
        ("train/kitchen/seattle_3", "seattle_3", "seattle", "kitchen", "train"),
    ]


def test_a_room_in_both_folders_is_no_pair_and_in_one_split(tmp_path):
    write_photos(tmp_path, [*KEYS, "Training Data/bedroom/oslo_4_1.jpg"])
    photos = read_airbnb(tmp_path).photos
    tested, trained = photos[:2]
    assert tested.place != trained.place
    assert tested.zone == trained.zone
    rule = SplitRule(SplitBy.PROPERTY, Assign.NAME, 0)
    split = split_photos(photos, 0.3, 0.3, rule)
    assert {photos[index].key for index in split.test} == {tested.key, trained.key}


def test_the_own_split_of_a_listing_in_both_folders_is_that_of_the_folders(tmp_path):
    write_photos(tmp_path)
    photos = read_airbnb(tmp_path).photos
    split = split_photos(photos, 0.3, 0.3, SplitRule(SplitBy.PROPERTY, Assign.OWN, 0))
    assert [photos[index].key for index in split.test] == list(KEYS[:1])
    assert [photos[index].key for index in split.train] == list(KEYS[1:])


def test_a_folder_without_splits_is_read(tmp_path):
    write_photos(tmp_path, ["bedroom/boston_2_1.jpg"])
    (photo,) = read_airbnb(tmp_path).photos
    assert (photo.place, photo.split, photo.property) == ("bedroom/boston_2", None, "boston_2")


def test_what_a_manifest_knows_comes_first(tmp_path):
    write_photos(tmp_path, KEYS[:1])
    (tmp_path / "manifest.csv").write_text(f"file,property,zone_id\n{KEYS[0]},home,open plan\n")
    (photo,) = read_airbnb(tmp_path).photos
    assert (photo.property, photo.zone) == ("home", "open plan")


def test_a_missing_folder_is_not_downloaded_where_another_is_meant(tmp_path):
    source = AirbnbSource(tmp_path / "typo", download_to=tmp_path / "airbnb")
    with pytest.raises(UserError, match=r"typo': no such folder; .*data\.download_to=FOLDER"):
        source.prepare(ignore)


def test_a_zip_fills_the_folder_that_is_named(tmp_path, airbnb_zip):
    (tmp_path / "my.zip").write_bytes(airbnb_zip)
    source = AirbnbSource(tmp_path / "new", archive=tmp_path / "my.zip")
    source.prepare(ignore)
    assert [photo.key for photo in source.read().photos] == list(KEYS)


def test_a_zip_of_another_shape_is_not_kept(tmp_path, houses_zip, airbnb_zip):
    (tmp_path / "my.zip").write_bytes(houses_zip)
    source = AirbnbSource(tmp_path / "new", archive=tmp_path / "my.zip")
    told = r"my\.zip: 8 of its 8 photos are not named \{Training Data,Test Data\}/<room type>/"
    with pytest.raises(UserError, match=rf"{told}.*501_bathroom\.jpg.* and 5 more\); nothing was"):
        source.prepare(ignore)
    assert not (tmp_path / "new").exists()
    (tmp_path / "my.zip").write_bytes(airbnb_zip)
    source.prepare(ignore)
    assert len(source.read().photos) == len(KEYS)


def test_another_number_of_training_photos_is_noted(tmp_path):
    write_photos(tmp_path, KEYS)
    (note,) = read_airbnb(tmp_path).notes
    assert note.startswith("5 training photos, where the set on Kaggle has 631;")
    write_photos(tmp_path, [f"Training Data/attic/oslo_{number}_1.jpg" for number in range(626)])
    assert read_airbnb(tmp_path).notes == ()


def test_the_first_command_downloads_and_the_second_asks_nobody(
    tmp_path, monkeypatch, kaggle_site, airbnb_zip, capsys
):
    monkeypatch.chdir(tmp_path)
    kaggle_site.serve(ASKED, status=302, headers={"Location": "/storage.zip"})
    kaggle_site.serve("/storage.zip", airbnb_zip)
    for _ in range(2):
        assert main(["prepare", "data=airbnb", "workers=1"]) == 0
        assert "airbnb: 6 photos of 5 places, 1 pair of one place" in capsys.readouterr().out
        assert kaggle_site.asked == [ASKED, "/storage.zip"]
    assert (tmp_path / "data" / "raw" / "airbnb" / CHECKSUMS).is_file()


def test_a_command_without_a_token_says_so_in_one_line(tmp_path, monkeypatch, kaggle_site, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KAGGLE_KEY")
    assert main(["prepare", "data=airbnb"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("seentwice prepare: no Kaggle token (none found): make one at https://")
    assert line.endswith(f"from https://www.kaggle.com/datasets/{SLUG} and give data.archive=ZIP")
    assert [path.name for path in (tmp_path / "data" / "raw").iterdir()] == [".airbnb.lock"]


def test_the_training_set_comes_out_as_published(tmp_path):
    if not AIRBNB_NAMES.is_file():
        pytest.skip(f"needs the file names of the Airbnb training set, {AIRBNB_NAMES.name}")
    keys = AIRBNB_NAMES.read_text(encoding="utf-8").splitlines()
    write_photos(tmp_path, [f"Airbnb Data/{key}" for key in keys])
    photos = read_airbnb(tmp_path).photos
    assert len(photos) == 630
    places = Counter(photo.place for photo in photos)
    assert len(places) == 277
    assert Counter(places.values()) == {2: 217, 3: 37, 4: 15, 5: 3, 6: 1, 1: 4}
    pairs = list(combinations(photos, 2))
    assert sum(one.place == other.place for one, other in pairs) == 463
    assert sum(one.zone == other.zone for one, other in pairs) == 463
    assert Counter(photo.city for photo in photos) == {"boston": 429, "seattle": 201}
    assert {photo.split for photo in photos} == {"train"}
    listings = {key.split("/")[-1].rpartition("_")[0] for key in keys}
    assert set(groups_of(photos)) == {photo.property for photo in photos} == listings

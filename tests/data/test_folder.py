import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from seentwice.data.folder import FolderSource, Homes, place_of, read_folder
from seentwice.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
AIRBNB_NAMES = ROOT.parent / "shared" / "data" / "airbnb_file_names.txt"
KEYS = ("bedroom/berlin_1_1.jpg", "bedroom/berlin_1_2.jpg", "kitchen/oslo_2_1.jpg")


def write_photos(root: Path, keys=KEYS) -> None:
    """Empty files: reading a folder opens no photo."""
    for key in keys:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).touch()


def write_manifest(root: Path, content: str | bytes) -> None:
    data = content.encode() if isinstance(content, str) else content
    (root / "manifest.csv").write_bytes(data)


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("bedroom/berlin_4711_1.jpg", "bedroom/berlin_4711"),
        ("a/b/bedroom/berlin_4711_1.jpg", "bedroom/berlin_4711"),
        ("bedroom/berlin_4711.jpg", "bedroom/berlin_4711"),
        ("bedroom/new york_4711_1_edited.final.jpg", "bedroom/new york_4711"),
        ("berlin_4711_1.jpg", "/berlin_4711"),
    ],
)
def test_folder_and_two_parts_of_the_name_tell_the_place(key, place):
    assert place_of(key) == place


@pytest.mark.parametrize("name", ["IMG.jpg", "berlin_.jpg", "_4711.jpg", "_.jpg"])
def test_a_name_that_tells_no_place_is_refused(tmp_path, name):
    assert place_of(f"bedroom/{name}") is None
    write_photos(tmp_path, [*KEYS, f"bedroom/{name}"])
    with pytest.raises(UserError, match=rf"{re.escape(name)}'.*name photos <room type>/<home>"):
        read_folder(tmp_path)


def test_all_names_that_tell_no_place_are_counted_and_the_first_are_shown(tmp_path):
    write_photos(tmp_path, [*KEYS, *(f"IMG{number}.jpg" for number in range(1, 6))])
    shown = r"'IMG1\.jpg', 'IMG2\.jpg', 'IMG3\.jpg' and 2 more"
    with pytest.raises(
        UserError, match=rf"5 of 8 photos tell no place \({shown}\); name .*; or delete those"
    ):
        read_folder(tmp_path)


def test_photos_come_sorted_with_place_and_room_type(tmp_path):
    write_photos(tmp_path / "homes", reversed(KEYS))
    photo_set = FolderSource(tmp_path / "homes").read()
    assert photo_set.name == "homes"
    assert [photo.key for photo in photo_set.photos] == sorted(KEYS)
    assert [(p.place, p.room_type, p.property, p.zone, p.split) for p in photo_set.photos] == [
        ("bedroom/berlin_1", "bedroom", None, None, None),
        ("bedroom/berlin_1", "bedroom", None, None, None),
        ("kitchen/oslo_2", "kitchen", None, None, None),
    ]


@pytest.mark.parametrize(
    ("folder", "split", "room_type"),
    [
        ("Training Data/bedroom", "train", "bedroom"),
        ("TEST DATA/bedroom", "test", "bedroom"),
        ("train/bedroom", "train", "bedroom"),
        ("Airbnb Data/Training Data/bedroom", "train", "bedroom"),
        ("Airbnb Data/Test Data/bedroom", "test", "bedroom"),
        ("a/b/test/c/bedroom", "test", "bedroom"),
        ("test/train/bedroom", "test", "bedroom"),  # the outermost says it
        ("homes/test", None, "test"),  # the last folder is the room type
        ("Test Data", None, "Test Data"),
        ("latest/bedroom", None, "bedroom"),
    ],
)
def test_a_split_folder_counts_anywhere_above_the_room_type(tmp_path, folder, split, room_type):
    write_photos(tmp_path, [f"{folder}/berlin_1_1.jpg"])
    (photo,) = read_folder(tmp_path).photos
    assert (photo.split, photo.room_type) == (split, room_type)


def test_a_photo_without_a_folder_has_no_room_type_and_a_place_apart(tmp_path):
    write_photos(tmp_path, ["bedroom/berlin_1_1.jpg", "berlin_1_1.jpg", "berlin_1_2.jpg"])
    inside, *outside = read_folder(tmp_path).photos
    assert [(photo.split, photo.room_type) for photo in outside] == [(None, None)] * 2
    assert {photo.place for photo in outside} == {"/berlin_1"} != {inside.place}


def test_the_first_part_of_the_name_is_the_home_where_it_is_said_to_be(tmp_path):
    write_photos(tmp_path, [*KEYS, "kitchen/berlin_9_1.jpg", "oslo_3_1.jpg"])
    photos = FolderSource(tmp_path, Homes.NAME).read().photos
    assert [photo.property for photo in photos] == ["berlin", "berlin", "berlin", "oslo", "oslo"]
    write_manifest(tmp_path, "file,property\n" + "".join(f"{p.key},\n" for p in photos[1:]))
    with (tmp_path / "manifest.csv").open("a") as manifest:
        manifest.write(f"{photos[0].key},villa\n")
    photos = FolderSource(tmp_path, Homes.NAME).read().photos
    assert [photo.property for photo in photos] == ["villa", "berlin", "berlin", "oslo", "oslo"]


def test_a_manifest_of_some_photos_will_do_where_the_names_tell_homes(tmp_path):
    write_photos(tmp_path)
    write_manifest(tmp_path, "file,zone_id\n" + "".join(f"{key},open\n" for key in KEYS[:2]))
    found = FolderSource(tmp_path, Homes.NAME).read()
    (note,) = found.notes
    assert note.endswith(
        "manifest.csv: rows for 2 of 3 photos; the homes of the others are those of their names"
    )
    zones = {photo.key: photo.zone for photo in found.photos}
    assert zones == {KEYS[0]: "open", KEYS[1]: "open", KEYS[2]: None}
    with pytest.raises(
        UserError, match=r"every photo needs one \(with data=folder data\.homes=nam"
    ):
        FolderSource(tmp_path).read()


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])  # Excel writes a byte order mark
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_the_manifest_adds_property_and_zone(tmp_path, mark, line_end):
    write_photos(tmp_path)
    lines = [
        "file,notes,property,zone_id",
        'bedroom/berlin_1_1.jpg,"two words, one cell",home,open plan',
        "",
        "bedroom/berlin_1_2.jpg,,,",
        "kitchen/oslo_2_1.jpg,,é,",
        "kitchen/deleted_3_1.jpg,,home,",
    ]
    write_manifest(tmp_path, mark + line_end.join(lines).encode())
    photo_set = read_folder(tmp_path)
    assert photo_set.notes == (
        "manifest.csv: nothing is read from 'notes'; it takes file, property, zone_id",
    )
    assert [(photo.property, photo.zone) for photo in photo_set.photos] == [
        ("home", "open plan"),
        (None, None),
        ("é", None),
    ]


def test_spaces_after_commas_do_not_count_where_the_header_has_them(tmp_path):
    write_photos(tmp_path)
    rows = "".join(f'{key}, "my home", open\n' for key in KEYS)
    write_manifest(tmp_path, f"file, property , zone_id\n{rows}")
    photo_set = read_folder(tmp_path)
    assert {(photo.property, photo.zone) for photo in photo_set.photos} == {("my home", "open")}
    assert photo_set.notes == ()


ROWS = "".join(f"{key},home\n" for key in KEYS)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", r"manifest\.csv: is empty; write the columns file, property and zone_id"),
        (b"\xef\xbb\xbf\r\n", r"manifest\.csv: is empty"),
        (f"file;property\n{ROWS}", r"separated by semicolons, .*; save it with commas"),
        (f'"property";"file"\n{ROWS}', "separated by semicolons"),
        (f"zone_id\tfile\r\n{ROWS}", "separated by tabs"),
        ("photo,property\n", r"it has \['photo', 'property'\]: rename the one that names the ph"),
        (f"file,property\n{ROWS}{KEYS[0]}\n", r"line 5: has fewer cells than the header"),
        ("file,property\n", r"manifest\.csv: has no row; add one for each photo"),
        (f"file\n{KEYS[1]}\n", r"no row for 2 of 3 photos \('bedroom/berlin_1_1\.jpg', 'kitchen"),
        (
            "file\nhomes/bedroom/berlin_1_1.jpg\nhomes/bedroom/berlin_1_2.jpg\n",
            r"no row is of a photo .* names 'homes/bedroom/b\S+jpg', .* is 'bedroom/berlin_1_1",
        ),
        (f"file,property\n{ROWS}{KEYS[0]},other\n", r"line 5: 'bedroom/berlin_1_1\.jpg' again"),
        (f"file\n{ROWS}", "line 2: has more than 1 cells; put one that holds a comma in double q"),
        (f"file;property\r{ROWS}".replace("\n", "\r"), "separated by semicolons"),
        (b"file\rk.jpg\r\xff", "line 3: not UTF-8"),
        (f"file,property\n{ROWS},home\n", "line 5: names no file"),
        (f"property,file\n{'home,' + KEYS[0]}\nhome\n", "line 3: names no file"),
        (f'file,property\n{ROWS}"open', r"line 5: not a table .*unexpected end of data"),
        (f"file,property\n{'x' * 200_000},\n", r"line 2: not a table .*field limit"),
        (b"file,property\na,b\n\xff\xfe,\n", "line 3: not UTF-8"),
        (b"\xef\xbb\xbffile,property\n\xe9,\n", "line 2: not UTF-8"),
        ("file,property\n".encode("utf-16"), r"manifest\.csv: is UTF-16; save it as CSV in UTF-8"),
    ],
)
def test_a_wrong_manifest_is_refused_with_its_line(tmp_path, content, complaint):
    write_photos(tmp_path)
    write_manifest(tmp_path, content)
    with pytest.raises(UserError, match=complaint) as raised:
        read_folder(tmp_path)
    assert "manifest.csv" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_folder_of_the_manifests_name_is_told(tmp_path):
    write_photos(tmp_path)
    (tmp_path / "manifest.csv").mkdir()
    with pytest.raises(UserError, match=r"manifest\.csv: is a folder, not a table of photos; give"):
        read_folder(tmp_path)


def test_a_manifest_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    write_photos(tmp_path)
    write_manifest(tmp_path, f"file\n{ROWS}")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(
        UserError, match=r"manifest\.csv: cannot be read \(Permission denied\); let"
    ):
        read_folder(tmp_path)


def test_a_folder_without_photos_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no photo"):
        read_folder(tmp_path)


def test_the_airbnb_training_set_comes_out_as_published(tmp_path):
    if not AIRBNB_NAMES.is_file():
        pytest.skip(f"needs the file names of the Airbnb training set, {AIRBNB_NAMES.name}")
    keys = AIRBNB_NAMES.read_text(encoding="utf-8").split("\n")
    write_photos(tmp_path, [f"Airbnb Data/{key}" for key in keys if key])
    photos = read_folder(tmp_path).photos
    assert len(photos) == 630
    assert {photo.split for photo in photos} == {"train"}
    sizes = Counter(photo.place for photo in photos)
    assert Counter(sizes.values()) == {2: 217, 3: 37, 4: 15, 5: 3, 6: 1, 1: 4}
    pairs = [one.place == other.place for one, other in combinations(photos, 2)]
    assert sum(pairs) == 463
    assert len(sizes) == 277

import csv

from dedupe_copies import VARIANTS, label_photos, link_catalogue, read_twins

COPIES = {"a_0.jpg": "a.jpg", "a_1.jpg": "a.jpg", "b_0.jpg": "b.jpg", "c_0.jpg": "c.jpg"}


def test_copies_and_known_twins_show_one_thing():
    twins = [("a.jpg", "c.jpg"), ("c.jpg", "elsewhere.jpg")]

    labels = label_photos(["a.jpg", "b.jpg", "a.jpg", "c.jpg", "b.jpg"], twins).tolist()

    assert labels[0] == labels[2] == labels[3]
    assert labels[1] == labels[4] != labels[0]


def test_twins_that_chain_are_one():
    labels = label_photos(["a", "b", "c", "d"], [("a", "b"), ("b", "c")]).tolist()

    assert labels[0] == labels[1] == labels[2] != labels[3]


def test_no_photo_is_its_own_twin():
    assert len(read_twins()) == 23
    assert all(left != right for left, right in read_twins())


def test_a_catalogue_holds_the_copies_of_the_photos_that_are_asked_for(tmp_path):
    copies = tmp_path / "mls"
    copies.mkdir()
    for file in COPIES:
        (copies / file).write_text(file)
    with (copies / VARIANTS).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "photo", "edit", "sha256"])
        writer.writerows([name, photo, "", ""] for name, photo in COPIES.items())

    found = link_catalogue(copies, {"a.jpg", "c.jpg"}, tmp_path / "test")

    assert found.keys == ("a_0.jpg", "a_1.jpg", "c_0.jpg")
    assert found.truth[0] == found.truth[1] != found.truth[2]
    assert {path.name: path.read_text() for path in found.root.iterdir()} == {
        key: key for key in found.keys
    }

"""A table of tags gives photos with what is known of them, or one line that says what is wrong."""

from pathlib import Path

import pytest

from seentwice.data.photo_tags import TagsSource, read_tagged_photos
from seentwice.errors import UserError


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "tags.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    for name in ("a.jpg", "b.jpg"):
        (folder / name).touch()
    return path


def test_each_photo_has_its_home_its_split_and_the_tags_that_are_known(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "photo,home,split,storeys,style\n"
        "b.jpg,7,test,two,\n"
        'a.jpg,,, one ,"spanish, late"\n'
        "gone/c.jpg,7,train,,\n",
    )
    photo_set = TagsSource(path, tmp_path).read()
    assert photo_set.name == "tags"
    one, other, third = photo_set.photos
    assert one.tags == (("storeys", "one"), ("style", "spanish, late"))
    assert (one.property, one.split, one.place, one.path) == (
        *(None, None, "a.jpg"),
        tmp_path / "a.jpg",
    )
    assert (other.tags, other.property, other.split) == ((("storeys", "two"),), "7", "test")
    assert (third.tags, third.key) == ((), "gone/c.jpg")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "tags.csv: is empty; write a column 'photo', one for each tag and a row for each"),
        ("file,storeys\na.jpg,two\n", "needs a column 'photo'; it has ['file', 'storeys']"),
        ("photo;storeys\na.jpg;two\n", "separated by semicolons"),
        ("photo\na.jpg\n", "beside 'photo' it needs one or more"),
        ("photo,home\na.jpg,1\n", "beside 'photo' it needs one or more"),
        ("photo,storeys,storeys\na.jpg,1,2\n", "each with a name of its own"),
        ("photo,storeys,\na.jpg,1,2\n", "each with a name of its own"),
        ("photo,storeys\na.jpg,two\na.jpg,one\n", "line 3: 'a.jpg' again; keep one row"),
        ("photo,storeys\na.jpg,two\n,one\n", "line 3: names no photo; add it"),
        ("photo,storeys\na.jpg,two,3\n", "line 2: has more than 2 cells"),
        ("photo,storeys\na.jpg\n", "line 2: has fewer cells"),
        ("photo,storeys\na.jpg,two\n../b.jpg,1\n", "line 3: '../b.jpg' is no path below"),
        ("photo,storeys\n/b.jpg,1\n", "line 2: '/b.jpg' is no path below"),
        ("photo,split,storeys\na.jpg,tset,1\n", "line 2: split is 'tset'; choose train or test"),
        ("photo,storeys\nx.jpg,1\n", "line 2: no photo 'x.jpg' below"),
        (b"photo,storeys\na.jpg,\xff\n", "line 2: not UTF-8"),
        ("photo,storeys\n", "has no row; add one for each photo"),
    ],
)
def test_what_is_wrong_is_one_line_with_file_and_line(
    text: str | bytes, complaint: str, tmp_path: Path
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(UserError) as raised:
        read_tagged_photos(path, tmp_path)
    assert str(path) in str(raised.value)
    assert complaint in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_table_or_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no such file; give the table of tags, data\.path="):
        read_tagged_photos(tmp_path / "none.csv", tmp_path)
    with pytest.raises(UserError, match=r"no such folder; give that of the photos"):
        read_tagged_photos(write(tmp_path, "photo,x\na.jpg,1\n"), tmp_path / "none")

import pytest

from seentwice.data.fetching.photo_names import check_photo_names
from seentwice.errors import UserError


def check(folder):
    check_photo_names(folder, lambda key: key.startswith("good/"), "good/<name>", "a page")


def write(folder, *keys):
    for key in keys:
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).touch()


def test_a_few_other_names_are_let_through(tmp_path):
    write(tmp_path, "good/a.jpg", "good/b.jpg", "bad/c.jpg", "bad/d.jpg", "bad/e.txt")
    check(tmp_path)


def test_most_other_names_are_refused_and_the_folder_is_not_named(tmp_path):
    write(tmp_path, "good/a.jpg", *(f"bad/{name}.jpg" for name in "abcde"))
    told = r"5 of its 6 photos are not named good/<name>, as those of a page are \(.*\)"
    with pytest.raises(UserError, match=rf"^{told}$") as raised:
        check(tmp_path)
    assert "('bad/a.jpg', 'bad/b.jpg', 'bad/c.jpg' and 2 more)" in str(raised.value)
    assert str(tmp_path) not in str(raised.value)


def test_no_photo_is_refused(tmp_path):
    write(tmp_path, "good/a.txt")
    with pytest.raises(UserError, match=r"^holds no photo good/<name>, as that of a page does$"):
        check(tmp_path)

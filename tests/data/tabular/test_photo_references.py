from pathlib import Path

import pytest

from seentwice.data.tabular.photo_references import (
    check_separator,
    check_template,
    is_url,
    locate_photo,
    path_of_id,
)
from seentwice.data.tabular.rejects import RowError
from seentwice.errors import UserError

AVITO = "Images_{tens}/{last_two}/{id}.jpg"


def test_a_photo_below_the_folder_is_found(tmp_path: Path):
    assert locate_photo(tmp_path, "a/b c.jpg") == tmp_path / "a" / "b c.jpg"
    assert locate_photo(tmp_path, "a/..jpg") == tmp_path / "a" / "..jpg"


def test_a_folder_may_itself_be_a_link(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert locate_photo(tmp_path / "link", "a.jpg") == tmp_path / "link" / "a.jpg"


@pytest.mark.parametrize(
    "reference", ["/etc/passwd", "../a.jpg", "a/../../b.jpg", "a/..", "//host/a", "a\0.jpg"]
)
def test_a_path_out_of_the_folder_is_refused(tmp_path: Path, reference: str):
    with pytest.raises(RowError, match="is not below the photo folder"):
        locate_photo(tmp_path, reference)


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside.jpg", ".."])
def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, target: str):
    root = tmp_path / "photos"
    root.mkdir()
    (tmp_path / "outside.jpg").touch()
    (root / "link").symlink_to(target)
    for reference in ("link", "link/a.jpg"):
        with pytest.raises(RowError, match="is a link out of the photo folder"):
            locate_photo(root, reference)
    (root / "within").symlink_to(root / "a.jpg")
    assert locate_photo(root, "within") == root / "within"


def outcome_of(root: Path, reference: str) -> Path | str:
    try:
        return locate_photo(root, reference)
    except RowError as error:
        return str(error)


@pytest.mark.parametrize("reference", ["x" * 300 + ".jpg", "circle/a.jpg"])
def test_a_path_that_gives_none_is_refused_or_left_to_its_reader(tmp_path: Path, reference: str):
    (tmp_path / "circle").symlink_to("circle")
    refused = f"the photo {reference[:200]!r} gives no path"
    assert outcome_of(tmp_path, reference) in (refused, tmp_path / reference)


@pytest.mark.parametrize(
    ("photo_id", "path"),
    [
        ("12345678", "Images_7/78/12345678.jpg"),
        ("905", "Images_0/05/905.jpg"),
        ("7", "Images_0/07/7.jpg"),
    ],
)
def test_an_id_gives_the_path_of_its_photo(photo_id: str, path: str):
    check_template(AVITO)
    assert path_of_id(AVITO, photo_id) == path


@pytest.mark.parametrize("photo_id", ["../1", "a/b", "1.2", "", "{id}", "é", "1\n"])
def test_an_id_of_other_characters_is_refused(photo_id: str):
    with pytest.raises(RowError, match="holds more than letters, digits"):
        path_of_id(AVITO, photo_id)


@pytest.mark.parametrize(
    "template", ["photo.jpg", "{id", "/{id}.jpg", "../{id}.jpg", "{tens}/{number}/{id}.jpg"]
)
def test_a_template_that_leads_to_no_photo_is_refused(template: str):
    with pytest.raises(UserError, match=r"photo_path=.*give a path below the photo folder"):
        check_template(template)


@pytest.mark.parametrize(
    ("reference", "expected"), [("https://x/a.jpg", True), ("file:///a", True), ("a/b.jpg", False)]
)
def test_a_url_is_told_from_a_path(reference: str, expected: bool):
    assert is_url(reference) is expected


@pytest.mark.parametrize("separator", ["", " ", "\n"])
def test_a_separator_that_separates_nothing_is_refused(separator: str):
    with pytest.raises(
        UserError, match=r"^data\.photo_separator=.*give what stands between photos"
    ):
        check_separator("data.photo_separator", separator)
    check_separator("data.photo_separator", f"{separator}|")

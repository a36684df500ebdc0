from dataclasses import replace
from pathlib import Path

import PIL
import pytest

from seentwice.data.variants.folder import SETTINGS_FILE, claim_folder
from seentwice.data.variants.plan import VariantSettings
from seentwice.errors import UserError

SETTINGS = VariantSettings(0, ("crop",), "jpeg")


def test_a_folder_is_claimed_once_and_known_again(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    assert claim_folder(out, tmp_path / "photos", SETTINGS, "f") is False
    before = (out / SETTINGS_FILE).read_bytes()
    assert claim_folder(out, tmp_path / "photos", SETTINGS, "f") is True
    assert (out / SETTINGS_FILE).read_bytes() == before


PARTIAL = ".0123456789abcdef.partial"


def test_what_a_killed_run_left_half_written_is_cleared(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / PARTIAL).write_bytes(b"{")  # killed before the settings were whole
    assert claim_folder(out, tmp_path / "photos", SETTINGS, "f") is False
    assert [path.name for path in out.iterdir()] == [SETTINGS_FILE]

    deep = out / "train" / "kitchen"
    deep.mkdir(parents=True)
    for name in (PARTIAL, ".partial", "a.partial", ".a.jpg", "a.jpg"):
        (deep / name).write_bytes(b"")
    assert claim_folder(out, tmp_path / "photos", SETTINGS, "f") is True
    assert {path.name for path in deep.iterdir()} == {".partial", "a.partial", ".a.jpg", "a.jpg"}


def test_half_written_files_of_another_program_stay(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in (PARTIAL, "letter.txt"):
        (out / name).write_bytes(b"")
    with pytest.raises(UserError, match="holds something other"):
        claim_folder(out, tmp_path / "photos", SETTINGS, "f")
    assert (out / PARTIAL).exists()


def test_another_pillow_is_other_variants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    claim_folder(out, tmp_path / "photos", SETTINGS, "f")
    monkeypatch.setattr(PIL, "__version__", "99.0")
    with pytest.raises(UserError, match=r"pillow was '[^']+' where it is '99.0' now"):
        claim_folder(out, tmp_path / "photos", SETTINGS, "f")


@pytest.mark.parametrize(
    ("settings", "fingerprint", "complaint"),
    [
        (replace(SETTINGS, seed=1), "f", "seed was 0 where it is 1 now"),
        (replace(SETTINGS, edits=("crop", "grey")), "f", "edits was ['crop'] where it is ['crop'"),
        (replace(SETTINGS, format="png"), "f", "format was 'jpeg' where it is 'png' now"),
        (SETTINGS, "g", "the photos have changed since"),
    ],
)
def test_a_folder_of_other_variants_is_refused(
    tmp_path: Path, settings: VariantSettings, fingerprint: str, complaint: str
) -> None:
    out = tmp_path / "out"
    claim_folder(out, tmp_path / "photos", SETTINGS, "f")
    with pytest.raises(UserError) as caught:
        claim_folder(out, tmp_path / "photos", settings, fingerprint)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[]", "holds no settings"),
        (b"{}", "seed was None"),
        (None, "holds something other than variants"),
    ],
)
def test_a_folder_of_something_else_is_refused(
    tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    name = "letter.txt" if content is None else SETTINGS_FILE
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_bytes(content or b"")
    with pytest.raises(UserError, match=complaint):
        claim_folder(tmp_path / "out", tmp_path / "photos", SETTINGS, "f")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(UserError, match="holds something other"):
        claim_folder(tmp_path / "out", tmp_path / "photos", SETTINGS, "f")


@pytest.mark.parametrize("inside", [".", "out", "link", "a/../b"])
def test_a_folder_inside_the_photos_is_refused(tmp_path: Path, inside: str) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (tmp_path / "link").symlink_to("photos")
    out = tmp_path / inside if inside == "link" else photos / inside
    with pytest.raises(UserError, match="lies in the photos' folder"):
        claim_folder(out, photos, SETTINGS, "f")
    assert list(photos.iterdir()) == []

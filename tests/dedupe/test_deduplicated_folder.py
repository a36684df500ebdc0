"""A folder is deduplicated from a script as from the command."""

import subprocess
import sys
from pathlib import Path

import pytest
from encoding import draw, encode
from PIL import Image

from seentwice.dedupe.findings import Duplicates, Evidence
from seentwice.dedupe.folder import find_duplicates, read_problems
from seentwice.dedupe.looking import Looking
from seentwice.errors import UserError
from seentwice.index.store import PhotoStore
from seentwice.records import Reason

TURNED = Image.Transpose.ROTATE_90


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two strangers, three copies of the first, and two files that give no photo."""
    root = tmp_path / "photos"
    (root / "deep").mkdir(parents=True)
    first = draw(0, 160, 120)
    (root / "a.png").write_bytes(encode(first, "PNG"))
    (root / "b.png").write_bytes(encode(draw(1, 160, 120), "PNG"))
    (root / "deep" / "same.png").write_bytes(encode(first, "PNG"))
    (root / "large.jpg").write_bytes(encode(first.resize((320, 240)), "JPEG", quality=90))
    (root / "turned.png").write_bytes(encode(first.transpose(TURNED), "PNG"))
    (root / "empty.jpg").touch()
    (root / "deep" / "torn.png").write_bytes(encode(first, "PNG")[:60])
    return root


def list_groups(found: Duplicates) -> list[list[str]]:
    return [[photo.key for photo in group.photos] for group in found.groups]


def test_copies_stand_together_the_one_to_keep_first(photos: Path, tmp_path: Path) -> None:
    told: list[int] = []
    found = find_duplicates(
        photos, tmp_path / "index", workers=1, on_progress=lambda done, total: told.append(done)
    )
    assert list_groups(found) == [["large.jpg", "a.png", "deep/same.png", "turned.png"]]
    assert {match.evidence for match in found.groups[0].matches} == {
        (Evidence.NEAR_HASHES,),
        (Evidence.NEAR_ONCE_TURNED,),
    }
    assert (found.root, found.searched, found.links) == (photos, 5, ())
    problems = [(each.path.name, each.reason) for each in found.unreadable]
    assert problems == [("torn.png", Reason.TRUNCATED), ("empty.jpg", Reason.EMPTY)]
    assert told[-1] == 7
    # Again, of what the index knows; what gave no photo is still told.
    told.clear()
    again = find_duplicates(
        photos, tmp_path / "index", workers=1, on_progress=lambda done, total: told.append(done)
    )
    assert again == found
    assert not told


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"hash_bits": None}, ["a.png", "deep/same.png"]),
        ({"is_turned": False}, ["large.jpg", "a.png", "deep/same.png"]),
        ({"least_score": 1.0}, ["a.png", "deep/same.png"]),
        ({"decoding": "full"}, ["large.jpg", "a.png", "deep/same.png", "turned.png"]),
    ],
)
def test_what_a_duplicate_is_can_be_chosen(
    photos: Path, tmp_path: Path, options: dict, expected: list[str]
) -> None:
    found = find_duplicates(photos, tmp_path / "index", workers=1, **options)
    assert list_groups(found) == [expected]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"keep": "newest"}, "keep='newest': choose one of largest"),
        ({"hash_bits": 13}, "hash_bits=13: choose 0 to 12, or None"),
        ({"hash_bits": -1}, "hash_bits=-1"),
        ({"decoding": "half"}, "decoding='half': choose one of blocks, full"),
        ({"least_score": 0.0}, "least_score=0.0: give a number above 0"),
        ({"max_pixels": 0}, "max_pixels=0: give a whole number from 1 on"),
        ({"workers": -2}, "workers=-2"),
        ({"workers": 0}, "workers=0"),
        ({"photos": "photos"}, "photos='photos': give Path('photos')"),
        ({"index": "index"}, "index='index': give Path('index')"),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_read(
    photos: Path, tmp_path: Path, options: dict, words: str
) -> None:
    with pytest.raises(UserError) as error:
        find_duplicates(**{"photos": photos, "index": tmp_path / "index", **options})
    assert words in str(error.value)
    assert not (tmp_path / "index").exists()


def test_a_folder_without_a_photo_says_what_its_files_are(photos: Path, tmp_path: Path) -> None:
    for file in photos.rglob("*.*"):
        if file.name not in ("empty.jpg", "torn.png"):
            file.unlink()
    with pytest.raises(UserError, match="no photo"):
        find_duplicates(photos, tmp_path / "index", workers=1)
    looking = Looking(photos, "blocks", 10**8)
    with PhotoStore.open(tmp_path / "index", looking.meta, lambda: None) as store:
        problems = read_problems(store, photos)
    assert {(each.path, each.reason) for each in problems} == {
        (photos / "deep" / "torn.png", Reason.TRUNCATED),
        (photos / "empty.jpg", Reason.EMPTY),
    }


WITHOUT_PANDAS = """
import sys
from pathlib import Path
from seentwice.dedupe.folder import find_duplicates

if __name__ == "__main__":
    for _ in range(2):
        find_duplicates(Path(sys.argv[1]), Path(sys.argv[2]), workers=1)
    assert "pandas" not in sys.modules  # some functions of Arrow import it, for a third of a second
"""


def test_a_search_does_not_wait_for_pandas(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(encode(draw(0), "PNG"))
    words = [str(tmp_path / "photos"), str(tmp_path / "index")]
    subprocess.run([sys.executable, "-c", WITHOUT_PANDAS, *words], check=True)

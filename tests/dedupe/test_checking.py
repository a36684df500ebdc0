"""What check says of a photo is what dedupe says of the same pair."""

from pathlib import Path

import numpy as np
import pytest
from encoding import draw, encode
from PIL import Image, ImageFilter

from seentwice.dedupe.checking import CheckSettings, PhotoChecker
from seentwice.dedupe.findings import Evidence, Match
from seentwice.dedupe.looking import Decoding, Looking, look_at_file
from seentwice.dedupe.pair_reasons import describe_pair, explain_pairs
from seentwice.dedupe.pictures import read_table
from seentwice.dedupe.search import search_table
from seentwice.dedupe.verify import SearchSettings, open_hash_verifier
from seentwice.errors import UserError
from seentwice.index.store import PhotoStore

LIMIT = 1_000_000
PHOTO = draw(3, 240, 180)


def write_copies(folder: Path) -> None:
    folder.mkdir()
    copies = {
        "0 same.png": PHOTO,
        "1 pixels.bmp": PHOTO,
        "2 small.jpg": PHOTO.resize((160, 120)),
        "3 soft.jpg": PHOTO.filter(ImageFilter.GaussianBlur(2)),
        "4 marked.jpg": Image.blend(PHOTO, draw(4, 240, 180), 0.15),
        "5 stranger.jpg": draw(5, 240, 180),
        **{f"6 {turn.name}.jpg": PHOTO.transpose(turn) for turn in Image.Transpose},
        "7 square.jpg": PHOTO.resize((180, 180)).transpose(Image.Transpose.ROTATE_90),
    }
    forms = {".png": "PNG", ".bmp": "BMP", ".jpg": "JPEG"}
    for name, copy in copies.items():
        (folder / name).write_bytes(encode(copy, forms[name[-4:]]))


@pytest.mark.parametrize("decoding", ["blocks", "full"])
@pytest.mark.parametrize("is_turned", [False, True])
def test_a_pair_has_the_score_that_dedupe_gives_it(
    tmp_path: Path, decoding: Decoding, is_turned: bool
) -> None:
    root = tmp_path / "photos"
    write_copies(root)
    looking = Looking(root, decoding, LIMIT)
    names = sorted(path.name for path in root.iterdir())
    with PhotoStore.open(tmp_path / "index", looking.meta, lambda: None) as store:
        store.write([look_at_file(looking, name) for name in names])
        table = read_table(store)
        verifier = open_hash_verifier(table, is_turned)
        settings = SearchSettings(12, 0.5, same_pixels=True, max_pixels=LIMIT, workers=1)
        found = search_table(store, table, root, verifier, settings, None, lambda done, total: None)
        others = np.arange(len(names))
        pairs = explain_pairs(found, verifier, np.zeros_like(others), others)
        by_dedupe = {
            match.right: match
            for match in (describe_pair(table, pairs, pair) for pair in range(len(names)))
        }
        checker = PhotoChecker(store, CheckSettings(12, 0.0, is_turned, LIMIT, 1))
        by_check = {match.left: match for match in checker.check(root / names[0])}

    def told(match: Match) -> tuple[tuple[Evidence, ...], int | None]:
        return match.evidence, match.hash_bits

    for name, match in by_check.items():
        assert match.score == pytest.approx(by_dedupe[name].score, abs=1e-9)
        assert told(match) == told(by_dedupe[name])
    turned = {name for name in names if name.startswith("6")}
    assert set(names) - turned - {"5 stranger.jpg", "7 square.jpg"} <= set(by_check)
    if is_turned:
        assert turned <= set(by_check)
        assert {match.evidence for name, match in by_check.items() if name in turned} == {
            (Evidence.NEAR_ONCE_TURNED,)
        }
        assert all(by_check[name].score > 0.5 for name in turned)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ((13, 0.5, True, LIMIT, 1), "hash_bits=13: choose 0 to 12"),
        ((10, 1.5, True, LIMIT, 1), "least_score=1.5"),
        ((10, 0.5, True, 0, 1), "max_pixels=0"),
        ((10, 0.5, True, LIMIT, 0), "threads=0"),
    ],
)
def test_settings_out_of_their_ranges_are_refused(
    settings: tuple[int, float, bool, int, int], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        CheckSettings(*settings)


def test_a_store_that_was_closed_and_a_path_that_is_none_are_told(tmp_path: Path) -> None:
    photo = tmp_path / "a.png"
    photo.write_bytes(encode(PHOTO, "PNG"))
    looking = Looking(tmp_path, "blocks", LIMIT)
    with PhotoStore.open(tmp_path / "index", looking.meta, lambda: None) as store:
        checker = PhotoChecker(store, CheckSettings(10, 0.5, True, LIMIT, 1))
        with pytest.raises(UserError, match="give Path"):
            checker.check(str(photo))  # type: ignore[arg-type]
    with pytest.raises(UserError, match="was closed; ask it before, or open it again"):
        checker.check(photo)
    with pytest.raises(UserError, match="was closed"):
        store.write((), ["a.png"])

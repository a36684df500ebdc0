"""A card of a tiny folder: what its JSON says, its page says, and a browser shows."""

import json
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seentwice.commands.main import main
from seentwice.records import Kind

PLACES, SIZE_PX = 10, (16, 12)
EVIL = "<img src=x onerror=alert(1)>_&amp;_1.bmp"


def write_photo(path: Path, seed: int) -> None:
    """A file of the same bytes everywhere, unlike all others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = SIZE_PX
    pixels = np.random.default_rng(seed).integers(256, size=(height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture(scope="module")
def folder_of_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """10 places of two photos, one of them tested under a second name; one file is no photo."""
    root = tmp_path_factory.mktemp("photos") / "tiny"
    for place in range(PLACES):
        for number in range(2):
            name = f"{'bath' if place % 2 else 'kitchen'}/home{place}_room_{number}.bmp"
            write_photo(root / ("test" if place < 2 else "train") / name, 2 * place + number)
    shutil.copy(root / "train" / "bath" / "home3_room_1.bmp", root / "test" / "bath" / EVIL)
    (root / "train" / "kitchen" / "home4_room_<b>.jpg").write_text("no photo")
    return root


def write_card(root: Path, folder: Path, *words: str) -> int:
    fixed = ("data=folder", f"data.root={root}", f"hydra.run.dir={folder}", "workers=1")
    return main(["card", *fixed, "split.assign=balanced", *words])


@pytest.fixture(scope="module")
def folder(folder_of_photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("card")
    assert write_card(folder_of_photos, folder) == 0
    return folder


@pytest.fixture(scope="module")
def card(folder: Path) -> dict:
    return json.loads((folder / "card.json").read_text())


class Tables(HTMLParser):
    """The rows of a page's tables by the words their captions begin with, and its pictures."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: dict[str, list[list[str]]] = {}
        self.pictures: list[str] = []
        self.policies: list[str] = []
        self._tag = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag
        if tag == "img":
            self.pictures.append(dict(attrs)["src"] or "")
        if tag == "tr":
            self._table().append([])
        if tag in ("td", "th"):
            self._table()[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._tag = ""

    def handle_data(self, data: str) -> None:
        if self._tag == "caption":
            self.rows[data] = []
        elif self._tag in ("td", "th"):
            self._table()[-1][-1] += data

    def _table(self) -> list[list[str]]:
        return self.rows[list(self.rows)[-1]]

    def body(self, caption: str) -> list[list[str]]:
        (found,) = [rows for title, rows in self.rows.items() if title.startswith(caption)]
        return found[1:]


def test_the_json_is_this_one(card: dict) -> None:
    assert {name: card[name] for name in ("data", "folds", "seed", "formats")} == {
        "data": "tiny",
        "folds": 1,
        "seed": 0,
        "formats": {"BMP": 21},
    }
    assert [(part["part"], part["photos"], part["places"]) for part in card["parts"]] == [
        ("all", 21, 11),
        ("train", 12, 6),
        ("validation", 4, 2),
        ("test", 5, 3),
    ]
    assert {name: counts["all"] for name, counts in card["room_types"].items()} == {
        "bath": 11,
        "kitchen": 10,
    }
    assert card["places_by_photos"] == {"1": 1, "2": 10}
    assert card["sizes"]["width_px"] == {"min": 16, "median": 16, "max": 16}
    assert card["sizes"]["kilobytes"] == {"min": 0.63, "median": 0.63, "max": 0.63}
    assert card["leaks"]["counts"] == {"same bytes": 1, "same pixels": 0, "near hash": 0}
    (leak,) = card["leaks"]["listed"]
    assert (leak["left"], leak["right"]) == (f"test/bath/{EVIL}", "train/bath/home3_room_1.bmp")
    assert card["suspects"] == card["leaks"]
    (file,) = card["unreadable"]
    assert Path(file["file"]).name == "home4_room_<b>.jpg"
    assert file["reason"] == "not an image"
    assert [table["pairs"]["same_place"] for table in card["tables"]] == [6, 2, 2]
    assert set(card["hamming"]["test"]) == {"average", "difference", "perception", "wavelet"}


def test_the_page_says_what_the_json_says(folder: Path, card: dict) -> None:
    page = Tables((folder / "card.html").read_text("utf-8"))
    assert page.body("What each split holds") == [
        [part["part"], str(part["photos"]), str(part["places"])] for part in card["parts"]
    ]
    names = [part["part"] for part in card["parts"]]
    assert page.body("Photos by room type") == [
        [room_type, *(str(counts[name]) for name in names)]
        for room_type, counts in card["room_types"].items()
    ]
    assert page.body("Places by their") == [
        [photos, str(places)] for photos, places in card["places_by_photos"].items()
    ]
    # A kind that no table has is no column.
    kinds = [kind for kind in Kind if any(table["pairs"][kind] for table in card["tables"])]
    assert page.body("Pairs by kind") == [
        [table["split"], str(table["views"]), *(str(table["pairs"][kind]) for kind in kinds)]
        for table in card["tables"]
    ]
    assert page.body("Formats") == [[name, str(count)] for name, count in card["formats"].items()]
    for name in ("leaks", "suspects"):
        assert dict(page.body(f"{name.capitalize()}, each under")) == {
            how: str(count) for how, count in card[name]["counts"].items()
        }
    assert page.body("Files and reasons") == [
        [file["file"], file["reason"], file["detail"]] for file in card["unreadable"]
    ]


def test_names_with_html_in_them_are_shown_as_they_are(folder: Path) -> None:
    text = (folder / "card.html").read_text("utf-8")
    assert "onerror=alert(1)&gt;_&amp;amp;_1.bmp" in text
    assert "<img src=x" not in text
    assert "home4_room_<b>" not in text


def test_a_browser_shows_tables_and_pictures_and_fetches_nothing(
    folder: Path, card: dict, tmp_path: Path, open_in_browser: Callable
) -> None:
    shutil.copy(folder / "card.html", tmp_path)
    document, console = open_in_browser(tmp_path / "card.html")
    assert console == []
    page = Tables(document)
    kinds = [count for table in card["tables"] for count in table["pairs"].values()]
    assert sum(kinds) > 0
    # Two plots; a pair that leaks and is suspect; up to 6 pairs of each kind.
    assert 2 + 4 + 2 * 6 < len(page.pictures) <= 2 + 4 + 2 * 6 * len(Kind)
    assert all(picture.startswith("data:image/") for picture in page.pictures)
    assert len(page.rows) == 9
    assert "default-src 'none'" in document


def test_the_command_tells_where_the_card_is_and_what_leaks(
    folder_of_photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write_card(folder_of_photos, tmp_path, "split.leaks=error") == 2
    printed = capsys.readouterr()
    assert "tiny: 21 photos of 11 places. Files that gave no photo: 1. Leaks: 1" in printed.out
    assert f"Card:  {tmp_path / 'card.html'}" in printed.out
    assert "split.leaks=error: 1 pair of photos across splits" in printed.err
    assert "home4_room_<b>.jpg: not an image" in printed.out
    names = ("card.html", "card.json", "leaks.csv", "suspects.csv", "unreadable.csv")
    assert all((tmp_path / name).is_file() for name in names)


def test_a_comparison_counts_the_photos_that_the_card_counts(
    folder_of_photos: Path, card: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["data=folder", f"data.root={folder_of_photos}", f"hydra.run.dir={tmp_path}"]
    words += ["split.assign=balanced", "head=[]", "baselines=[average]", "bootstrap_resamples=2"]
    assert main(["compare", *words, "workers=1"]) == 0
    assert "tiny: 21 photos of 11 places, 21 views\n" in capsys.readouterr().out
    results = json.loads((tmp_path / "results.json").read_text())
    whole = card["parts"][0]
    assert (results["photos"], results["places"]) == (whole["photos"], whole["places"])
    assert results["counts"] == card["tables"]
    assert len(results["unreadable"]) == len(card["unreadable"]) == 1


def test_folds_are_the_parts_of_their_card(
    folder_of_photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write_card(folder_of_photos, tmp_path, "folds=3", "edits=mls") == 0
    assert "  fold 3: " in capsys.readouterr().out
    card = json.loads((tmp_path / "card.json").read_text())
    assert [part["part"] for part in card["parts"]] == ["all", "fold 1", "fold 2", "fold 3"]
    assert sum(part["photos"] for part in card["parts"][1:]) == 21
    assert card["tables"][2]["pairs"]["edited"] == 21 * 6


def test_blank_photos_have_a_card_that_counts_all_leaks_and_shows_few(tmp_path: Path) -> None:
    (tmp_path / "photos" / "bath").mkdir(parents=True)
    for place in range(10):
        for number in range(2):
            path = tmp_path / "photos" / "bath" / f"home{place}_room_{number}.png"
            Image.new("RGB", SIZE_PX, (255, 255, 255 - 2 * (place % 2) - number)).save(path)
    assert write_card(tmp_path / "photos", tmp_path / "out", "split.seed=2") == 0
    leaks = json.loads((tmp_path / "out" / "card.json").read_text())["leaks"]
    # 12, 4 and 4 photos are in the splits. Blank ones hash alike, and some are the same file.
    assert sum(leaks["counts"].values()) == 12 * 4 + 12 * 4 + 4 * 4
    assert leaks["counts"]["same bytes"] > 0
    assert "The surest 24" in (tmp_path / "out" / "card.html").read_text()


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["a_1_1.txt"], "holds no photo"),
        (["nameless.bmp"], "1 of 1 photos tell no place ('bath/nameless.bmp')"),
    ],
)
def test_photos_that_make_no_comparison_make_no_card(
    names: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, name in enumerate(names):
        write_photo(tmp_path / "bath" / name, seed) if name.endswith("bmp") else None
    (tmp_path / "bath").mkdir(exist_ok=True)
    assert write_card(tmp_path, tmp_path / ".out") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line


@pytest.mark.parametrize("names", [["a_1_1"], ["a_1_1", "a_1_2"], ["a_1_1", "a_1_2", "b_2_1"]])
def test_too_few_places_to_be_split_have_a_card_of_one_part(
    names: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, name in enumerate(names):
        write_photo(tmp_path / "photos" / "bath" / f"{name}.bmp", seed)
    assert write_card(tmp_path / "photos", tmp_path / "out") == 0
    assert "Too few homes or places to be split" in capsys.readouterr().out
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    photos = {part["part"]: part["photos"] for part in card["parts"]}
    assert photos == {"all": len(names), "train": len(names), "validation": 0, "test": 0}
    train, *others = card["tables"]
    assert train["pairs"]["same_place"] == (len(names) > 1)
    assert [table["views"] for table in others] == [0, 0]


def test_few_places_make_no_folds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_photo(tmp_path / "bath" / "home_room_1.bmp", 0)
    assert write_card(tmp_path, tmp_path / ".out", "folds=3") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "1 place, where 3 or more are needed: add places" in line


def test_a_folder_of_broken_files_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bath").mkdir()
    for place in range(10):
        (tmp_path / "bath" / f"home{place}_room_1.jpg").write_bytes(b"")
    assert write_card(tmp_path, tmp_path / ".out") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "none of 10 photos could be read; the first: " in line


def test_photos_without_duplicates_have_a_card(tmp_path: Path) -> None:
    for number in range(12):
        write_photo(tmp_path / "photos" / "bath" / f"home{number}_room_1.bmp", number)
    assert write_card(tmp_path / "photos", tmp_path / "out") == 0
    tables = json.loads((tmp_path / "out" / "card.json").read_text())["tables"]
    assert all(table["pairs"]["same_place"] == 0 < table["pairs"]["uniform"] for table in tables)

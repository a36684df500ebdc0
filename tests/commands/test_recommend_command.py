"""Photos of a folder are indexed, and asked about, by the commands."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from untrained_tagger import save_untrained_tagger

from seentwice.commands.main import main
from seentwice.commands.photo_index import choose_index
from seentwice.errors import UserError
from seentwice.recommend.listings import list_photos
from seentwice.recommend.photo_reader import ReaderChoice
from seentwice.recommend.scores import ScoreWeights
from seentwice.recommend.snapshot import About
from seentwice.records import TagHead, TagSet

ROOMS = Path("checkpoints/rooms.safetensors").absolute()
"""The small detector of the repository."""
OpenInBrowser = Callable[[Path], tuple[str, list[str]]]


def copy_rooms(few_rooms: Path, folder: Path) -> Path:
    """Three photos of each of four rooms: a1, a2, a3, b1, ..."""
    if not ROOMS.is_file():
        pytest.skip(f"{ROOMS} is missing")
    root = folder / "photos"
    root.mkdir()
    firsts = sorted(few_rooms.rglob("*_1.jpg"))[:4]
    for room, first in zip("abcd", firsts, strict=True):
        for number in (1, 2, 3):
            place = first.with_name(first.name.replace("_1.jpg", f"_{number}.jpg"))
            shutil.copy(place, root / f"{room}{number}.jpg")
    return root


@pytest.fixture
def photos(few_rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Photos that a test may change."""
    monkeypatch.chdir(tmp_path)
    return copy_rooms(few_rooms, tmp_path)


@pytest.fixture(scope="module")
def indexed_once(few_rooms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of photos that were indexed with the detector; one has an odd name."""
    folder = tmp_path_factory.mktemp("indexed")
    root = copy_rooms(few_rooms, folder)
    (root / "d2.jpg").rename(root / "<b>d2.jpg")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert index("--detector", ROOMS) == 0
    return folder


@pytest.fixture
def indexed(indexed_once: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same photos; their index may be changed."""
    monkeypatch.chdir(indexed_once)
    return indexed_once / "photos"


def index(*words: str | Path) -> int:
    return main(["index", "photos", *map(str, words), "--workers", "1"])


def ask(capsys: pytest.CaptureFixture[str], *words: str | Path) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["recommend", *map(str, words), "--json"]) == 0
    results: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["results"]
    return results


def test_photos_of_the_same_room_look_most_alike(
    indexed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = sorted(file.name for file in indexed.iterdir())
    best = [ask(capsys, name, "--top", "1")[0]["listing"] for name in names]
    rooms = [name.removeprefix("<b>")[0] for name in names]
    same = [one.removeprefix("<b>")[0] == room for one, room in zip(best, rooms, strict=True)]
    assert sum(same) >= 8  # 2 by chance
    found = ask(capsys, "a1.jpg", "--top", "3")
    assert ask(capsys, indexed / "a1.jpg", "--top", "3") == found
    assert [one["rank"] for one in found] == [1, 2, 3]
    for one in found:
        assert (one["class_points"], one["tag_points"]) == (0, 0)
        assert one["visual_similarity"] == one["score"]
    assert main(["recommend", "b1.jpg", "--top", "2"]) == 0
    assert "no tags in this index" in capsys.readouterr().out


def test_a_second_run_needs_no_checkpoint_named_and_looks_at_what_is_new(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert index("--detector", ROOMS) == 0
    shown = capsys.readouterr().out
    assert "12 photos in 12 listings; 12 files were read, 12 looked at" in shown
    assert "tags: none, so class and tag points are 0" in shown
    (photos / "d3.jpg").unlink()
    (photos / "torn.jpg").write_bytes(b"GIF")
    with Image.open(photos / "a1.jpg") as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(photos / "new.jpg")
        image.resize((56, 42)).save("smaller.jpg")
    assert index() == 1
    shown = capsys.readouterr().out
    assert "12 photos in 12 listings; 2 files were read, 1 looked at; 1 came, 1 went" in shown
    assert "torn.jpg: not an image" in shown
    assert "new.jpg" in {one["listing"] for one in ask(capsys, "a1.jpg")}
    (best,) = ask(capsys, "smaller.jpg", "--top", "1")
    assert best["listing"] == "a1.jpg"
    assert main(["recommend", "photos/torn.jpg"]) == 1
    assert "torn.jpg: not an image" in capsys.readouterr().out


def test_listings_of_a_table_are_found_and_filtered(
    indexed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("listings.csv").write_text(
        "id,photos,city,price\nA,a1.jpg|b2.jpg,Paris,100\nB,b1.jpg|gone.jpg,Paris,200\n"
        "C,c1.jpg|a2.jpg,Lyon,300\nD,d1.jpg,Lyon,\n"
    )
    assert index("--listings", "listings.csv") == 1
    shown = capsys.readouterr().out
    assert "in 4 listings" in shown
    # What opens a million listings in seconds is there before anything asks.
    assert len(list(Path().rglob("listings-*.safetensors"))) == 1
    assert "1 photo of listings are not among those that were read: 'gone.jpg'" in shown
    assert "have no photo that was read" not in shown
    assert {one["listing"] for one in ask(capsys, "A")} == {"B", "C", "D"}
    assert ask(capsys, "A", "--photo", "any", "--top", "1")[0]["listing"] in ("B", "C")
    (only,) = ask(capsys, "A", "--where", "city=Lyon", "--where", "price<=500")
    assert (only["listing"], only["photo"]) == ("C", "c1.jpg")
    # Asked about by a file of its own, too, listing A is no result.
    assert {one["listing"] for one in ask(capsys, indexed / "a1.jpg")} == {"B", "C", "D"}
    assert main(["recommend", "A", "--where", "city=Rome"]) == 0
    assert "no listing passes the filters" in capsys.readouterr().out
    # The table is remembered until another is given.
    assert index() == 0
    assert "in 4 listings" in capsys.readouterr().out
    assert index("--each", "folder") == 0
    assert "in 1 listing;" in capsys.readouterr().out
    Path("elsewhere.csv").write_text("id,photos\nA,photos/a1.jpg\n")
    assert index("--listings", "elsewhere.csv") == 2
    assert "such as 'photos/a1.jpg'; paths start in that folder" in capsys.readouterr().err
    assert index("--each", "photo") == 0


def test_rows_that_are_rejected_and_listings_without_a_photo_are_told(
    indexed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("listings.csv").write_text(
        "id;photos;city\nA;a1.jpg;Paris\nB;gone.jpg;\n;b1.jpg;\nA;b2.jpg;Rome\nC;;\nD;a1.jpg;Nice\n"
        "E;c1.jpg;\n"
    )
    assert index("--listings", "listings.csv") == 2
    assert "add --delimiter ';'" in capsys.readouterr().err
    assert index("--listings", "listings.csv", "--delimiter", ";") == 1
    shown = capsys.readouterr().out
    assert "2 rows were rejected, see data/prepared/index" in shown
    assert "line 4: no id" in shown
    assert "2 listings have no photo that was read, and cannot be recommended: 'B', 'C'" in shown
    assert "in 3 listings" in shown
    # Two listings show the very same photo.
    found = ask(capsys, "E", "--html", "same.html")
    assert [one["same_photo_as"] for one in found] == [None, 1]
    page = Path("same.html").read_text()
    assert "same photo as 1" in page
    assert "city Paris" in page
    assert main(["recommend", "E"]) == 0
    assert "as 1" in capsys.readouterr().out
    assert main(["recommend", "E", "--html", "none.html", "--where", "city=Oslo"]) == 0
    page = Path("none.html").read_text()
    for words in ("No listing passes the filters.", "city=Oslo", "What looks like E", "the first"):
        assert words in page
    assert index("--each", "photo") == 0


def test_a_file_that_is_no_page_is_not_overwritten(
    indexed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = Path("mine.html")
    mine.write_text("<!DOCTYPE html>\n<p>mine</p>")
    for name in ("mine.html", "photos"):
        assert main(["recommend", "a1.jpg", "--html", name]) == 2
        assert (
            f"--html {name}: is there already and no page of seentwice" in capsys.readouterr().err
        )
    assert "mine" in mine.read_text()
    for _ in range(2):
        assert main(["recommend", "a1.jpg", "--html", "again.html"]) == 0


def test_tags_of_a_tagger_give_points_and_filters(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_untrained_tagger(Path("tagger.safetensors"))
    assert index("--tagger", "tagger.safetensors") == 0
    assert "tags: front (2), storeys (3)" in capsys.readouterr().out
    found = ask(capsys, "a1.jpg", "--weight", "tag_points=0.5", "--weight", "class_points=2")
    assert len(found) == 11
    for one in found:
        assert one["class_points"] in (0, 2)
        assert one["tag_points"] in (0, 0.5)
        assert one["class_points"] + one["tag_points"] + one["visual_similarity"] == one["score"]
    parts = [ask(capsys, "a1.jpg", "--where", f"front{sign}front") for sign in ("=", "!=")]
    assert sum(map(len, parts)) == 11
    front = ask(capsys, "a1.jpg", "--photo", "front")
    assert [one["listing"] for one in front] == [one["listing"] for one in ask(capsys, "a1.jpg")]
    # A column of the table takes the name of a tag.
    Path("listings.csv").write_text(
        "id,photos,front,city\nA,a1.jpg,garden,\nB,b1.jpg,street,Rome\n"
    )
    assert index("--listings", "listings.csv") == 0
    shown = capsys.readouterr().out
    assert "filters on 'front' ask the column of the table, not the tag of that name" in shown
    assert "filters on 'storeys'" not in shown
    assert [one["listing"] for one in ask(capsys, "A", "--where", "front=street")] == ["B"]
    assert [one["listing"] for one in ask(capsys, "B", "--where", "city!=Paris")] == ["A"]
    assert main(["recommend", "--help"]) == 0
    assert "those without a value pass" in " ".join(capsys.readouterr().out.split())
    # A photo that the index does not know, and a checkpoint that is another by now.
    save_untrained_tagger(Path("tagger.safetensors"), seed=1)
    with Image.open(photos / "a1.jpg") as image:
        image.save("other.png")
    assert main(["recommend", "other.png"]) == 2
    assert "tagger.safetensors is not what the index was made with" in capsys.readouterr().err


def test_weights_are_learned_from_triplets_and_kept(
    indexed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        f"{room}1.jpg,{room}2.jpg,{other}3.jpg"
        for room in "abcd"
        for other in "abcd"
        if other != room
    ][:9]  # d2 has another name
    Path("triplets.csv").write_text("\n".join(["query,positive,negative", *rows]))
    assert index("--learn-from", "triplets.csv") == 0
    shown = capsys.readouterr().out
    assert "9 triplets: " in shown
    assert "class points 1, tag points 0.3, visual similarity 1" in shown
    Path("triplets.csv").write_text("query,positive,negative\na1.jpg,a2.jpg,x.jpg\n")
    assert index("--learn-from", "triplets.csv") == 2
    assert "triplets.csv, line 2: 'x.jpg' is no photo of the index" in capsys.readouterr().err


def test_weights_that_are_given_are_kept_through_damage_and_can_be_gone_back_from(
    indexed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask_scores() -> list[float]:
        return [one["score"] for one in ask(capsys, "a1.jpg")]

    assert index("--weight", "default", "--each", "photo") == 0
    usual = ask_scores()
    assert index("--weight", "visual_similarity=2", "--each", "folder") == 0
    assert index("--weight", "visual_similarity=0.5", "--each", "photo") == 0
    halved = ask_scores()
    assert halved == pytest.approx([score / 2 for score in usual], abs=2e-6)
    (folder,) = Path("data/prepared/index").iterdir()
    for file in (folder / "recommend").glob("photos-*"):
        file.write_bytes(file.read_bytes()[:-1])
    assert index() == 0
    assert "it is made anew now" in capsys.readouterr().out
    assert ask_scores() == halved
    assert index("--weight", "default") == 0
    assert ask_scores() == usual
    assert index("--back") == 0
    assert "visual similarity 0.5" in capsys.readouterr().out
    assert ask_scores() == halved
    assert index("--back", "--each", "photo") == 2
    assert "--back and --each: go back first" in capsys.readouterr().err
    assert index("--weight", "default") == 0


def test_a_state_of_another_version_is_refused_and_stays(
    indexed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder,) = Path("data/prepared/index").iterdir()
    near = folder / "recommend" / "rows" / "near.json"
    text = near.read_text()
    near.write_text(text.replace('"version": 1', '"version": 7'))
    kept = sorted(path.name for path in (folder / "recommend").rglob("*"))
    assert index() == 2
    assert "use that version" in capsys.readouterr().err
    assert sorted(path.name for path in (folder / "recommend").rglob("*")) == kept
    near.write_text(text)


def test_triplets_and_tables_that_cannot_be_used_change_nothing(
    indexed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = ask(capsys, "a1.jpg")
    Path("listings.csv").write_text("id,photos\nA,a1.jpg\nB,b1.jpg\n")
    Path("triplets.csv").write_text("query,positive\na1.jpg,a2.jpg\n")
    words = ("--listings", "listings.csv", "--learn-from", "triplets.csv")
    assert index(*words) == 2
    shown = capsys.readouterr()
    assert "give query, positive, negative" in shown.err
    assert "Reading photos" not in shown.out
    Path("triplets.csv").write_text("query,positive,negative\na1.jpg,a2.jpg,x.jpg\n")
    assert index(*words) == 2
    assert ask(capsys, "a1.jpg") == before


def test_the_page_shows_pictures_with_their_three_scores(
    indexed: Path, capsys: pytest.CaptureFixture[str], open_in_browser: OpenInBrowser
) -> None:
    found = ask(capsys, "d1.jpg", "--html", "page.html")
    document, console = open_in_browser(Path("page.html").absolute())
    assert console == []
    assert document.count("data:image/jpeg;base64,") == 1 + len(found)
    assert "&lt;b&gt;d2.jpg" in document
    assert f"visual {found[0]['visual_similarity']:.3f}" in document


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "add --tagger or --detector CHECKPOINT"),
        (("--weights", "imagenet"), "--weights: of which trunk?"),
        (("--delimiter", ";"), "--delimiter: of which table?"),
        (("--detector", "gone.safetensors"), "gone.safetensors"),
        (("--listings", "gone.csv"), "gone.csv"),
        (("--index", "photos/index"), "name one outside"),
    ],
)
def test_wrong_options_are_told_in_one_line(
    photos: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    assert index(*words) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("a1.jpg",), "no index yet; make one: seentwice index PHOTOS"),
        (("a1.jpg", "--index", "nowhere"), "or make it with seentwice index"),
        (("",), "PHOTO|ID: is empty; give a file, or the id of a listing"),
        (("a1.jpg", "--where", "Paris"), "give COLUMN=VALUE"),
        (("a1.jpg", "--weight", "size=2"), "PART one of class_points"),
        (("a1.jpg", "--top", "0"), "give a whole number"),
    ],
)
def test_wrong_questions_are_told_in_one_line(
    photos: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    assert main(["recommend", *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_a_head_of_fronts_whose_labels_name_none_is_told() -> None:
    from seentwice.commands.index_job import warn_of

    tags = TagSet((TagHead("front", ("yes", "no")), TagHead("pool", ("yes", "no"))))
    about = About(0, "", tags, ReaderChoice("tagger", "", None, 1), "photo", ScoreWeights())
    listings = list_photos((), np.empty(0, np.bool_))
    (line,) = warn_of(about, listings)
    assert line == (
        "the head 'front' has the labels yes, no and none 'front', which tells house fronts, so "
        "class points are 0"
    )


def test_a_folder_that_holds_its_indexes_is_told_which_command_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=f"run seentwice index {tmp_path}, and ask from there"):
        choose_index(None, tmp_path, "--among", "index")


@pytest.mark.parametrize("command", ["index", "recommend"])
def test_help_loads_none_of_the_slow_libraries(command: str) -> None:
    code = (
        f"import sys; from seentwice.commands.main import main; main(['{command}', '--help']);"
        "print(sorted({'torch', 'numba', 'faiss', 'sklearn', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"

"""What `prepare` tells of tables: counts, rejects and what to do next."""

import shlex
from pathlib import Path

import pytest

from seentwice.commands.main import main


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def prepare(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main(["prepare", *words]) == 0
    return capsys.readouterr().out.splitlines()


def test_a_catalogue_is_counted_with_its_rejects(
    few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = next(few_rooms.rglob("*.jpg")).read_bytes()
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / name).write_bytes(photo)
    rows = [
        "sku,images,kind,group",
        "1,a.jpg|b.jpg,lamp,",
        "2,c.jpg|gone.jpg|http://127.0.0.1/d.jpg,chair,x",
        "2,a.jpg,lamp,",
        "3,../a.jpg,lamp,",
    ]
    (tmp_path / "products.csv").write_text("\n".join(rows))
    columns = "{id: sku, photos: images, category: kind, family: group, seller: null}"
    out = prepare(
        capsys,
        "data=catalogue",
        "data.file=products.csv",
        f"data.columns={columns}",
        "data.photo_separator=|",
    )
    assert "products: 3 photos of 2 places, 1 pair of one place" in out
    assert {"  chair: 1", "  lamp: 2"} <= set(out)
    assert "  no photo: gone.jpg: missing (No such file or directory)" in out
    assert (
        "  no photo: http://127.0.0.1/d.jpg: refused address (127.0.0.1 is not on the internet)"
    ) in out
    at = out.index("2 rows were rejected, see data/prepared/catalogue_rejects.csv; the first:")
    assert out[at + 1 : at + 4] == [
        "  products.csv, line 4: the id '2' again; it is on line 3",
        "  products.csv, line 5: the photo '../a.jpg' is not below the photo folder",
        "products.csv: 1 row has the id of another row; if each row is one photo of a product, add "
        "data.rows=photo",
    ]
    assert len(Path("data/prepared/catalogue_rejects.csv").read_text().splitlines()) == 3
    assert out[-1] == (
        f"Next: seentwice compare data=catalogue data.file=products.csv 'data.columns={columns}' "
        "'data.photo_separator=|'"
    )
    assert "1 photo could not be fetched; seentwice prepare tries again, other commands do not" in (
        out
    )


def test_what_could_not_be_fetched_is_tried_again(
    few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jpg").write_bytes(next(few_rooms.rglob("*.jpg")).read_bytes())
    (tmp_path / "products.csv").write_text('id,photos\n1,"a.jpg,http://127.0.0.1/d.jpg"\n')
    failures = Path("data/prepared/downloads/failures.json")
    failures.parent.mkdir(parents=True)
    failures.write_text(
        '{"http://127.0.0.1/d.jpg": {"reason": "unreachable", "detail": "yesterday"}}'
    )
    nulls = [f"data.columns.{column}=null" for column in ("category", "family", "seller")]
    prepare(capsys, "data=catalogue", "data.file=products.csv", *nulls)
    assert "yesterday" not in failures.read_text()


def test_listings_are_counted_with_their_rejects(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = "itemID,title,images_array,price\n"
    items = '1,a,"3, 4",\n2,b,,5\n3,\x1b[31m\n4,c,,\x1b[32mask\n'
    (tmp_path / "items.csv").write_text(header + items)
    pairs = "1,2,1\n2,1,0\n4,1,\n1,9,1\n"
    (tmp_path / "pairs.csv").write_text(f"itemID_1,itemID_2,isDuplicate\n{pairs}")
    (tmp_path / "3.jpg").touch()
    out = prepare(
        capsys,
        "data=listings",
        "data.items=items.csv",
        "data.pairs=pairs.csv",
        "data.photo_root=.",
        "data.photo_path='{id}.jpg'",
    )
    assert out[-10:] == [
        "3 listings with 2 photos",
        "  1 photos are missing, first 4.jpg",
        "2 pairs, 1 duplicates, 1 unlabelled",
        "3 rows were rejected, see data/prepared/listings_rejects.csv; the first:",
        "  items.csv, line 4: 2 cells where the header has 4",
        "  pairs.csv, line 3: '1' and '2' again, isDuplicate 0; on line 2 it is 1",
        "  pairs.csv, line 5: no listing '9'",
        "1 cell is odd in rows that were kept, see data/prepared/listings_rejects.csv; the first:",
        r"  items.csv, line 5: price: '\x1b[32mask' is no number; it became an attribute",
        "Next: seentwice.data.listings.ListingsSource gives them one at a time in Python "
        "(read_listings, read_pairs)",
    ]
    assert "\x1b" not in "".join(out)


def test_text_pairs_are_counted_by_split(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "COL name VAL a \tCOL name VAL {} \t{}\n"
    (tmp_path / "train.txt").write_text(line.format("b", 1) + line.format("c", 0) + "no pair\n")
    (tmp_path / "valid.txt").write_text(line.format("b", 1))
    out = prepare(capsys, "data=text_pairs", "data.root=.")
    at = out.index("3 listings")
    assert out[at + 1 : at + 8] == [
        "3 pairs, 2 duplicates",
        "  train: 2 pairs, 1 duplicates",
        "  validation: 1 pairs, 1 duplicates",
        "1 row was rejected, see data/prepared/text_pairs_rejects.csv; the first:",
        "  train.txt, line 3: 1 parts between tabs; needed are two records and a label",
        ".: pairs with both texts of an earlier pair: 1, of them with the other label: 0; all are "
        "kept, since two things may have one text",
        ".: holds no test.txt, so there are no test pairs",
    ]


def test_a_table_that_gives_nothing_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "items.csv").write_text("itemID,attrsJSON\n1,cheap\n2,dear\n")
    assert main(["prepare", "data=listings", "data.items=items.csv"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "seentwice prepare: items.csv: none of its 2 rows can be read; the first: line 2: "
        "attrsJSON: not JSON: Expecting value: line 1 column 1 (char 0); the rejected rows are in "
        "data/prepared/listings_rejects.csv"
    )


@pytest.mark.parametrize("between", [";", "\t", "|"])
def test_what_is_said_of_the_delimiter_works_when_it_is_pasted_in_a_shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], between: str
) -> None:
    (tmp_path / "items.csv").write_text(f"itemID{between}title\n1{between}a, b\n")
    words = ["prepare", "data=listings", "data.items=items.csv"]
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    pasted = shlex.split(line.partition(", add ")[2])
    assert "1 listings" in prepare(capsys, *words[1:], *pasted)


def test_a_comparison_works_on_a_catalogue(
    few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each room of the rendered ones is a product."""
    of_room: dict[str, list[str]] = {}
    for photo in sorted(few_rooms.rglob("*.jpg")):
        of_room.setdefault(f"{photo.parent.name} {photo.stem[:-2]}", []).append(str(photo))
    rows = ["id,photos"]
    for room, photos in of_room.items():
        names = [Path(photo).relative_to(few_rooms).as_posix() for photo in photos]
        rows.append(f'{room},"{",".join(names)}"')
    (tmp_path / "products.csv").write_text("\n".join(rows))
    words = ["data=catalogue", "data.file=products.csv", f"data.photo_root={few_rooms}"]
    nulls = [f"data.columns.{column}=null" for column in ("category", "family", "seller")]
    fast = ["head=[]", "baselines=[average]", "bootstrap_resamples=10"]
    assert main(["compare", *words, *nulls, *fast]) == 0
    assert "average" in capsys.readouterr().out

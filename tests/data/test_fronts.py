import csv
import json
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from seentwice.data.fronts import FrontsSource, plan_fronts, read_fronts, write_fronts
from seentwice.errors import UserError
from seentwice.rendering.fronts.houses import STOREYS, STYLES

SIZE_PX = (48, 36)


def write_few(root: Path, seed: int = 0, train_fronts: int = 20, workers: int = 1) -> None:
    write_fronts(root, seed, train_fronts, 4, SIZE_PX, workers=workers)


def read_all(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_every_photo_has_a_row_of_tags_and_no_name_tells_one(tmp_path: Path) -> None:
    write_few(tmp_path / "fronts")
    with (tmp_path / "fronts" / "tags.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    photos = sorted(name for name in read_all(tmp_path / "fronts") if name.endswith(".jpg"))
    assert sorted(row["photo"] for row in rows) == photos
    assert photos[0] == "test/000001.jpg"
    assert Counter(row["split"] for row in rows) == {"train": 20, "test": 4}
    assert all(row["photo"].split("/")[0] == row["split"] for row in rows)
    assert {row["style"] for row in rows} == set(STYLES)
    assert {row["storeys"] for row in rows} <= set(STOREYS)
    with Image.open(tmp_path / "fronts" / photos[0]) as photo:
        assert (photo.size, photo.mode) == (SIZE_PX, "RGB")


def test_number_of_workers_does_not_change_a_byte(tmp_path: Path) -> None:
    write_few(tmp_path / "one", workers=1)
    write_few(tmp_path / "two", workers=2)
    assert read_all(tmp_path / "one") == read_all(tmp_path / "two")


def test_other_parameters_in_the_same_folder_are_an_error(tmp_path: Path) -> None:
    write_few(tmp_path / "fronts", train_fronts=2)
    with pytest.raises(UserError, match="holds fronts drawn with train_fronts=2 where"):
        write_few(tmp_path / "fronts", train_fronts=3)


def test_numbers_out_of_range_are_errors(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="train_fronts is -1; it must be at least 0"):
        write_few(tmp_path / "fronts", train_fronts=-1)


def test_progress_counts_photos_to_the_end(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write_fronts(
        tmp_path / "fronts", 0, 16, 2, SIZE_PX, lambda done, total: seen.append((done, total)), 1
    )
    assert seen == [(16, 18), (18, 18)]
    assert json.loads((tmp_path / "fronts" / "fronts.json").read_text())["test_fronts"] == 2


def test_source_draws_the_fronts_and_reads_their_splits(tmp_path: Path) -> None:
    source = FrontsSource(tmp_path / "fronts", 0, 3, 2, *SIZE_PX, workers=1)
    source.prepare(lambda done, total: None)
    source.prepare(lambda done, total: pytest.fail("drawn again"))
    photo_set = source.read()
    assert photo_set.name == "fronts"
    assert [photo.key for photo in photo_set.photos] == [
        *(f"test/00000{number}.jpg" for number in (1, 2)),
        *(f"train/00000{number}.jpg" for number in (1, 2, 3)),
    ]
    assert all(photo.split == photo.key.split("/")[0] for photo in photo_set.photos)
    assert len({photo.property for photo in photo_set.photos}) == 5
    planned = {front.photo: front for front in plan_fronts(0, 3, 2)}
    for photo in photo_set.photos:
        front = planned[photo.key]
        assert photo.tags == (("storeys", front.storeys), ("style", front.style))


def test_fronts_that_are_not_there_name_the_command(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"seentwice prepare data=fronts data\.root="):
        read_fronts(tmp_path)


def test_other_tables_are_errors(tmp_path: Path) -> None:
    (tmp_path / "tags.csv").write_text("photo,city\n")
    with pytest.raises(UserError, match=r"tags\.csv:1: the columns must be photo,split,storeys"):
        read_fronts(tmp_path)


@pytest.mark.parametrize(
    "row", ["train/1.jpg,train,two", "../1.jpg,train,two,spanish", "valid/1.jpg,valid,two,spanish"]
)
def test_a_row_that_is_no_front_is_told(tmp_path: Path, row: str) -> None:
    lines = ("photo,split,storeys,style", "train/0.jpg,train,one,ranch", row)
    (tmp_path / "tags.csv").write_text("\n".join(lines))
    with pytest.raises(UserError, match=r"tags\.csv:3: no row of a rendered front; delete "):
        read_fronts(tmp_path)


def test_training_fronts_stay_the_same_when_there_are_more_to_test() -> None:
    assert plan_fronts(3, 10, 2)[:10] == plan_fronts(3, 10, 40)[:10]

from collections import Counter
from pathlib import Path

import pytest
from sklearn.metrics import cohen_kappa_score

from seentwice.data.house_fronts import (
    COLUMNS,
    STOREYS,
    HouseFront,
    parse_house_fronts,
    read_front_labels,
    read_house_fronts,
)
from seentwice.errors import UserError

HEADER = ",".join(COLUMNS)
SECOND = Path(__file__).parents[2] / "experiments" / "house_styles" / "second_labels.csv"


def test_every_house_of_the_data_set_has_its_row() -> None:
    fronts = read_house_fronts()
    assert [front.house for front in fronts] == list(range(1, 401))
    assert fronts[6] == HouseFront(7, "two", "spanish", "")
    assert fronts[6].photo == "7_frontal.jpg"


def test_storeys_are_counted_as_the_pages_say() -> None:
    counts = Counter(front.storeys for front in read_house_fronts())
    assert counts == {"one": 244, "two": 134, "three_or_more": 4, None: 18}


def test_unclear_storeys_have_a_reason() -> None:
    assert all(front.note for front in read_house_fronts() if front.storeys is None)


def test_one_photo_under_two_numbers_has_one_label() -> None:
    by_house = {front.house: front for front in read_house_fronts()}
    for left, right in ((11, 30), (12, 32), (59, 72), (199, 214), (292, 293), (331, 351)):
        left_front, right_front = by_house[left], by_house[right]
        assert (left_front.storeys, left_front.style) == (right_front.storeys, right_front.style)


@pytest.mark.parametrize(("column", "same", "kappa"), [("storeys", 39, 0.95), ("style", 36, 0.86)])
def test_second_labels_agree_as_often_as_is_said(column: str, same: int, kappa: float) -> None:
    by_house = {front.house: front for front in read_house_fronts()}
    second = read_front_labels(SECOND)
    left = [getattr(by_house[front.house], column) or "unclear" for front in second]
    right = [getattr(front, column) or "unclear" for front in second]
    assert len(second) == 40
    assert sum(a == b for a, b in zip(left, right, strict=True)) == same
    assert round(cohen_kappa_score(left, right), 2) == kappa


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([], "fronts.csv:1: the columns must be house,storeys,style,note"),
        (["house,floors"], "fronts.csv:1: the columns must be house,storeys,style,note"),
        ([HEADER, "1,one,ranch"], "fronts.csv:2: has 3 cells; it must have 4"),
        ([HEADER, "0,one,ranch,"], "fronts.csv:2: house is '0'; it must be a number from 1"),
        ([HEADER, "x,one,ranch,"], "fronts.csv:2: house is 'x'; it must be a number from 1"),
        (
            [HEADER, "1,one,ranch,", "1,two,ranch,"],
            "fronts.csv:3: house 1 is in line 2 already; keep one of them",
        ),
        (
            [HEADER, "1,four,ranch,"],
            "fronts.csv:2: storeys is 'four'; it must be one of one, two, three_or_more, unclear",
        ),
    ],
)
def test_errors_name_the_line(lines: list[str], complaint: str) -> None:
    with pytest.raises(UserError) as raised:
        list(parse_house_fronts(lines, "fronts.csv"))
    assert str(raised.value) == complaint


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        read_front_labels(tmp_path / "none.csv")


def test_unclear_labels_are_none() -> None:
    front = next(parse_house_fronts([HEADER, "5,unclear,unclear,hidden"], "fronts.csv"))
    assert (front.storeys, front.style, front.note) == (None, None, "hidden")
    assert STOREYS[-1] == "three_or_more"

"""What a request may hold, and which files it can reach."""

import base64
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.detectors.photo_scorer import PhotoInput, ScoredPair
from seentwice.learn.pair_rows import ROOT_VARIABLE, answer_rows

CONTENT = b"\xff\xd8 a photo"
ENCODED = base64.b64encode(CONTENT).decode()


class Recorded:
    """Gives pairs the scores 0.0, 0.1, ... and remembers them."""

    def __init__(self) -> None:
        self.pairs: list[tuple[PhotoInput, PhotoInput]] = []

    def score(self, pairs: Sequence[tuple[PhotoInput, PhotoInput]]) -> list[ScoredPair]:
        self.pairs = list(pairs)
        return [ScoredPair(n / 10, n > 5, None) for n in range(len(self.pairs))]


def ask(*rows: dict[str, object], root: Path | None = None) -> tuple[list[ScoredPair], Recorded]:
    scorer = Recorded()
    return answer_rows(scorer, rows, root), scorer


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "home").mkdir(parents=True)
    (folder / "home" / "a.jpg").write_bytes(CONTENT)
    (tmp_path / "secret.jpg").write_bytes(CONTENT)
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    return folder.resolve()


@pytest.mark.parametrize("value", [CONTENT, ENCODED, f" {ENCODED[:4]}\r\n{ENCODED[4:]}\n"])
def test_photos_come_as_base64_or_bytes(value: object) -> None:
    answers, scorer = ask({"left": value, "right": ENCODED, "left_path": None})
    assert scorer.pairs == [(CONTENT, CONTENT)]
    assert answers == [ScoredPair(0.0, False, None)]


def test_paths_are_read_below_the_folder_of_photos(root: Path) -> None:
    nan = float("nan")
    _, scorer = ask(
        {"left_path": "home/a.jpg", "right_path": str(root / "home" / "a.jpg")},
        {"left": ENCODED, "right": nan, "left_path": nan, "right_path": "home/../home/gone.jpg"},
        root=root,
    )
    file = root / "home" / "a.jpg"
    assert scorer.pairs == [(file, file), (CONTENT, root / "home" / "gone.jpg")]


@pytest.mark.parametrize(
    "path",
    ["../secret.jpg", "/etc/passwd", "link.jpg", "home/../../secret.jpg", "a\0.jpg", "../gone"],
)
def test_no_path_leads_out_of_the_folder_nor_tells_what_is_there(root: Path, path: str) -> None:
    answers, scorer = ask({"left_path": path, "right": ENCODED}, root=root)
    assert answers == [ScoredPair(None, None, f"left: not a path below {ROOT_VARIABLE}")]
    assert scorer.pairs == []


@given(path=st.text(alphabet="./~\\a\0é ", min_size=1, max_size=30))
def test_whatever_a_path_says_a_file_is_below_the_folder_or_refused(path: str) -> None:
    root = Path("/srv/photos")
    answers, scorer = ask({"left_path": path, "right": ENCODED}, root=root)
    for left, _ in scorer.pairs:
        assert isinstance(left, Path)
        assert left.is_relative_to(root)
        assert ".." not in left.parts
    assert bool(scorer.pairs) == (answers[0].problem is None)


def test_without_a_folder_no_path_is_read(root: Path) -> None:
    path = str(root / "home" / "a.jpg")
    answers, scorer = ask({"left_path": path, "right_path": path})
    (answer,) = answers
    assert answer.problem is not None
    assert answer.problem.startswith("left: paths are not read here; give base64, or start the")
    assert scorer.pairs == []


@pytest.mark.parametrize("text", ["/9j!", "AAAAA", "a photo", "/etc/passwd.jpg"])
def test_what_is_no_base64_is_told(text: str) -> None:
    (answer,), scorer = ask({"left": ENCODED, "right": text})
    assert answer.problem == "right: no base64 of a photo's bytes"
    assert scorer.pairs == []


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"left": None},
        {"left": ""},
        {"left": 5},
        {"left": ENCODED, "left_path": "a.jpg"},
    ],
)
def test_one_of_both_is_given(row: dict[str, object]) -> None:
    (answer,), _ = ask({"right": ENCODED, **row})
    assert answer.problem == "left: give left or left_path, one of them"


def test_answers_keep_the_order_of_the_rows() -> None:
    sound = {"left": ENCODED, "right": ENCODED}
    answers, _ = ask(sound, {}, sound, {"left": ENCODED}, sound)
    assert [answer.score for answer in answers] == [0.0, None, 0.1, None, 0.2]

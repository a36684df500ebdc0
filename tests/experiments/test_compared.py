"""What notebooks say of an experiment is what its metrics.json holds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from matplotlib.axes import Axes

from experiments import pictures
from experiments.compared import (
    WITHOUT_LABELS,
    group_by_head,
    read_rows,
    say_order,
    tabulate,
)
from experiments.measured import keep_run, read_jobs
from experiments.pictures import AVERAGE_PRECISION, SAME_TYPE, draw_intervals, draw_rates
from seentwice.compare.summary import SAME_ROOM_TYPE
from seentwice.errors import UserError

PNG = b"\x89PNG"


def job(words: str, figures: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    """Return a comparison in which heads have that average precision on validation and test."""
    every = {"cosine": (0.7, 0.6), **figures}
    detectors = [
        {
            "name": name,
            "is_head": name != "cosine",
            "validation_average_precision": validation,
            "metrics": {"average_precision": _interval(test)},
            "slices": {SAME_ROOM_TYPE: {"roc_auc": _interval(test + 0.1)}},
        }
        for name, (validation, test) in every.items()
    ]
    return {"command": f"seentwice compare {words}", "detectors": detectors}


def _interval(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two seeds at two rates in a run, and one job in another."""
    jobs = [
        job(f"optimizer.lr={rate} seed={seed}", {"l1": (0.5 + rate, 0.5 - seed / 10)})
        for rate in (0.1, 0.01)
        for seed in (0, 1)
    ]
    keep_run(tmp_path, "whitened", jobs, "a: 1")
    keep_run(tmp_path, "linear", [job("seed=0", {"l1": (0.5, 0.2), "l2": (0.5, 0.65)})], "a: 1")
    return tmp_path


def test_a_run_that_was_not_measured_is_told_with_what_to_run(folder: Path) -> None:
    said = (
        rf"^experiments/{folder.name}: hard, easy not measured; "
        rf"run python -m experiments\.measure {folder.name}$"
    )
    with pytest.raises(UserError, match=said):
        read_rows(folder, ["whitened", "hard", "easy"])
    with pytest.raises(UserError, match="whitened not measured"):
        read_rows(folder / "none", ["whitened"])


def test_rows_of_a_head_are_named_after_their_runs(folder: Path) -> None:
    groups = group_by_head(folder, ["whitened", "linear"])
    assert {head: [row.name for row in rows] for head, rows in groups.items()} == {
        "l1": ["whitened", "linear"],
        "l2": ["linear"],
        WITHOUT_LABELS: ["cosine"],
    }
    assert [len(row.seeds) for row in groups["l1"]] == [2, 1]


def test_a_table_has_a_line_for_each_row(folder: Path) -> None:
    table = tabulate(read_rows(folder, ["whitened"]), ["choice", "AP", "sd"])
    assert table.to_dict("index") == {
        "cosine": {"choice": "–", "AP": "0.600 [0.500, 0.700]", "sd": "0.000"},
        "l1": {"choice": "optimizer.lr=0.1", "AP": "0.450 [0.350, 0.550]", "sd": "0.071"},
    }


def test_the_order_is_said_with_how_sure_it_is(folder: Path) -> None:
    rows = read_rows(folder, ["linear"])
    assert say_order(rows) == (
        "l2 comes first with an average precision of 0.650 [0.550, 0.750]; "
        "not shown to be worse, as the intervals overlap: cosine 0.600 [0.500, 0.700]; "
        "surely worse, as the interval ends below: l1 0.200 [0.100, 0.300]."
    )
    assert say_order(read_rows(folder, ["whitened"])).endswith(" (means over 2 seeds).")
    with pytest.raises(ValueError, match="two rows or more"):
        say_order(rows[:1])


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Axes]:
    """The panels of the last figure."""
    panels: list[Axes] = []
    to_png = pictures.to_png

    def remember(figure: Any) -> bytes:
        panels[:] = figure.axes
        png: bytes = to_png(figure)
        return png

    monkeypatch.setattr(pictures, "to_png", remember)
    return panels


def test_dots_intervals_and_seeds_are_drawn_where_they_are(folder: Path, drawn: list[Axes]) -> None:
    rows = read_rows(folder, ["whitened"])
    picture = draw_intervals({"$a$": rows}, [AVERAGE_PRECISION, SAME_TYPE])
    assert picture.png.startswith(PNG)
    assert "is 0.600, of cosine" in picture.alt
    for axes, shift in zip(drawn, (0.0, 0.1), strict=True):
        lines = [list(map(float, line.get_xdata())) for line in axes.get_lines()]
        expected = [[0.5, 0.7], [0.6], [0.6, 0.6], [0.35, 0.55], [0.45], [0.5, 0.4]]
        assert lines == [pytest.approx([x + shift for x in some]) for some in expected]
    assert [text.get_text() for text in drawn[0].get_yticklabels()] == ["cosine", "l1"]


def test_rates_are_drawn_from_low_to_high_and_validation_chooses(
    folder: Path, drawn: list[Axes]
) -> None:
    assert draw_rates(read_jobs(folder)["whitened"]).png.startswith(PNG)
    (axes,) = drawn
    test, validation, chosen = (
        (list(map(float, line.get_xdata())), list(map(float, line.get_ydata())))
        for line in axes.get_lines()
    )
    assert test == ([0.01, 0.1], pytest.approx([0.45, 0.45]))
    assert validation == ([0.01, 0.1], pytest.approx([0.51, 0.6]))
    assert chosen == ([0.1], pytest.approx([0.6]))
    with pytest.raises(ValueError, match=r"`seentwice compare seed=0` sets optimizer\.lr"):
        draw_rates(read_jobs(folder)["linear"])


def test_nothing_is_no_picture(folder: Path) -> None:
    with pytest.raises(ValueError, match="needs a row and a measure"):
        draw_intervals({"a": []}, [AVERAGE_PRECISION])
    with pytest.raises(ValueError, match="needs a head"):
        draw_rates([])

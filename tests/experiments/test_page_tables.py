"""The tables of pages: what was measured, each head at the choice that validation pairs made."""

import math
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from experiments.measured import keep_run, read_configs, read_jobs
from experiments.tables import (
    choose_rows,
    fill_tables,
    mean_interval,
    renew_tables,
    spell_interval,
    write_table,
)
from seentwice.compare.summary import SAME_PROPERTY
from seentwice.records import Interval

COLUMNS = ["choice", "validation AP", "AP", "sd"]
HEADER = "| detector | choice | validation AP | AP | sd |\n| --- | ---: | ---: | ---: | ---: |\n"


def job(words: str, figures: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    """Return a comparison in which heads have that average precision on validation and test."""
    detectors = [
        {
            "name": name,
            "is_head": name != "cosine",
            "validation_average_precision": validation,
            "metrics": {
                "average_precision": {"value": test, "low": test - 0.1, "high": test + 0.1}
            },
        }
        for name, (validation, test) in {"cosine": (0.7, 0.6), **figures}.items()
    ]
    return {"command": f"seentwice compare {words}", "detectors": detectors}


def test_the_choice_is_made_by_validation_not_by_test(tmp_path: Path) -> None:
    jobs = [
        job("seed=0 lr=0.1", {"l1": (0.6, 0.4), "l2": (0.7, 0.6)}),
        job("seed=0 lr=0.001", {"l1": (0.5, 0.9), "l2": (0.8, 0.5)}),
    ]
    keep_run(tmp_path, "main", jobs, "seed: 0")
    rows = {row.name: row.choice for row in choose_rows(read_jobs(tmp_path)["main"])}
    assert rows == {"cosine": "", "l1": "lr=0.1", "l2": "lr=0.001"}


def test_seeds_are_one_row_and_count_together(tmp_path: Path) -> None:
    jobs = [
        job("seed=0 lr=0.1", {"l1": (0.9, 0.4)}),
        job("seed=1 lr=0.1", {"l1": (0.1, 0.5)}),
        job("seed=0 lr=1", {"l1": (0.6, 0.7)}),
        job("seed=1 lr=1", {"l1": (0.6, 0.8)}),
    ]
    keep_run(tmp_path, "main", jobs, "seed: 0")
    assert write_table(tmp_path, ["main"], COLUMNS) == HEADER + (
        "| l1 | lr=1 | 0.600 | 0.750 [0.650, 0.850] | 0.071 |\n"
        "| cosine | \N{EN DASH} | 0.700 | 0.600 [0.500, 0.700] | 0.000 |\n"
    )


def test_a_mean_of_what_is_not_defined_is_not_defined() -> None:
    known = {"value": 0.5, "low": 0.25, "high": 0.75}
    assert mean_interval([known, {"value": 1.0, "low": 0.75, "high": 1.0}]) == Interval(
        0.75, 0.5, 0.875
    )
    without = mean_interval([known, {"value": 1.0, "low": None, "high": None}])
    assert without.value == 0.75
    assert math.isnan(without.low)
    assert math.isnan(without.high)
    assert spell_interval(without) == "0.750 [\N{EN DASH}, \N{EN DASH}]"


def test_what_one_home_or_a_fold_without_duplicates_leaves_open_is_left_open(
    tmp_path: Path,
) -> None:
    made = job("x=1", {})
    (cosine,) = made["detectors"]
    nothing = {"value": None, "low": None, "high": None}
    cosine["metrics"] |= {"roc_auc": {"value": 0.5, "low": None, "high": None}, "f1": nothing}
    cosine["slices"] = {SAME_PROPERTY: {"roc_auc": nothing}}
    cosine["over_baseline"] = {"average_precision": {"value": 0.25, "low": None, "high": None}}
    cosine["fold_average_precisions"] = [0.5, None, 0.75]
    keep_run(tmp_path, "main", [made], "x: 1")
    columns = ["ROC AUC", "F1", "same home", "over cosine", "within a fold"]
    dash = "\N{EN DASH}"
    assert write_table(tmp_path, ["main"], columns).splitlines()[-1] == (
        f"| cosine | 0.500 [{dash}, {dash}] | {dash} | {dash} | +0.250 | 0.625 |"
    )


def test_a_head_of_two_runs_is_named_after_the_later_one(tmp_path: Path) -> None:
    keep_run(tmp_path, "plain", [job("x=1", {"concat": (0.5, 0.4)})], "x: 1")
    keep_run(tmp_path, "symmetric", [job("x=2", {"concat": (0.5, 0.5)})], "x: 2")
    assert write_table(tmp_path, ["plain", "symmetric"], ["AP"]) == (
        "| detector | AP |\n| --- | ---: |\n"
        "| cosine | 0.600 [0.500, 0.700] |\n"
        "| concat (symmetric) | 0.500 [0.400, 0.600] |\n"
        "| concat | 0.400 [0.300, 0.500] |\n"
    )
    assert read_configs(tmp_path) == {"plain": {"x": 1}, "symmetric": {"x": 2}}


def test_a_detector_that_another_run_measures_with_other_seeds_is_one_row(tmp_path: Path) -> None:
    seeds = [job(f"seed={seed}", {"l1": (0.9, 0.4)}) for seed in (0, 1)]
    seeds[1]["detectors"][0]["metrics"]["average_precision"]["low"] = 0.3  # of cosine, resampled
    keep_run(tmp_path, "main", seeds, "seed: 0")
    keep_run(tmp_path, "other", [job("seed=0", {"l1": (0.9, 0.4004)})], "seed: 0")
    table = write_table(tmp_path, ["main", "other"], COLUMNS).splitlines()
    assert [line.split(" | ")[0] for line in table[2:]] == ["| cosine", "| l1 (other)", "| l1"]


def test_a_page_is_renewed_between_its_comments_alone(tmp_path: Path) -> None:
    (tmp_path / "heads").mkdir()
    keep_run(tmp_path / "heads", "main", [job("x=1", {})], "x: 1")
    page = tmp_path / "README.md"
    page.write_text("Before\n<!-- table heads: main | AP -->\nold\n<!-- end -->\nAfter\n")
    renew_tables([page, tmp_path / "none.md"], tmp_path)
    text = page.read_text()
    assert text == (
        "Before\n<!-- table heads: main | AP -->\n| detector | AP |\n| --- | ---: |\n"
        "| cosine | 0.600 [0.500, 0.700] |\n<!-- end -->\nAfter\n"
    )
    assert fill_tables(text, tmp_path) == text


def test_a_run_that_was_measured_again_takes_the_place_of_the_old(tmp_path: Path) -> None:
    for value in (0.123456789, 0.2):
        keep_run(tmp_path, "main", [job("x=1", {"l1": (value, value)})], "x: 1")
        (kept,) = read_jobs(tmp_path)["main"]
        assert kept.detectors[1]["validation_average_precision"] == round(value, 6)
        assert kept.words == tuple(shlex.split("x=1"))


@pytest.mark.parametrize(
    ("runs", "columns", "message"),
    [(["other"], ["AP"], "has no run other: measured are main"), (["main"], ["AUC"], "choose of")],
)
def test_what_a_page_asks_for_wrongly_is_told(
    tmp_path: Path, runs: list[str], columns: list[str], message: str
) -> None:
    keep_run(tmp_path, "main", [job("x=1", {})], "x: 1")
    with pytest.raises(ValueError, match=message):
        write_table(tmp_path, runs, columns)

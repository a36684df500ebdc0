"""`seentwice runs`: what it shows of a store, and that it changes none."""

import csv
import io
import json
import math
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, nullcontext, suppress
from pathlib import Path

import pytest
from rich.console import Console

from seentwice.commands.main import main
from seentwice.commands.run_table import RunRow, break_name, make_table
from seentwice.commands.runs import is_smaller_better
from seentwice.compare.report_tables import METRICS, RETRIEVAL
from seentwice.learn import run_database, stored_runs
from seentwice.learn.tracking import check_store, track_run

EXPERIMENT = "runs of this test"
AP, LOSS = "test/average_precision", "validation/loss"
UNDEFINED = "validation/never"


@pytest.fixture(scope="module")
def store(tracking_store: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two comparisons of two detectors each, a training and one that failed."""
    check_store()
    file = tmp_path_factory.mktemp("runs") / "mlflow.db"
    shutil.copy(tracking_store.removeprefix("sqlite:///"), file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{file}")
        for number, scores in enumerate([{"l1": 0.5, "l2": 0.9}, {"l1": 0.7, "knn": 0.6}]):
            tags = {"seentwice.command": "compare"}
            with track_run(EXPERIMENT, f"comparison {number}", tags) as parent:
                for name, score in scores.items():
                    with track_run(EXPERIMENT, name, tags, parent.run_id) as run:
                        run.log_parameters({"detector": name, "data": "ro\x1b[1moms"})
                        run.log_metrics({AP: score, LOSS: 1 - score})
        with track_run(EXPERIMENT, "alone", {"seentwice.command": "train"}) as run:
            run.log_parameters({"head": "concat", "git_commit": "0123456789abcdef+"})
            run.log_metrics({AP: 0.8})
        with suppress(ValueError), track_run(EXPERIMENT, "failed", {}) as run:
            run.log_metrics({LOSS: math.nan, UNDEFINED: math.nan})
            raise ValueError("lost")
    return f"sqlite:///{file}"


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give tables room for every column."""
    monkeypatch.setenv("COLUMNS", "160")


def listed(store: str, *words: str) -> list[str]:
    return ["runs", "--store", store, "--experiment", EXPERIMENT, *words]


def names_of(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if "killed" in line or "finished" in line]
    return [line.split("compare" if "compare" in line else "train")[0].rstrip() for line in lines]


def test_runs_stand_below_the_one_they_are_a_part_of_best_first(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(listed(store)) == 0
    text = capsys.readouterr().out
    assert names_of(text) == [
        *("comparison 0", "  l2", "  l1"),
        "alone",
        *("comparison 1", "  l1", "  knn"),
    ]
    (best,) = (line for line in text.splitlines() if line.startswith("  l2"))
    assert best.split()[:5] == ["l2", "compare", r"ro\x1b[1moms", "l2", "-"]
    assert "0.900" in best
    (alone,) = (line for line in text.splitlines() if line.startswith("alone"))
    assert alone.split()[1:5] == ["train", "-", "concat", "-"]
    assert alone.split()[-1] == "01234567+"
    assert "failed" in text.splitlines()[-1]


def test_of_a_loss_the_least_is_best(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(listed(store, "--metric", LOSS, "--limit", "2")) == 0
    text = capsys.readouterr().out
    assert names_of(text) == ["comparison 0", "  l2", "comparison 1", "  l1"]
    last = text.splitlines()[-1]
    assert last == f"The best 2 runs by {LOSS}; there are more: --limit N, up to 100,000"


def test_a_run_is_shown_by_the_beginning_of_its_id_and_the_minute_of_its_start(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(listed(store, "--json")) == 0
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert main(listed(store)) == 0
    (line,) = (row for row in capsys.readouterr().out.splitlines() if row.startswith("alone"))
    run_id, started = found["alone"]["run_id"], found["alone"]["started"]
    assert f" {run_id[:8]}  {started[:10]} {started[11:16]} " in line


@pytest.mark.parametrize(
    ("name", "length", "lines"),
    [
        ("property_rooms", None, ["property_rooms"]),
        ("property_rooms", 14, ["property_rooms"]),
        ("property_rooms", 12, ["property_", "rooms"]),
        ("test/recall_at_99_precision", 10, ["test/", "recall_at_", "99_", "precision"]),
        ("2026-11-22 02:05", 10, ["2026-11-22", "02:05"]),
        ("  combination", 8, ["  combination"]),
        ("", 8, [""]),
    ],
)
def test_long_names_are_broken_between_words(
    name: str, length: int | None, lines: list[str]
) -> None:
    assert break_name(name, length).split("\n") == lines


def test_a_long_metric_leaves_the_other_names_whole() -> None:
    metric = "test/edited/recall_at_99_precision"
    row = RunRow(
        *("0123456789abcdef", "", "concat", "train", "train", "property_rooms", "head"),
        *("mobilenet_v3_large", "FINISHED", "2026-11-22T02:05:40Z", 3.0, "0123456789abcdef"),
        metrics={metric: 0.5},
    )
    console = Console(width=100)
    with console.capture() as capture:
        console.print(make_table([row], [metric], console))
    words = capture.get().split()
    assert {"concat", "recall_at_", "01234567", "finished", "2026-11-22"} <= {*words}
    assert {"property_", "property_rooms"} & {*words}
    assert {"mobilenet_", "mobilenet_v3_"} & {*words}
    assert "no room for: commit" in capture.get()


@pytest.mark.parametrize("metric", [f"test/{name}" for name in (*METRICS, *RETRIEVAL)])
def test_of_errors_alone_the_least_is_best(metric: str) -> None:
    for end in ("", "_low", "_high"):
        assert is_smaller_better(metric + end) == (metric in ("test/bce", "test/ece"))


def test_of_other_names_losses_and_times_are_the_better_the_less_they_are() -> None:
    for name in (LOSS, "train_loss", "fit_seconds", "l2/train/loss"):
        assert is_smaller_better(name)
    for name in ("pairs_per_second", "space", "test/piece"):
        assert not is_smaller_better(name)


@pytest.mark.parametrize("words", [[], ["--metric", LOSS], ["--limit", "3"], ["--limit", "7"]])
def test_a_server_sorts_as_a_database_does(
    words: list[str],
    store: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(listed(store, "--json", *words)) == 0
    expected = capsys.readouterr()
    monkeypatch.setattr(run_database, "open_run_database", lambda address: nullcontext())
    assert main(listed(store, "--json", *words)) == 0
    assert capsys.readouterr() == expected


@pytest.mark.parametrize("page", [1, 2, 1000])
def test_pages_give_what_one_would(
    page: int, store: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stored_runs, "_PAGE", page)
    assert main(listed(store, "--limit", "4")) == 0
    captured = capsys.readouterr().out
    assert names_of(captured) == ["comparison 0", "  l2", "alone", "comparison 1", "  l1", "  knn"]
    assert "The best 4 runs" in captured


def test_json_and_csv_hold_every_metric(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(listed(store, "--json")) == 0
    text = capsys.readouterr().out
    found = json.loads(text)
    assert main(listed(store, "--csv")) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(found) == len(rows) == 8
    assert tuple(rows[0]) == (*RunRow.NAMES, AP, LOSS, UNDEFINED)
    for one, row in zip(found, rows, strict=True):
        assert {name: "" if one[name] is None else str(one[name]) for name in RunRow.NAMES} == {
            name: row[name] for name in RunRow.NAMES
        }
        known = {name: float(row[name]) for name in (AP, LOSS, UNDEFINED) if row[name]}
        metrics = {name: None if math.isnan(value) else value for name, value in known.items()}
        assert metrics == one["metrics"]
    assert "NaN" not in text
    assert found[-1]["metrics"] == {LOSS: None, UNDEFINED: None}  # of the one that failed
    parents = {one["name"]: one["run_id"] for one in found if not one["parent_id"]}
    assert found[1]["parent_id"] == parents["comparison 0"]


def test_what_is_left_out_is_told_beside_the_data(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(listed(store, "--csv", "--limit", "1")) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 3  # the header, the best and the one above it
    assert err.startswith(f"The best 1 run by {AP}; there are more")


@pytest.mark.parametrize(
    ("metric", "fault"),
    [
        ("test/nothing", "no run has it"),
        ("a`b", "no run has it"),
        ("x' OR 1", "no run has it"),
        (UNDEFINED, "it is NaN in every run"),
    ],
)
def test_an_unknown_metric_is_answered_with_those_there_are(
    metric: str, fault: str, store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(listed(store, "--metric", metric)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"--metric {metric}: {fault}; choose one of {AP}, {LOSS}")


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        ("f1", "did you mean test/f1, train/f1, validation/f1? (all 12: seentwice runs --json)"),
        ("test/acuracy", "did you mean test/accuracy, train/accuracy, validation/accuracy? ("),
        ("zzz", "all 12: seentwice runs --json"),
    ],
)
def test_of_many_metrics_the_nearest_are_named(
    metric: str,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tracking_store: str,
) -> None:
    file = tmp_path / "mlflow.db"
    check_store()
    shutil.copy(tracking_store.removeprefix("sqlite:///"), file)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{file}")
    names = ("f1", "accuracy", "roc_auc", "average_precision")
    splits = ("train", "validation", "test")
    with track_run(EXPERIMENT, "many", {}) as run:
        run.log_metrics({f"{split}/{name}": 0.5 for split in splits for name in names})
    words = ["runs", "--experiment", EXPERIMENT, "--metric", metric]
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"--metric {metric}: no run has it; {told}" in line


def test_an_unknown_experiment_is_answered_with_those_there_are(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", "--store", store, "--experiment", "nothing"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--experiment nothing: choose one of " in line
    assert EXPERIMENT in line


def test_nothing_is_written(store: str) -> None:
    folder = Path(store.removeprefix("sqlite:///")).parent
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(listed(store)) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_store_that_is_not_there_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert main(["runs"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "sqlite:///mlflow.db: no such file; run seentwice compare first, or give --store" in line
    assert main(["runs", "--store", str(tmp_path / "mlruns")]) == 2
    assert "no such folder; run seentwice compare first" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tables", [0, 1])
def test_another_database_is_left_as_it_is(
    tables: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as database:
        database.executescript("CREATE TABLE other (a);" * tables)
    file.touch()
    before = file.read_bytes()
    assert main(["runs", "--store", f"sqlite:///{file}"]) == 2
    assert "holds no runs; run seentwice compare first" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_a_file_that_is_no_database_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.db").write_text("no database" * 100)
    assert main(["runs", "--store", f"sqlite:///{tmp_path / 'a.db'}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "file is not a database" in line


def test_a_server_that_does_not_answer_was_given_by_store(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    assert main(["runs", "--store", "http://127.0.0.1:9"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "MLflow store http://127.0.0.1:9: " in line
    assert line.endswith("; give --store the address of another, or start the server that it names")


def test_help_waits_for_none_of_the_slow_libraries() -> None:
    code = (
        "import sys; from seentwice.commands.main import main; main(['runs', '--help']);"
        "print(sorted({'torch', 'mlflow', 'hydra', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "--metric NAME" in done.stdout

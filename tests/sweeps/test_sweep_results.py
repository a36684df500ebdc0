"""What a sweep found is kept as JSON that is read again, and as a table."""

import csv
import io
import json
import math
from dataclasses import replace

import pytest

from seentwice.errors import UserError
from seentwice.sweeps.brackets import Bracket
from seentwice.sweeps.results import Origin, SweepResults, read_results, show_value, to_csv, to_json
from seentwice.sweeps.space import Categorical, Const, Double, Int, Log
from seentwice.sweeps.trials import Interruption, Point, Trial

EVIL = "a\n\x1b[31m,\"b'</script>\udce9"
SPACE = {
    "optimizer.lr": Log(-4, -2, 10),
    "status": Int(1, 9, count=3),  # the name of a column of ours
    EVIL: Categorical(["a,b", True, None, [1, "x"], 1.5]),
    "alpha": Double(0.5, 1.0),
    "seed": Const(0),
}
VALUES = {"optimizer.lr": 1e-3, "status": 4, EVIL: [1, "x"], "alpha": 0.1 + 0.2, "seed": 0}
BEST = Trial(
    *(0, 0, "finished", VALUES, (Point(1, 0.5, 1.25), Point(3, 1 / 3, 2.5)), 1),
    *("worker", "/runs/trial_0", "/runs/trial_0/best.ckpt", 1, ""),
    (Interruption(1, "killed\n"), Interruption(2, "gone")),
)
OTHERS = (
    Trial(1, 0, "failed", VALUES | {EVIL: "a,b"}, (), 0, "", f"/{EVIL}", "", 0, EVIL, ()),
    Trial(2, 0, "waiting", {}, (), 0, "", "", "", 0, "", ()),
)
RESULTS = SweepResults(
    *("a sweep", "validation_loss", True, "epochs", SPACE, (Bracket((1, 3), 3, 2),)),
    (BEST, *OTHERS),
    {1: 2},
)
ORIGIN = Origin("seentwice sweep", "seentwice train", made_with={"seed": 3})


def write(folder, text):
    path = folder / "results.json"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_written_is_read_again(tmp_path):
    assert read_results(write(tmp_path, to_json(RESULTS, repr, ORIGIN))) == RESULTS


def test_the_file_tells_the_best_trial_its_overrides_and_what_was_spent():
    values = json.loads(to_json(RESULTS, str, ORIGIN))
    assert values["best"] == {
        "trial": 0,
        "metric": 1 / 3,
        "time": 3,
        "overrides": [
            *("optimizer.lr=0.001", "status=4", f"{EVIL}=[1, 'x']"),
            *("alpha=0.30000000000000004", "seed=0"),
        ],
        "command": "seentwice train",
        "folder": "/runs/trial_0",
        "checkpoint": "/runs/trial_0/best.ckpt",
    }
    assert (values["command"], values["made_with"]) == ("seentwice sweep", {"seed": 3})
    assert values["counts"] == {"waiting": 1, "finished": 1, "failed": 1}
    assert (values["spent"], values["saved"], values["share_saved"]) == (3, 0, 0)
    stopped = replace(RESULTS, trials=(replace(BEST, status="stopped", curve=BEST.curve[:1]),))
    values = json.loads(to_json(stopped, str, ORIGIN))
    assert (values["spent"], values["saved"], values["share_saved"]) == (1, 2, pytest.approx(2 / 3))
    values = json.loads(to_json(replace(stopped, ends={0: 2}), str, ORIGIN))
    assert (values["spent"], values["saved"], values["share_saved"]) == (1, 1, 0.5)


def test_both_files_number_brackets_and_rungs_alike(tmp_path):
    rungs, curve = Bracket((1, 3), 3, 2), BEST.curve[:1]
    trials = (
        replace(BEST, number=0, bracket=1),
        replace(BEST, number=1, status="stopped", curve=curve, rungs=0),
        replace(BEST, number=2, status="running", curve=curve, rungs=1),
        replace(BEST, number=3, status="waiting", curve=(), rungs=0),
    )
    for brackets in ((rungs, rungs), ()):
        moved = [one if brackets else replace(one, bracket=0, rungs=0) for one in trials]
        results = replace(RESULTS, brackets=brackets, trials=tuple(moved))
        text = to_json(results, str, ORIGIN)
        assert read_results(write(tmp_path, text)) == results
        told = [
            [row["bracket"], row["rung"], row["rungs"]]
            for row in csv.DictReader(io.StringIO(to_csv(results)))
        ]
        kept = [
            [one[key] for key in ("bracket", "rung", "rungs")] for one in json.loads(text)["trials"]
        ]
        assert told == [["" if one is None else str(one) for one in row] for row in kept]
        assert told[1] == (["1", "1", "2"] if brackets else ["", "", ""])


def test_nothing_measured_yet_has_no_best_trial(tmp_path):
    nothing = replace(RESULTS, trials=OTHERS[1:])
    text = to_json(nothing, str, ORIGIN)
    assert json.loads(text)["best"] is None
    assert read_results(write(tmp_path, text)) == nothing


def test_a_constant_that_is_no_number_is_null():
    text = to_json(replace(RESULTS, space={"a": Const(math.nan)}, trials=()), str, ORIGIN)
    assert json.loads(text, parse_constant=pytest.fail)["space"]["a"]["val"] is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no results of a sweep: Expecting"),
        ("[]", "no results of a sweep: "),
        ("{}", "no results of a sweep: space is missing"),
        ('{"space": {"a": {"type": "b"}}}', "no results of a sweep: hyperparameters.a.type='b'"),
        ('{"space": {}}', "no results of a sweep: name: "),
    ],
)
def test_a_file_of_something_else_is_refused_in_one_line(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(UserError) as error:
        read_results(path)
    assert str(error.value).startswith(f"{path}: {message}")
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path):
    with pytest.raises(UserError, match=r"results\.json: No such file .* name the folder"):
        read_results(tmp_path / "results.json")
    (tmp_path / "results.json").write_bytes(b"\xff")
    with pytest.raises(UserError, match=r"results\.json: no results of a sweep"):
        read_results(tmp_path / "results.json")


def test_the_table_has_a_row_a_trial():
    text = to_csv(RESULTS)
    rows = list(csv.DictReader(io.StringIO(text)))
    evil = r"hyperparameters.a\n\x1b[31m,"
    evil += "\"b'</script>" + r"\udce9"
    assert list(rows[0]) == [
        *("trial", "rank", "bracket", "status", "rung", "rungs"),
        *("trained", "best_metric", "best_at"),
        *("hyperparameters.optimizer.lr", "hyperparameters.status", evil),
        *("hyperparameters.alpha", "hyperparameters.seed"),
        *("restarts", "folder", "checkpoint", "error", "interruptions"),
    ]
    assert list(rows[0].values()) == [
        *("0", "1", "1", "finished", "2", "2", "3", "0.3333333333333333", "3"),
        *("0.001", "4", '[1, "x"]', "0.30000000000000004", "0"),
        *("1", "/runs/trial_0", "/runs/trial_0/best.ckpt", ""),
        r"after 1 epoch: killed\n; after 2 epochs: gone",
    ]
    assert (rows[1]["status"], rows[1]["rank"], rows[1]["best_metric"]) == ("failed", "", "")
    assert rows[1][evil] == "a,b"
    assert rows[1]["error"] == evil.removeprefix("hyperparameters.")
    assert [rows[2][column] for column in ("trained", "hyperparameters.alpha")] == ["0", ""]
    # Whatever names and errors hold, a line is a row.
    assert len(text.splitlines()) == 4
    text.encode()


def test_a_search_that_stops_nothing_has_no_brackets_and_rungs_in_the_table():
    (row,) = csv.DictReader(io.StringIO(to_csv(replace(RESULTS, brackets=(), trials=(BEST,)))))
    assert [row[column] for column in ("bracket", "rung", "rungs", "trained")] == ["", "", "", "3"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(True, "true"), (None, "null"), (0.1, "0.1"), ("é\n", r"é\n"), ([1, "é"], '[1, "é"]')],
)
def test_a_value_is_shown_in_one_line(value, shown):
    assert show_value(value) == shown

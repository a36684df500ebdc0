"""The report of a sweep: whole files, one page that needs nothing but itself, texts escaped."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from made_up import SPACE, make_sweep
from PIL import Image

from seentwice.files import UnwritableError
from seentwice.pages import write_page
from seentwice.sweeps.brackets import AshaSettings
from seentwice.sweeps.report.best_so_far import draw_best_so_far
from seentwice.sweeps.report.looks import draw_sentence
from seentwice.sweeps.report.page import (
    FILES,
    REPORT,
    RESULTS,
    describe_budget,
    describe_sweep,
    render_report,
    write_report,
)
from seentwice.sweeps.report.parallel_axes import draw_parallel_axes
from seentwice.sweeps.report.tables import SHOWN_TRIALS, describe_range, tabulate_trials
from seentwice.sweeps.results import Origin, SweepResults, read_results
from seentwice.sweeps.space import Categorical, Const, Double, Hyperparameter, Int, Log
from seentwice.sweeps.trials import Interruption

OpenInBrowser = Callable[[Path], tuple[str, list[str]]]
EVIL = """</style>"><script>alert(1)</script><img src=x onerror='f()'>\x1b\n\udce9"""
WHOLE = make_sweep(failed={9: 1}, impossible=(7,))
PICTURES = {name: draw_sentence(name) for name in FILES if name.endswith(".png")}


def render(results: SweepResults) -> str:
    return render_report(results, PICTURES, str, Origin("seentwice sweep adaptive.yaml"))


def test_a_report_is_its_files_and_nothing_else(tmp_path: Path) -> None:
    nothing = replace(WHOLE, trials=())
    write_report(tmp_path, nothing, str, Origin("seentwice sweep adaptive.yaml"))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
    assert json.loads((tmp_path / RESULTS).read_text())["best"] is None
    assert "No trial has been measured yet." in (tmp_path / REPORT).read_text(encoding="utf-8")
    # Again, over the one from before the first trial.
    origin = Origin("seentwice sweep adaptive.yaml", "seentwice train", "seentwice evaluate")
    write_report(tmp_path, WHOLE, str, origin)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
    assert read_results(tmp_path / RESULTS) == WHOLE
    page = (tmp_path / REPORT).read_text(encoding="utf-8")
    pictures = list(tmp_path.glob("*.png"))
    assert len(pictures) == page.count("data:image/png;base64,") == 4
    for path in pictures:
        with Image.open(path) as image:
            assert image.width == 900
    best = WHOLE.best
    assert best is not None
    assert f"optimizer.lr={best.values['optimizer.lr']}" in page
    assert "the command that trains it again and that which evaluates it." in page
    assert page.index("seentwice train") < page.index("seentwice evaluate")
    assert "seentwice sweep adaptive.yaml" in page


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnwritableError, match="make that folder"):
        write_report(tmp_path / "gone", replace(WHOLE, trials=()), str, Origin(""))


def test_no_text_of_a_sweep_is_run(tmp_path: Path) -> None:
    space = {EVIL: Categorical([EVIL, "b"]), "lr": Log(-3, -1, 10), "seed": Const(EVIL)}
    sweep = make_sweep(AshaSettings(4, 4), space=space, failed={1: 0}, impossible=(2,))
    evil = tuple(
        replace(
            t,
            error=EVIL,
            folder=EVIL,
            checkpoint=EVIL,
            worker=EVIL,
            interruptions=(Interruption(1, EVIL),),
        )
        for t in sweep.trials
    )
    page = render(replace(sweep, name=EVIL, metric=EVIL, time_metric=EVIL, trials=evil))
    assert "<script>alert" not in page
    assert not re.search(r"<img src=x", page)
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 20
    assert "\x1b" not in page
    page.encode()


def test_trials_are_ranked_and_those_that_cannot_win_come_last_with_their_reason() -> None:
    ranked, lost = tabulate_trials(WHOLE)
    best = WHOLE.best
    assert best is not None
    assert ranked.rows[0][0].text == f"trial {best.number}"
    assert ranked.rows[0][1].is_best
    metrics = [row[1].value for row in ranked.rows]
    assert metrics == sorted(metrics)
    assert [row[0].text for row in lost.rows] == ["trial 9", "trial 7"]
    assert [row[1].text for row in lost.rows] == ["failed", "impossible"]
    assert lost.rows[0][2].text == "the loss is nan at epoch 2"
    assert lost.rows[1][2].text == "head.concat.hidden=0: at least 1"
    assert [column.name for column in ranked.columns[-5:]] == list(SPACE)[:5]
    assert len(tabulate_trials(replace(WHOLE, trials=(best,)))) == 1


def test_a_table_of_thousands_of_trials_shows_the_first_and_says_so() -> None:
    best = WHOLE.best
    assert best is not None
    many = tuple(replace(best, number=number) for number in range(1234))
    [table] = tabulate_trials(replace(WHOLE, trials=many))
    assert len(table.rows) == SHOWN_TRIALS
    assert table.caption == "Best first: the first 500 of 1,234; trials.csv has all"


def test_every_interruption_is_told_with_when_and_why() -> None:
    first, second = WHOLE.trials[:2]
    lost = replace(
        first,
        status="failed",
        interruptions=(Interruption(3, "killed\n"), Interruption(5, "its worker is gone")),
    )
    interrupted = replace(second, interruptions=(Interruption(1, "no memory"),))
    *_, table = tabulate_trials(replace(WHOLE, trials=(lost, interrupted)))
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["trial 0", "3", r"killed\n", "failed"],
        ["trial 0", "5", "its worker is gone", "failed"],
        ["trial 1", "1", "no memory", second.status],
    ]
    often = replace(first, interruptions=(Interruption(1, "no memory"),) * 501)
    *_, table = tabulate_trials(replace(WHOLE, trials=(often,)))
    assert len(table.rows) == 500
    assert table.caption == (
        "Interrupted and taken on again: the first 500 of 501; trials.csv has all"
    )


def test_a_trial_is_told_its_bracket_and_the_rung_where_it_was_compared_last() -> None:
    ranked, *_ = tabulate_trials(WHOLE)
    told = {row[0].text: (row[5].text, row[6].text) for row in ranked.rows}
    for trial in WHOLE.trials:
        if trial.status == "stopped" and trial.bracket == 0:
            rung = WHOLE.brackets[0].rungs.index(trial.curve[-1].time) + 1
            assert told[f"trial {trial.number}"] == ("1", f"{rung} of 3")
        if trial.status == "finished" and trial.bracket == 1:
            assert told[f"trial {trial.number}"] == ("2", "2 of 2")
    assert ("1", "1 of 3") in told.values()
    unstopped, *_ = tabulate_trials(replace(WHOLE, brackets=()))
    assert [column.name for column in unstopped.columns[4:6]] == ["Status", "optimizer.lr"]


def test_a_sentence_tells_the_state_of_the_sweep() -> None:
    best = WHOLE.best
    assert best is not None
    counts = ", ".join(f"{number} {status}" for status, number in WHOLE.counts.items())
    assert describe_sweep(WHOLE).startswith(f"17 trials: {counts}. Best: trial {best.number}, ")
    assert describe_sweep(replace(WHOLE, trials=())) == "No trial has been measured yet."
    assert describe_budget(replace(WHOLE, brackets=())).endswith(" epochs.")
    one = replace(WHOLE, trials=(replace(best, status="stopped", curve=best.curve[:3]),))
    assert describe_budget(one) == (
        "Training of all trials together: 3 epochs; without stopping up to 30, so stopping saved "
        "up to 27 (90%)."
    )
    single = replace(one, trials=(replace(best, curve=best.curve[:1]),))
    assert describe_budget(single) == "Training of all trials together: 1 epoch."
    assert describe_sweep(single).endswith(" after 1 epoch.")


def test_where_all_trials_failed_it_is_told_and_where_to_see_why() -> None:
    best = WHOLE.best
    assert best is not None
    failed = replace(best, status="failed", error="no memory")
    all_failed = replace(WHOLE, trials=(failed, replace(failed, number=1, status="impossible")))
    told = "All 2 trials failed or had impossible values; report.html and trials.csv tell why."
    assert describe_sweep(all_failed) == f"2 trials: 1 failed, 1 impossible. {told}"
    assert f"<p>{told}</p>" in render(all_failed)
    assert "Best first" not in render(all_failed)
    assert draw_best_so_far(all_failed).alt == told
    assert draw_parallel_axes(all_failed).alt == told
    waiting = replace(best, number=2, status="waiting", curve=())
    assert describe_sweep(replace(WHOLE, trials=(failed, waiting))).endswith(
        "No trial has been measured yet that can be the best."
    )
    assert describe_sweep(replace(WHOLE, trials=(failed,))).endswith(
        "The only trial failed or had impossible values; report.html and trials.csv tell why."
    )


@pytest.mark.parametrize(
    ("parameter", "told"),
    [
        (Const("a\n"), r"a\n"),
        (Int(1, 9), "1 to 9"),
        (Double(0.0, 0.5), "0 to 0.5"),
        (Log(-4, -2, 10), "10^-4 to 10^-2"),
        (Categorical(["a", True, None, [1]]), "a, true, null, [1]"),
    ],
)
def test_a_range_is_told(parameter: Hyperparameter, told: str) -> None:
    assert describe_range(parameter) == told


def test_a_browser_shows_the_page_without_a_complaint(
    tmp_path: Path, open_in_browser: OpenInBrowser
) -> None:
    write_page(tmp_path / REPORT, render(WHOLE))
    document, complaints = open_in_browser(tmp_path / REPORT)
    assert complaints == []
    assert "Best first" in document

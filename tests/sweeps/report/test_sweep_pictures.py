"""The pictures of a sweep show its trials as they are, however few, many, or oddly named."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from made_up import SECONDS_AN_EPOCH, SIXTEEN, SPACE, make_sweep
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from seentwice.pages import Picture
from seentwice.sweeps.brackets import AshaSettings
from seentwice.sweeps.report import best_so_far, learning_curves, looks, parallel_axes
from seentwice.sweeps.report.best_so_far import draw_best_so_far
from seentwice.sweeps.report.learning_curves import draw_learning_curves
from seentwice.sweeps.report.looks import (
    BEST_LOOK,
    Frame,
    describe_best,
    draw_sentence,
    drawable,
    format_metric,
    frame_metrics,
)
from seentwice.sweeps.report.parallel_axes import draw_parallel_axes, make_scale
from seentwice.sweeps.results import SweepResults
from seentwice.sweeps.space import Categorical, Const, Double, Int, Log
from seentwice.sweeps.trials import Point

Draw = Callable[[SweepResults], Picture]
DRAW = [draw_learning_curves, draw_best_so_far, draw_parallel_axes]
WHOLE = make_sweep(failed={9: 1}, impossible=(7,))
UNDER_WAY = make_sweep(failed={4: 5}, impossible=(7,), steps=60)
NOTHING = replace(WHOLE, trials=())


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Collect the figures that are drawn, which tests then look into instead of at pixels."""
    figures: list[Figure] = []

    def remember(figure: Figure) -> bytes:
        figures.append(figure)
        return b""

    for module in (learning_curves, best_so_far, parallel_axes, looks):
        monkeypatch.setattr(module, "to_png", remember)
    return figures


@pytest.mark.parametrize("draw", DRAW)
def test_a_picture_is_a_png_nine_hundred_pixels_wide(draw: Draw) -> None:
    picture = draw(UNDER_WAY)
    with Image.open(BytesIO(picture.png)) as image:
        assert (image.format, image.width) == ("PNG", 900)
    assert picture.alt.endswith(describe_best(UNDER_WAY))
    assert picture.png == draw(UNDER_WAY).png


@pytest.mark.parametrize("draw", DRAW)
def test_before_anything_was_measured_a_sentence_says_so(draw: Draw, drawn: list[Figure]) -> None:
    assert "measured" in draw(NOTHING).alt
    assert drawn[0].axes == []


@pytest.mark.parametrize("draw", DRAW)
@pytest.mark.parametrize(("trials", "steps"), [(1, 1), (3, 10_000)])
def test_few_trials_are_drawn(draw: Draw, trials: int, steps: int) -> None:
    assert draw(make_sweep(AshaSettings(trials, 30), steps=steps)).png


@pytest.mark.parametrize("draw", DRAW)
def test_any_name_is_drawn_as_it_is(draw: Draw, drawn: list[Figure]) -> None:
    evil = "$\\frac$_{<b>\x1b\n\udce9日" + "x" * 200
    space = {evil: Categorical([evil, None, [evil]]), **SPACE}
    sweep = make_sweep(AshaSettings(2, 4), space=space)
    draw(replace(sweep, metric=evil, time_metric=evil))
    drawn[0].canvas.draw()  # no character is missing in the font, no mathematics is read
    texts = " ".join(text.get_text() for text in drawn[0].findobj(Text))
    assert "$\\frac$_{<b>\\x1b\\n\\udce9\\u65e…" in texts


def test_every_bracket_has_a_panel_with_its_rungs_and_curves(drawn: list[Figure]) -> None:
    draw_learning_curves(WHOLE)
    left, right = drawn[0].axes
    measured = [trial for trial in WHOLE.trials if trial.curve]
    for number, axes in enumerate((left, right)):
        own = [trial for trial in measured if trial.bracket == number]
        assert axes.get_title(loc="left") == f"Bracket {number + 1}: {len(own)} measured"
        lines = {tuple(line.get_ydata()) for line in axes.get_lines()}
        for trial in own:
            assert tuple(point.metric for point in trial.curve) in lines
    assert [text.get_text() for text in left.texts] == ["12, 3 go on", "3, 2 go on", "2"]
    assert [text.get_text() for text in right.texts] == ["3, 1 go on", "1"]
    assert left.get_xticks().tolist() == right.get_xticks().tolist() == [1, 7, 30]
    assert left.get_xscale() == "log"


def test_rungs_at_the_same_time_are_told_once(drawn: list[Figure]) -> None:
    sweep = make_sweep(AshaSettings(16, 2, divisor=2, mode="aggressive", bracket_rungs=(3,)))
    assert sweep.brackets[0].rungs == (1, 1, 2)
    draw_learning_curves(sweep)
    [axes] = drawn[0].axes
    went = sum(trial.rungs >= 2 for trial in sweep.trials)
    assert [text.get_text() for text in axes.texts] == [f"16, {went} go on", f"{went}"]


def test_the_best_trial_is_emphasised_and_named(drawn: list[Figure]) -> None:
    draw_learning_curves(WHOLE)
    best = WHOLE.best
    assert best is not None
    bold = [
        line
        for axes in drawn[0].axes
        for line in axes.get_lines()
        if line.get_linewidth() == BEST_LOOK.width and line.get_color() == BEST_LOOK.colour
    ]
    curve = [point.metric for point in best.curve]
    assert curve in [list(line.get_ydata()) for line in bold]
    legend = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert legend[0] == f"best: trial {best.number}, finished, {min(curve):.4f}"
    others = sum(trial.status == "finished" for trial in WHOLE.trials) - 1
    assert f"finished: {others}" in legend
    assert f"stopped: {WHOLE.counts['stopped']}" in legend


def test_trials_that_nothing_stops_share_one_panel(drawn: list[Figure]) -> None:
    draw_learning_curves(replace(WHOLE, brackets=()))
    [axes] = drawn[0].axes
    assert axes.get_xscale() == "linear"
    assert list(axes.texts) == []


def negate(results: SweepResults) -> SweepResults:
    """Return the same sweep of a metric of which larger is better."""
    trials = tuple(
        replace(trial, curve=tuple(replace(one, metric=-one.metric) for one in trial.curve))
        for trial in results.trials
    )
    return replace(results, trials=trials, smaller_is_better=False)


def diverge(results: SweepResults, numbers: Sequence[int], loss: float = 1e9) -> SweepResults:
    """Return the sweep with trials whose losses are the stand-in for no number, and greater."""
    trials = list(results.trials)
    for number in numbers:
        curve = trials[number].curve
        far = tuple(replace(point, metric=loss * point.time) for point in curve)
        trials[number] = replace(trials[number], curve=far)
    return replace(results, trials=tuple(trials))


@pytest.mark.parametrize(
    ("results", "numbers"),
    [
        (WHOLE, [3]),
        (WHOLE, [3, 4, 5, 6, 8, 10, 12, 13]),  # half of all
        (make_sweep(AshaSettings(4, 9, divisor=2.0)), [1, 2]),
        (make_sweep(AshaSettings(4, 9, divisor=2.0)), [1, 2, 3]),
        (make_sweep(AshaSettings(2, 1)), [1]),
    ],
)
@pytest.mark.parametrize("smaller_is_better", [True, False])
def test_losses_that_diverged_do_not_press_the_others_to_a_line(
    results: SweepResults, numbers: list[int], smaller_is_better: bool, drawn: list[Figure]
) -> None:
    diverged = diverge(results, numbers)
    if not smaller_is_better:
        diverged = negate(diverged)
    sane = [trial for trial in results.trials if trial.number not in numbers]
    metrics = [point.metric for trial in sane for point in trial.curve]
    frame = frame_metrics(diverged)
    ends = (min(metrics), max(metrics)) if smaller_is_better else (-max(metrics), -min(metrics))
    assert frame == Frame(*ends)
    draw_learning_curves(diverged)
    texts = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert f"far worse, drawn at the edge: {len(numbers)}" in texts
    low, high = drawn[0].axes[0].get_ylim()
    for axes in drawn[0].axes:
        for line in axes.get_lines():
            if len(line.get_ydata()) > 1 and line.get_linestyle() == "-":
                assert all(low < metric < high for metric in line.get_ydata())
    marks = [line.get_marker() for axes in drawn[0].axes for line in axes.get_lines()]
    assert marks.count("^" if smaller_is_better else "v") == len(numbers)


def test_a_best_so_far_that_began_far_worse_leaves_the_rest_its_room(drawn: list[Figure]) -> None:
    draw_best_so_far(diverge(WHOLE, [0]))  # the first that was measured
    left, _ = drawn[0].axes
    low, high = left.get_ylim()
    steps = left.get_lines()[0].get_ydata()
    assert low < min(steps) < max(steps) < high < 1
    assert max(steps[1:]) < max(steps)


@pytest.mark.parametrize("smaller_is_better", [True, False])
def test_the_frame_holds_all_where_none_diverged(smaller_is_better: bool) -> None:
    sign = 1 if smaller_is_better else -1
    results = WHOLE if smaller_is_better else negate(WHOLE)
    trials = results.trials
    frame = frame_metrics(results)
    assert frame is not None
    assert all(frame.holds(point.metric) for trial in trials for point in trial.curve)
    assert frame.place(frame.low) == frame.low
    # Over orders of magnitude, too, and where a loss only rises.
    for curve in ([0.7, 0.01, 0.0005, 0.0005], [0.5, 0.9, 0.95]):
        points = tuple(Point(time, sign * value, 0.0) for time, value in enumerate(curve, 1))
        frame = frame_metrics(replace(results, trials=(replace(trials[0], curve=points),)))
        assert frame is not None
        assert all(frame.holds(point.metric) for point in points)


def test_a_frame_is_logarithmic_where_positive_metrics_lie_far_apart() -> None:
    assert Frame(0.01, 0.5).is_log
    assert not Frame(0.1, 0.5).is_log
    assert not Frame(0.0, 0.5).is_log
    assert not Frame(-1.0, 100.0).is_log


def test_the_best_so_far_falls_over_time_and_over_training(drawn: list[Figure]) -> None:
    draw_best_so_far(WHOLE)
    left, right = drawn[0].axes
    steps, spent = left.get_lines()[0], right.get_lines()[0]
    assert steps.get_drawstyle() == spent.get_drawstyle() == "steps-post"
    assert (np.diff(steps.get_ydata()) <= 0).all()
    assert min(steps.get_ydata()) == min(spent.get_ydata())
    trained = sum(len(trial.curve) for trial in WHOLE.trials)
    assert spent.get_xdata()[-1] == trained
    assert left.get_xlabel().endswith("minutes")
    minutes = max(p.at for t in WHOLE.trials for p in t.curve) - min(
        p.at for t in WHOLE.trials for p in t.curve
    )
    assert steps.get_xdata()[-1] == pytest.approx(minutes / 60)
    assert minutes >= SECONDS_AN_EPOCH * (trained - 1)
    stopped = [trial for trial in WHOLE.trials if trial.status == "stopped"]
    saved = sum(SIXTEEN.max_time - len(trial.curve) for trial in stopped)
    assert right.get_lines()[-1].get_xdata()[0] == trained + saved
    share = saved / (trained + saved)
    told = f"up to {saved:,} of {trained + saved:,} saved by stopping ({share:.0%})"
    assert right.get_title(loc="right") == told
    assert not right.texts  # nothing lies on the curve


def test_a_scale_lies_between_the_ends_of_its_range() -> None:
    scale = make_scale("lr", Log(-4, -2, 10))
    assert scale is not None
    assert [scale.place(value) for value in (1e-4, 1e-3, 1e-2)] == pytest.approx([0, 0.5, 1])
    assert ("0.001", pytest.approx(0.5)) in [(label, place) for place, label in scale.ticks]
    halves = make_scale("lr", Log(0, 4, 0.5))  # from 1 down to 1/16
    assert halves is not None
    assert [halves.place(value) for value in (1 / 16, 1.0)] == pytest.approx([0, 1])
    linear = make_scale("dropout", Double(-1.0, 3.0))
    assert linear is not None
    assert [linear.place(value) for value in (-1.0, 0.0, 3.0, 9.0)] == [0, 0.25, 1, 1]
    whole = make_scale("batch", Int(16, 128))
    assert whole is not None
    assert all(label.isdigit() for _, label in whole.ticks)


def test_a_scale_of_powers_that_no_float_holds_has_ends_all_the_same() -> None:
    scale = make_scale("x", Log(-400, 400, 10))
    assert scale is not None
    assert scale.place(1.0) == pytest.approx(0.5)
    assert (scale.place(0.0), len(scale.ticks) < 20) == (0.0, True)


def test_choices_lie_at_equal_distances_and_keep_their_type() -> None:
    scale = make_scale("x", Categorical([True, 1, "1", None]))
    assert scale is not None
    assert [scale.place(v) for v in (True, 1, "1", None)] == [0.125, 0.375, 0.625, 0.875]
    assert [label for _, label in scale.ticks] == ["true", "1", "1", "null"]
    few = make_scale("x", Int(1, 3))
    assert few is not None
    assert [few.place(v) for v in (1, 2, 3)] == pytest.approx([1 / 6, 1 / 2, 5 / 6])


@pytest.mark.parametrize("parameter", [Const(1), Categorical(["one"]), Log(-4, -2, 1)])
def test_what_has_one_value_has_no_scale(parameter: Const | Categorical | Log) -> None:
    assert make_scale("x", parameter) is None
    space = {"x": parameter}
    sweep = make_sweep(AshaSettings(2, 4), space=space)
    assert draw_parallel_axes(sweep).alt == "Parallel coordinates: no hyperparameter varies."


def test_every_measured_trial_is_a_line_from_its_values_to_its_metric(drawn: list[Figure]) -> None:
    draw_parallel_axes(WHOLE)
    [axes] = drawn[0].axes
    rows = len(WHOLE.varied) + 1
    lines = [line for line in axes.get_lines() if len(line.get_xdata()) == rows]
    able = [t for t in WHOLE.trials if t.curve and t.status not in ("failed", "impossible")]
    assert len(lines) == len(able)
    best = WHOLE.best
    assert best is not None
    boldest = max(lines, key=lambda line: line.get_linewidth())
    assert lines[-1] is boldest  # drawn last, on top
    scale = make_scale("optimizer.lr", SPACE["optimizer.lr"])
    assert scale is not None
    assert boldest.get_xdata()[0] == pytest.approx(scale.place(best.values["optimizer.lr"]))
    assert boldest.get_xdata()[-1] == pytest.approx(0)  # the least loss
    lost = [line for line in axes.get_lines() if len(line.get_xdata()) == rows - 1]
    assert len(lost) == WHOLE.counts["failed"] + WHOLE.counts["impossible"]
    labels = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert labels[-2:] == ["failed: 1", "impossible: 1"]


def test_trials_of_one_choice_lie_side_by_side(drawn: list[Figure]) -> None:
    draw_parallel_axes(WHOLE)
    [axes] = drawn[0].axes
    row = WHOLE.varied.index("head")
    places = [line.get_xdata()[row] for line in axes.get_lines() if len(line.get_xdata()) > 2]
    assert len(set(places)) == len(places)


def test_what_is_too_much_for_one_picture_is_counted(drawn: list[Figure]) -> None:
    space = {f"x{number}": Double(0.0, 1.0) for number in range(50)}
    sweep = make_sweep(AshaSettings(2, 1), space=space)
    draw_parallel_axes(sweep)
    assert drawn[0].legends[0].get_texts()[-1].get_text() == "not drawn: 10 more"
    brackets = AshaSettings(200, 4, bracket_rungs=(1,) * 22)
    draw_learning_curves(make_sweep(brackets, space={}, steps=3))
    assert drawn[1].legends[0].get_texts()[-1].get_text() == "brackets not drawn: 10"
    many = make_scale("x", Categorical(list(range(1000))))
    assert many is not None
    assert len(many.ticks) < 30


@pytest.mark.parametrize(
    ("metric", "shown"),
    [(0.123456, "0.1235"), (0.5, "0.5000"), (1234.5, "1234."), (2e7, "2.000e+07"), (0.0, "0")],
)
def test_a_metric_has_four_digits_that_count(metric: float, shown: str) -> None:
    assert format_metric(metric) == shown


def test_a_long_sentence_is_broken_into_lines() -> None:
    assert draw_sentence("word " * 100).alt == "word " * 100
    assert drawable("a\tb") == "a\\tb"


def test_the_scale_of_the_metric_ends_where_trials_did_not_diverge(drawn: list[Figure]) -> None:
    three = make_sweep(AshaSettings(3, 30))
    diverged = replace(three.trials[1], curve=(Point(1, 1e9, 0.0),))
    failed = tuple(replace(trial, number=9, status="failed") for trial in three.trials[1:2])
    only_one = replace(diverged, curve=(Point(1, 1e9, 0.0), Point(2, 2e9, 0.0)))
    assert draw_parallel_axes(replace(three, trials=(only_one, *failed))).alt
    drawn.clear()
    for trials in (three.trials, (three.trials[0], diverged, three.trials[2])):
        draw_parallel_axes(replace(three, trials=trials))
    for figure in drawn:
        [axes] = figure.axes
        ends = [line.get_xdata()[-1] for line in axes.get_lines() if len(line.get_xdata()) > 2]
        assert (min(ends), max(ends)) == (pytest.approx(0), pytest.approx(1))
        assert len({round(end, 3) for end in ends}) == 3
    assert ["far worse" in [one.get_text() for one in f.axes[0].texts] for f in drawn] == [
        False,
        True,
    ]


@pytest.mark.parametrize("smaller_is_better", [True, False])
def test_what_is_far_worse_has_a_place_of_its_own_on_the_scale(
    smaller_is_better: bool, drawn: list[Figure]
) -> None:
    diverged = diverge(WHOLE, [3, 4])
    draw_parallel_axes(diverged if smaller_is_better else negate(diverged))
    [axes] = drawn[0].axes
    rows = len(WHOLE.varied) + 1
    ends = [line.get_xdata()[-1] for line in axes.get_lines() if len(line.get_xdata()) == rows]
    [named] = [text for text in axes.texts if text.get_text() == "far worse"]
    end = 1.0 if smaller_is_better else 0.0
    assert named.xy[0] == end
    assert sum(place == end for place in ends) == 2
    assert sum(abs(place - end) < 0.1 for place in ends) == 2

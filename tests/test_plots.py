from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from PIL import Image

from seentwice import metrics, plots

Pairs = tuple[NDArray[np.bool_], NDArray[np.float64]]
Plot = Callable[[plots.Curves, Path], None]
PLOTS = [plots.plot_precision_recall, plots.plot_roc]


def make_pairs(seed: int, count: int = 200) -> Pairs:
    rng = np.random.default_rng(seed)
    label = rng.random(count) < 0.3
    return label, np.clip(0.3 * label + 0.7 * rng.random(count), 0, 1)


def make_curves(*names: str) -> dict[str, Pairs]:
    """Curves of the same pairs, each noisier than the one before."""
    label, score = make_pairs(0)
    noise = np.random.default_rng(1).random(len(label))
    return {name: (label, score + 0.4 * rank * noise) for rank, name in enumerate(names)}


@dataclass
class Drawn:
    """What the last plot drew."""

    figures: list[tuple[Figure, Axes]] = field(default_factory=list)

    @property
    def lines(self) -> list[Line2D]:
        """The curves, without the lines that mark chance."""
        return [line for line in self.figures[-1][1].get_lines() if line.get_label()[:1].isdigit()]

    @property
    def points(self) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        return [(np.asarray(x), np.asarray(y)) for x, y in (line.get_data() for line in self.lines)]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    record, save = Drawn(), plots._save

    def remember(figure: Figure, axes: Axes, legend_title: str, path: Path) -> None:
        record.figures.append((figure, axes))
        save(figure, axes, legend_title, path)

    monkeypatch.setattr(plots, "_save", remember)
    return record


@pytest.mark.parametrize("plot", PLOTS)
def test_a_plot_is_a_png_of_900_by_650_pixels(plot: Plot, tmp_path: Path) -> None:
    plot(make_curves("siamese", "hash", "x" * 300), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert (image.format, image.size) == ("PNG", (900, 650))
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("plot", PLOTS)
def test_equal_curves_give_equal_bytes(plot: Plot, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        plot(make_curves("siamese", "hash"), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert b"matplotlib" not in (tmp_path / "a.png").read_bytes().lower()


@pytest.mark.parametrize("plot", PLOTS)
def test_a_plot_without_curves_is_refused(plot: Plot, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a plot needs at least one curve"):
        plot({}, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("plot", PLOTS)
def test_curves_that_are_not_defined_are_named(plot: Plot, tmp_path: Path) -> None:
    curves = make_curves("good", "zeros", "also zeros")
    for name in ("zeros", "also zeros"):
        curves[name] = (np.zeros(2, dtype=bool), np.array([0.1, 0.2]))
    with pytest.raises(ValueError, match="no curve without both classes of pairs: also zeros, ze"):
        plot(curves, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_a_roc_curve_needs_negatives(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no curve without both classes of pairs: ones"):
        plots.plot_roc({"ones": (np.ones(2, dtype=bool), [0.1, 0.2])}, tmp_path / "a.png")


def test_the_area_below_the_drawn_steps_is_average_precision(tmp_path: Path, drawn: Drawn) -> None:
    label, score = make_pairs(3)
    plots.plot_precision_recall({"one": (label, score)}, tmp_path / "a.png")
    [(x, y)] = drawn.points
    assert drawn.lines[0].get_drawstyle() == "steps-pre"
    assert float(np.diff(x) @ y[1:]) == pytest.approx(metrics.average_precision(label, score))
    assert (x[0], x[-1], y[-1]) == (0.0, 1.0, pytest.approx(label.mean()))


def test_the_area_below_the_drawn_roc_is_roc_auc(tmp_path: Path, drawn: Drawn) -> None:
    label, score = make_pairs(3)
    score = score.round(1)  # tied pairs make slanted lines
    plots.plot_roc({"one": (label, score)}, tmp_path / "a.png")
    [(x, y)] = drawn.points
    assert drawn.lines[0].get_drawstyle() == "default"
    assert float(np.trapezoid(y, x)) == pytest.approx(metrics.roc_auc(label, score))
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)


def test_a_curve_by_hand(tmp_path: Path, drawn: Drawn) -> None:
    pairs = {"one": (np.array([True, False, True, False]), [0.9, 0.8, 0.7, 0.1])}
    plots.plot_precision_recall(pairs, tmp_path / "a.png")
    [(recall, precision)] = drawn.points
    assert recall.tolist() == [0, 0.5, 0.5, 1, 1]
    assert precision.tolist() == [1, 1, 0.5, pytest.approx(2 / 3), 0.5]
    plots.plot_roc(pairs, tmp_path / "b.png")
    [(false_positive, true_positive)] = drawn.points
    assert false_positive.tolist() == [0, 0, 0.5, 0.5, 1]
    assert true_positive.tolist() == [0, 0.5, 0.5, 1, 1]


@pytest.mark.parametrize(
    ("plot", "area"),
    [(plots.plot_precision_recall, metrics.average_precision), (plots.plot_roc, metrics.roc_auc)],
)
def test_the_legend_gives_the_area_best_first(
    plot: Plot, area: Callable[..., float], tmp_path: Path, drawn: Drawn
) -> None:
    curves = make_curves("best", "middle", "worst")
    plot(dict(reversed(curves.items())), tmp_path / "a.png")
    texts = [text.get_text() for text in drawn.figures[-1][0].legends[0].get_texts()]
    assert texts == [f"{area(*curves[name]):.3f}  {name}" for name in ("best", "middle", "worst")]


@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize("name", ["$x^2$", "$\\frac$", "_hidden", "a_b", "5 %", "<b>", "100$"])
def test_a_name_is_shown_as_it_is(plot: Plot, name: str, tmp_path: Path, drawn: Drawn) -> None:
    plot(make_curves(name), tmp_path / "a.png")
    [text] = drawn.figures[-1][0].legends[0].get_texts()
    assert text.get_text().endswith(f"  {name}")
    assert not text.get_parse_math()


def test_a_long_name_is_cut_to_leave_the_curves_their_room(tmp_path: Path, drawn: Drawn) -> None:
    plots.plot_roc(make_curves("a" * 29 + "bc"), tmp_path / "a.png")
    assert drawn.lines[0].get_label().endswith("  " + "a" * 29 + "…")


def test_28_curves_look_different(tmp_path: Path, drawn: Drawn) -> None:
    label, score = make_pairs(0, 20)
    plots.plot_roc({f"detector {n}": (label, score) for n in range(28)}, tmp_path / "a.png")
    looks = {(line.get_color(), repr(line._dash_pattern[1])) for line in drawn.lines}
    assert len(looks) == 28


def test_chance_is_drawn_where_all_curves_are_of_the_same_pairs(
    tmp_path: Path, drawn: Drawn
) -> None:
    curves = make_curves("one", "two")
    plots.plot_precision_recall(curves, tmp_path / "a.png")
    chance = [line for line in drawn.figures[-1][1].get_lines() if line not in drawn.lines]
    assert [line.get_ydata()[0] for line in chance] == [pytest.approx(curves["one"][0].mean())]
    plots.plot_precision_recall(curves | {"few": make_pairs(5, 10)}, tmp_path / "a.png")
    assert len(drawn.figures[-1][1].get_lines()) == len(drawn.lines) == 3


@pytest.mark.parametrize("plot", PLOTS)
def test_the_word_chance_lies_on_a_ground_of_its_own_over_the_curves(
    plot: Plot, tmp_path: Path, drawn: Drawn
) -> None:
    plot(make_curves("one", "two"), tmp_path / "plot.png")
    (word,) = drawn.figures[-1][1].texts
    assert word.get_text() == "chance"
    assert word.get_zorder() > max(line.get_zorder() for line in drawn.lines)
    ground = word.get_bbox_patch()
    assert ground is not None
    assert ground.get_facecolor() == (1, 1, 1, 0.85)


@pytest.mark.parametrize("plot", PLOTS)
def test_200_000_pairs_are_thinned_to_what_pixels_can_show(
    plot: Plot, tmp_path: Path, drawn: Drawn
) -> None:
    label, score = make_pairs(0, 200_000)
    plot({"one": (label, score)}, tmp_path / "a.png")
    [(x, y)] = drawn.points
    assert len(x) < 10_000
    heights = y[1:] if plot is plots.plot_precision_recall else (y[1:] + y[:-1]) / 2
    area = metrics.average_precision if plot is plots.plot_precision_recall else metrics.roc_auc
    assert float(np.diff(x) @ heights) == pytest.approx(area(label, score), abs=1e-3)


def test_a_point_that_is_left_out_lies_within_a_pixel_of_one_that_is_kept() -> None:
    rng = np.random.default_rng(0)
    x, y = np.sort(rng.random(50_000)), np.cumsum(rng.normal(size=50_000)) / 500
    kept_x, kept_y = plots._thin(x, y)
    before = np.searchsorted(kept_x, x, side="right") - 1
    assert np.abs(kept_x[before] - x).max() <= plots.RESOLUTION
    assert np.abs(kept_y[before] - y).max() <= plots.RESOLUTION
    assert (kept_x[0], kept_x[-1]) == (x[0], x[-1])
    assert len(kept_x) < len(x)

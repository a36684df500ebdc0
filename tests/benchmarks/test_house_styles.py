import json

import numpy as np
import pytest
from house_styles import FOLDER, HEADS, PAGE, Tagged, fill_page, fit, judge, measure_head, row_of

LABELS = ("one", "two", "three_or_more")


def make_tagged(seed: int, photos: int = 90, columns: int = 6) -> Tagged:
    """Make rows whose first columns tell the label, and two photos a home."""
    rng = np.random.default_rng(seed)
    label = np.arange(photos) % 3
    rows = rng.normal(size=(photos, columns))
    rows[np.arange(photos), label] += 4
    return Tagged(rows, label, np.arange(photos) // 6 * 3 + label, np.arange(photos) % 4 == 0)


def test_labels_that_the_rows_tell_are_learned() -> None:
    trained, tested = make_tagged(0), make_tagged(1)
    assert (fit(trained).predict(tested.rows) == tested.label).mean() > 0.95


def test_every_way_answers_its_own_photos() -> None:
    found = list(measure_head("storeys", LABELS, "trunk", make_tagged(2), make_tagged(3)))
    assert [(answers.data, answers.photos) for answers in found] == [
        ("rendered", 23),
        ("real", 90),
        ("rendered_to_real", 90),
    ]
    assert all(answers.accuracy.value > 0.9 for answers in found)


def test_balance_is_the_mean_recall_of_labels() -> None:
    label = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    tagged = Tagged(np.zeros((8, 1)), label, np.arange(8), np.zeros(8, np.bool_))
    answers = judge(
        "real", "storeys", "features", LABELS, tagged, np.array([0, 0, 0, 1, 1, 0, 0, 1])
    )
    assert answers.accuracy.value == 0.5
    assert answers.balanced_accuracy.value == pytest.approx((0.75 + 0.5 + 0) / 3)
    assert answers.balanced_accuracy.low <= answers.balanced_accuracy.value
    assert answers.largest_share == 0.5
    assert answers.confusion == ((3, 1, 0), (1, 1, 0), (1, 1, 0))


def test_the_page_says_what_was_measured() -> None:
    found = json.loads((FOLDER / "results.json").read_text())["answers"]
    page = PAGE.read_text()
    assert len(found) == 2 * 2 * 3
    assert fill_page(page, [row_of(answers) for answers in found]) == page
    assert fill_page(page, []) != page


def test_histograms_stay_within_ten_points_of_chance() -> None:
    found = json.loads((FOLDER / "results.json").read_text())["answers"]
    histograms = [a for a in found if (a["data"], a["detector"]) == ("rendered", "histogram")]
    assert len(histograms) == len(HEADS)
    for answers in histograms:
        chance = 1 / len(answers["labels"])
        assert answers["balanced_accuracy"]["value"] <= chance + 0.1
        assert answers["accuracy"]["value"] <= chance + 0.1

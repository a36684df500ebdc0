import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from PIL import Image

from seentwice.compare.report import FILES, write_report
from seentwice.compare.report_tables import METRICS, RETRIEVAL
from seentwice.compare.results import CombinationResult, UnreadableFile, to_json
from seentwice.compare.table import describe_result, title_of, to_markdown
from seentwice.compare.wrong_pairs import find_most_wrong
from seentwice.data.pairs import PairTable
from seentwice.photos import PhotoError
from seentwice.records import Interval, Reason, Unreadable

EVIL = '<script>alert("x")</script>&\'.jpg'


def load_view(view):
    return Image.new("RGB", (64, 48), "green" if view.edit else "blue")


@pytest.fixture
def scores(make_scores):
    noises = {"siamese": 0.1, "cosine": 0.4, "perception": 1.0}
    return {name: make_scores(noise) for name, noise in noises.items()}


@pytest.fixture
def write(comparison, tested, scores, tmp_path):
    """Write the report; what is given replaces parts of the comparison. Returns the page."""

    def write(test=tested, load=load_view, config="folds: 2\n", **changes):
        write_report(replace(comparison, **changes), test, scores, config, tmp_path, load)
        return (tmp_path / "report.html").read_text("utf-8")

    return write


def text_of(page):
    return unescape(re.sub("<[^>]*>", "\n", page))


def rename(tested, rename_key):
    """The same pairs of photos with other keys."""
    pairs = tested.pairs
    views = tuple(
        replace(view, photo=replace(view.photo, key=rename_key(view.photo.key)))
        for view in pairs.views
    )
    renamed = PairTable(views, pairs.left, pairs.right, pairs.label, pairs.kind)
    return replace(tested, pairs=renamed)


def names_of_wrong_pairs(tested, score):
    wrong, pairs = find_most_wrong(tested.pairs, score, 9), tested.pairs
    for index in [*wrong.missed, *wrong.mistaken]:
        for view in (pairs.views[pairs.left[index]], pairs.views[pairs.right[index]]):
            yield view.photo.key + (f" ({view.edit})" if view.edit else "")


def test_every_file_is_written_and_no_other(write, tmp_path):
    write()
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(FILES)


def test_the_files_hold_what_the_page_shows(write, comparison, tmp_path):
    write()
    assert (tmp_path / "results.json").read_text() == to_json(comparison)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["seed"] == 7
    assert results["split_remarks"] == ["split.assign=own: the test photos validate, too"]
    assert (tmp_path / "results.md").read_text("utf-8") == to_markdown(comparison)
    for name in ("precision_recall.png", "roc.png"):
        with Image.open(tmp_path / name) as image:
            assert image.size == (900, 650)


def test_the_page_says_what_was_compared_and_how(write, comparison):
    text = text_of(write(config="folds: 2\nname: <kitchen & bath>\n"))
    assert title_of(comparison) in text
    assert "Best: siamese, average precision 0.900 [0.890, 0.910]." in text
    for said in (*describe_result(comparison), *comparison.split_remarks):
        assert said in text
    for short, _ in METRICS.values():
        assert f"\n{short}\n" in text
    for fact in (
        "c0ffee",
        "f" * 64,
        "torch 2.12, numpy 2.3",
        "2 cores",
        "compact, weights imagenet",
        "61 s, of which looking at photos 12 s, 20 of 24 decoded",
    ):
        assert fact in text
    assert "seentwice compare folds=2" in text
    assert "folds: 2\nname: <kitchen & bath>\n" in text
    assert "bootstrap over 12 properties, 1,000 resamples" in text


def test_every_detector_has_a_row_and_the_best_value_is_bold(write):
    page = write()
    first_table = page[page.index("<table>") : page.index("</table>")]
    rows = re.findall('<th scope="row">([^<]*)', first_table)
    assert rows == ["siamese", "cosine", "perception"]
    bold = re.findall("<strong>([^<]*)</strong>", first_table)
    # Of cross-entropy and calibration error the lowest value is best: perception's, here below 0.
    assert bold == [
        "0.900",
        "0.950",
        "0.875",
        "0.800",
        "0.700",
        "0.750",
        "0.500",
        "0.850",
        "-0.100",
        "-0.200",
    ]


def test_what_is_undefined_is_a_dash_that_does_not_sort(write):
    page = write()
    dashes = re.findall("<td[^>]*>\N{EN DASH}[^\n]*", page)
    # Two metrics of perception; a gain, three of decisions and a test of two without a baseline.
    assert len(dashes) == 2 + 2 * 6
    assert not [dash for dash in dashes if "data-value" in dash or "<small>" in dash]
    assert "nan" not in text_of(page[page.index("<main>") : page.index("<script>")])


def test_a_metric_that_no_detector_has_is_shown_without_a_best(write, comparison):
    nowhere = Interval(float("nan"), float("nan"), float("nan"))
    detectors = tuple(
        replace(result, metrics={**result.metrics, "precision": nowhere})
        for result in comparison.detectors
    )
    page = write(detectors=detectors)
    assert page.count("<strong>") == len(METRICS) - 1 + len(RETRIEVAL)


def test_decisions_stand_beside_the_baselines(write):
    lines = text_of(write()).split("\n")
    start = lines.index("Decisions against those of cosine")
    said = [line for line in lines[start : lines.index("Retrieval", start)] if line.strip()]
    for cell in ("+0.150", "[0.140, 0.160]", "+0.250", "-0.050", "30 : 12", "0.0079"):
        assert cell in said


def test_searches_are_shown_and_what_was_searched(write):
    text = text_of(write())
    lines = [line for line in text.split("\n") if line.strip()]
    start = next(n for n, line in enumerate(lines) if "test photos are queries" in line)
    assert lines[start].startswith(
        "48 test photos are queries, of which 40 have another photo of their place to find. Each "
        "ranks up to 15 other test photos of its fold by the detector's score"
    )
    shown = lines[start : lines.index("Curves", start)]
    for short, _ in RETRIEVAL.values():
        assert short in shown
    assert {"0.950", "[0.940, 0.960]", "0.650", "0.550"} <= set(shown)
    assert "test photos are queries" not in text_of(write(searches=None))


def test_what_a_combination_weighs_is_shown_the_heaviest_first(write, tmp_path):
    assert "What combined weighs" not in write()
    gain = {"average_precision": Interval(0.05, 0.01, 0.09)}
    weights = {"cosine": (0.0, 0.5), "siamese": (1.0, 1.5)}
    page = write(combination=CombinationResult("combined", weights, "siamese", gain))
    table = text_of(page[page.index("What combined weighs") :]).split()
    words = ["siamese", "1.250", "1.000,", "1.500", "cosine", "0.250", "0.000,", "0.500"]
    start = table.index("siamese")
    assert table[start : start + len(words)] == words
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["combination"]["weights"] == {"cosine": [0.0, 0.5], "siamese": [1.0, 1.5]}


def test_the_worst_pairs_of_the_best_and_of_the_baseline_are_shown(write, tested, scores):
    page = write()
    text = text_of(page)
    titles = re.findall("<h3>([^<]*)</h3>", page)
    assert titles == [
        "siamese: missed duplicates",
        "siamese: taken for duplicates",
        "cosine: missed duplicates",
        "cosine: taken for duplicates",
    ]
    for name in ("siamese", "cosine"):
        for shown in names_of_wrong_pairs(tested, scores[name].score):
            assert f"\n{shown}\n" in text
        worst = find_most_wrong(tested.pairs, scores[name].score, 9).missed[0]
        assert f"score {scores[name].score[worst]:.3f}, " in text


def test_a_baseline_that_is_best_or_missing_is_shown_once_or_not(write, comparison, scores):
    turned = tuple(sorted(comparison.detectors, key=lambda result: result.name != "cosine"))
    assert write(detectors=turned).count("<h3>") == 2
    del scores["cosine"]
    without = tuple(result for result in comparison.detectors if result.name != "cosine")
    assert write(detectors=without).count("<h3>") == 2


def test_names_of_photos_are_escaped(write, tested, scores):
    evil = rename(tested, lambda key: key + EVIL)
    page = write(test=evil)
    assert page.count("<script") == 1  # the page's own
    assert EVIL not in page
    for shown in names_of_wrong_pairs(evil, scores["siamese"].score):
        assert shown in text_of(page)


def test_a_name_that_is_not_utf_8_does_not_spoil_the_report(write, tested):
    broken = (UnreadableFile("caf\udce9.jpg", "empty", "0 bytes"),)
    page = write(test=rename(tested, lambda key: "caf\udce9" + key), unreadable=broken)
    assert "caf\\udce9.jpg" in page


def test_unreadable_files_are_listed_with_their_reasons(write):
    files = (
        UnreadableFile("a/cut.jpg", "truncated", "the end is missing"),
        UnreadableFile(f"a/{EVIL}", "empty", "0 <bytes>"),
    )
    page = write(unreadable=files)
    text = text_of(page)
    for file in files:
        assert file.file in text
        assert file.reason in text
        assert file.detail in text
    assert EVIL not in page
    assert "Files that gave no photo" not in write(unreadable=())


def test_a_photo_that_has_vanished_shows_its_reason_in_place_of_the_picture(write, tested):
    def load(view):
        if view.photo.place == "room/0":
            raise PhotoError(Unreadable(Path("gone"), Reason.MISSING, "no such file"))
        return load_view(view)

    whole, page = write(), write(load=load)
    gone = page.count('<div class="missing"')
    assert gone > 0
    assert page.count('src="data:image/jpeg') == whole.count('src="data:image/jpeg') - gone
    assert re.search(r'aria-label="0_[01]\.jpg[^"]*: missing">missing</div>', page)


def test_pictures_are_of_the_view_not_of_the_file(write, tested):
    asked = set()

    def load(view):
        asked.add(view.edit)
        return load_view(view)

    write(load=load)
    assert asked == {"", "hflip"}


def test_unknown_properties_and_a_missing_commit_are_said(write):
    text = text_of(write(properties=0, git_commit=None, cluster="place", clusters=12))
    assert "unknown" in text
    assert "not a checkout" in text
    assert "bootstrap over 12 places" in text


def test_photos_in_two_splits_are_counted(write):
    lines = text_of(write()).split("\n")
    assert lines[lines.index("Leaks: photos in two splits, pairs") + 2] == "3"

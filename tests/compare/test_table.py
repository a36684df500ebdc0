import re
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from seentwice.compare.results import CombinationResult
from seentwice.compare.table import (
    describe_clusters,
    describe_result,
    format_interval,
    format_number,
    print_table,
    title_of,
    to_markdown,
)
from seentwice.records import Interval

NAN = float("nan")
DASH = "\N{EN DASH}"


def print_plainly(comparison):
    stream = StringIO()
    print_table(comparison, Console(file=stream, width=100, color_system=None))
    return stream.getvalue()


def test_the_markdown_table(comparison):
    assert to_markdown(comparison) == (
        "| detector | AP | ROC AUC | F1 | R@99P | accuracy | fit s | pairs/s |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| siamese | 0.900 [0.890, 0.910] | 0.950 [0.940, 0.960] "
        "| 0.750 | 0.500 | 0.875 | 12.2 | 123,457 |\n"
        "| cosine | 0.800 [0.790, 0.810] | 0.850 [0.840, 0.860] "
        "| 0.650 | 0.400 | 0.775 | 12.2 | 123,457 |\n"
        "| perception | 0.500 [0.490, 0.510] | 0.550 [0.540, 0.560] "
        f"| 0.350 | {DASH} | 0.475 | 12.2 | 123,457 |\n"
    )


def test_the_table_on_a_terminal_of_100_columns(comparison):
    lines = [line.strip() for line in print_plainly(comparison).splitlines()]
    assert lines[0] == "rooms, compact, 2 folds: 1,224 duplicates among 1,234 test pairs"
    table = [re.split(" {2,}", line) for line in lines[1:6]]
    assert table == [
        ["detector", "AP", "ROC AUC", "F1", "R@99P", "accuracy", "fit s", "pairs/s"],
        [re.sub("[^─]", "", lines[2])],
        [
            *("siamese", "0.900 [0.890, 0.910]", "0.950 [0.940, 0.960]"),
            *("0.750", "0.500", "0.875", "12.2", "123,457"),
        ],
        [
            *("cosine", "0.800 [0.790, 0.810]", "0.850 [0.840, 0.860]"),
            *("0.650", "0.400", "0.775", "12.2", "123,457"),
        ],
        [
            *("perception", "0.500 [0.490, 0.510]", "0.550 [0.540, 0.560]"),
            *("0.350", DASH, "0.475", "12.2", "123,457"),
        ],
    ]
    said = " ".join(lines[-7:])
    assert "[95 % interval over 12 properties]; the report and results.json have every" in said
    assert (
        "siamese (the best head on validation pairs) against cosine: average precision +0.100 "
        "[+0.050, +0.150] on the same pairs: better"
    ) in said
    assert ("Average precision within a fold, mean of 2: siamese 0.850, cosine 0.750") in said
    assert (
        "Retrieval: the nearest of up to 23 other test photos of its fold by the backbone's "
        "features shows the same place for 50.0% [25.0%, 75.0%] of 20"
    ) in said


@pytest.mark.parametrize("data", ["photos [old]", "[/]", "[bold red]rooms[/bold red]"])
def test_a_folder_named_like_markup_is_shown_as_it_is(comparison, data):
    named = replace(comparison, data=data)
    assert print_plainly(named).splitlines()[0].strip().startswith(f"{data}, compact, 2 folds")


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.01, 0.2, "better"),
        (-0.2, -0.01, "worse"),
        (-0.1, 0.1, "not surely different"),
        (NAN, NAN, "not surely different"),
    ],
)
def test_the_verdict_follows_the_interval(comparison, low, high, verdict):
    best = replace(
        comparison.detectors[0], over_baseline={"average_precision": Interval(0.05, low, high)}
    )
    [line, _, _] = describe_result(replace(comparison, detectors=(best,)))
    assert line.startswith("siamese (the best head on validation pairs) against cosine: average ")
    assert line.endswith(f" on the same pairs: {verdict}")


def test_a_combination_is_told_against_the_best_that_it_combines(comparison):
    gain = {"average_precision": Interval(0.05, 0.01, 0.2)}
    combination = CombinationResult("combined", {"siamese": (1.0,)}, "siamese", gain)
    assert (
        "combined against siamese (the best of the others on validation pairs): average precision "
        "+0.050 [+0.010, +0.200] on the same pairs: better"
    ) in describe_result(replace(comparison, combination=combination))
    assert not any("combined" in line for line in describe_result(comparison))


def test_a_combination_is_told_within_a_fold(comparison):
    result = replace(comparison.detectors[2], name="combined")
    gain = {"average_precision": Interval(0.05, 0.01, 0.2)}
    told = describe_result(
        replace(
            comparison,
            detectors=(*comparison.detectors[:2], result),
            combination=CombinationResult("combined", {"siamese": (1.0,)}, "siamese", gain),
        )
    )
    within = "Average precision within a fold, mean of 2: siamese 0.850, cosine 0.750"
    assert f"{within}, combined 0.450" in told
    assert within in describe_result(comparison)


@pytest.mark.parametrize(
    ("clusters", "interval", "said"),
    [
        (
            9,
            (0.01, 0.2),
            "+0.050 [+0.010, +0.200] on the same pairs: which is better, 9 properties",
        ),
        (1, (NAN, NAN), "+0.050 on the same pairs: which is better, 1 property"),
    ],
)
def test_few_homes_give_no_verdict(comparison, clusters, interval, said):
    best = replace(
        comparison.detectors[0], over_baseline={"average_precision": Interval(0.05, *interval)}
    )
    lines = describe_result(replace(comparison, clusters=clusters, detectors=(best,)))
    assert lines[0].endswith(f"{said} cannot tell")


def test_one_home_has_no_interval(comparison):
    one = replace(comparison, clusters=1)
    assert describe_clusters(one) == "1 property"
    assert "Only 1 property was tested: of one there is no interval" in describe_result(one)
    retrieval = replace(comparison.retrieval, share=Interval(0.5, NAN, NAN))
    assert describe_result(replace(one, retrieval=retrieval))[-1].endswith("place for 50.0% of 20")


def test_without_a_baseline_or_a_trained_detector_nothing_is_claimed(comparison):
    untrained = replace(comparison, detectors=comparison.detectors[1:], retrieval=None)
    assert describe_result(untrained) == []
    alone = replace(comparison.detectors[0], over_baseline={})
    assert describe_result(replace(untrained, detectors=(alone,))) == []


def test_the_title_of_a_single_split(comparison):
    single = replace(comparison, folds=1)
    assert title_of(single).startswith("rooms, compact, held-out homes: ")
    places = replace(single, held_out="places")
    assert title_of(places).startswith("rooms, compact, held-out places: ")


def test_what_the_bootstrap_resampled(comparison):
    assert describe_clusters(comparison) == "12 properties"
    assert describe_clusters(replace(comparison, cluster="place", clusters=1234)) == "1,234 places"


@pytest.mark.parametrize("value", [NAN, float("inf")])
def test_what_is_undefined_is_a_dash(value):
    assert format_number(value) == DASH
    assert format_interval(Interval(0.5, value, 0.75)) == f"[{DASH}, 0.750]"


def test_the_head_is_chosen_where_it_was_not_tested(comparison):
    lucky = replace(comparison.detectors[0], name="lucky", validation_average_precision=0.1)
    lines = describe_result(replace(comparison, detectors=(lucky, *comparison.detectors)))
    assert lines[0].startswith("siamese (the best head on validation pairs) against cosine:")


def test_a_baseline_on_an_untrained_backbone_is_called_so(comparison):
    lines = describe_result(replace(comparison, weights="none"))
    assert "against cosine of an untrained backbone: average precision" in lines[0]


def test_an_interval_over_few_homes_is_said_to_say_little(comparison):
    few = "Only 9 properties were tested: intervals over so few say little"
    assert few in describe_result(replace(comparison, clusters=9))
    alone = describe_result(replace(comparison, clusters=9, folds=1))
    assert f"{few}; folds=5 tests every photo once" in alone
    groups = {
        most: describe_result(replace(comparison, clusters=9, folds=1, most_folds=most))
        for most in (0, 4, 5)
    }
    assert [any("folds=5" in line for line in lines) for lines in groups.values()] == [
        False,
        False,
        True,
    ]
    enough = describe_result(replace(comparison, clusters=10))
    assert not any(line.startswith("Only") for line in enough)


def test_a_detector_that_tells_no_pair_from_another_is_named(comparison):
    (first, *others) = comparison.detectors
    metrics = {**first.metrics, "roc_auc": Interval(0.5, 0.5, 0.5)}
    constant = replace(comparison, detectors=(replace(first, metrics=metrics), *others))
    told = f"{first.name} gives every test pair the same score: it has learned nothing"
    assert told in describe_result(constant)
    assert told not in describe_result(comparison)

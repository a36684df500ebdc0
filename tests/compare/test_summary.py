from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from seentwice.compare.summary import (
    HASH_HARD,
    SAME_PROPERTY,
    SAME_ROOM_TYPE,
    SAME_ROOM_TYPE_ELSEWHERE,
    Bootstrap,
    summarise_scores,
)
from seentwice.data.pairs import KINDS
from seentwice.data.table_counts import count_tables
from seentwice.data.triplets import make_triplets
from seentwice.metrics import pair_metrics
from seentwice.paired import McNemarTest
from seentwice.records import Interval, Kind, Photo, View
from seentwice.retrieval import bootstrap_retrieval

FEW = Bootstrap(50, 0)


def silent(done, total):
    """Nobody watches the progress."""


def photos_of(tested, index):
    views, pairs = tested.pairs.views, tested.pairs
    return views[pairs.left[index]].photo, views[pairs.right[index]].photo


def test_test_pairs_are_those_of_all_folds_in_order(folds, tested):
    lefts = [fold.test.left for fold in folds]
    np.testing.assert_array_equal(tested.pairs.left, np.concatenate(lefts))
    assert len(tested.pairs) == len(tested.left_cluster) == len(tested.right_cluster)


def test_clusters_are_homes_where_every_photo_has_one(tested):
    assert (tested.cluster, tested.clusters) == ("property", 4)  # 8 of 12 places are tested
    homes = {}
    for index in range(len(tested.pairs)):
        left, right = photos_of(tested, index)
        homes.setdefault(left.property, set()).add(int(tested.left_cluster[index]))
        homes.setdefault(right.property, set()).add(int(tested.right_cluster[index]))
    assert all(len(numbers) == 1 for numbers in homes.values())
    assert len(set.union(*homes.values())) == 4


def test_clusters_are_places_where_no_home_is_known(gather, make_views, make_folds):
    tested = gather(make_folds(make_views(with_properties=False)))
    assert (tested.cluster, tested.clusters) == ("place", 8)
    for index in range(len(tested.pairs)):
        left, right = photos_of(tested, index)
        same = tested.left_cluster[index] == tested.right_cluster[index]
        assert same == (left.place == right.place)


def test_one_photo_without_a_home_is_enough_to_speak_of_places(gather, make_views, make_folds):
    views = make_views()
    changed = tuple(
        replace(view, photo=replace(view.photo, property=None)) if n == 40 else view
        for n, view in enumerate(views)
    )
    assert gather(make_folds(changed)).cluster == "place"


def test_names_that_are_not_utf_8_are_numbered_too(gather, make_folds):
    views = tuple(
        View(Photo(Path("x"), f"{n}.jpg", f"caf\udce9/{n // 4}"), "e" * (n % 2)) for n in range(48)
    )
    assert gather(make_folds(views)).clusters == 8


def test_every_kind_is_a_slice_and_so_are_confusable_negatives(tested, view_hashes):
    kinds = ("edited", "same_place", "uniform", "hash_weighted")
    confusable = [HASH_HARD, SAME_ROOM_TYPE, SAME_PROPERTY, SAME_ROOM_TYPE_ELSEWHERE]
    assert list(tested.slices) == [*kinds, *confusable]
    for kind in kinds:
        np.testing.assert_array_equal(
            tested.slices[kind], tested.pairs.kind == KINDS.index(Kind(kind))
        )
    pairs = tested.pairs
    for index in range(len(pairs)):
        left, right = photos_of(tested, index)
        negative = left.place != right.place
        bits = bin(
            int(view_hashes[pairs.left[index]]) ^ int(view_hashes[pairs.right[index]])
        ).count("1")
        assert tested.slices[HASH_HARD][index] == (negative and bits <= 12)
        for name in (SAME_ROOM_TYPE, SAME_PROPERTY):
            attribute = "room_type" if name == SAME_ROOM_TYPE else "property"
            same = getattr(left, attribute) == getattr(right, attribute)
            assert tested.slices[name][index] == (negative and same)
        of_one_type = negative and left.room_type == right.room_type
        elsewhere = of_one_type and left.property != right.property
        assert tested.slices[SAME_ROOM_TYPE_ELSEWHERE][index] == elsewhere
    assert 0 < tested.slices[HASH_HARD].sum() < (~pairs.label).sum()


def test_a_kind_without_a_pair_is_no_slice(gather, make_views, make_folds):
    unedited = tuple(replace(view, edit="") for view in make_views(with_room_types=False))
    folds = make_folds(
        tuple(View(replace(view.photo, key=f"{n}.jpg")) for n, view in enumerate(unedited))
    )
    found = list(gather(folds).slices)
    assert found == ["same_place", "uniform", "hash_weighted", HASH_HARD, SAME_PROPERTY]


def test_a_slice_is_its_kind_against_all_pairs_of_the_other_label(tested, searched, make_scores):
    scores = make_scores(0.25)
    result = summarise_scores("a", True, scores, None, tested, searched, FEW, silent)
    label = tested.pairs.label
    assert set(result.slices) == set(tested.slices)
    for name, members in tested.slices.items():
        positive = name in ("edited", "same_place")
        assert (label[members] == positive).all()
        against = label != positive
        one = scores.score[members], np.full(members.sum(), positive)
        other = scores.score[against], label[against]
        score, truth = (np.concatenate(sides) for sides in zip(one, other, strict=True))
        found = result.slices[name]
        assert found.pairs == members.sum()
        assert found.roc_auc.value == pytest.approx(roc_auc_score(truth, score))
        assert found.roc_auc.low <= found.roc_auc.value <= found.roc_auc.high
        rightly = (scores.decision == label)[members].mean()
        assert found.decided_rightly.value == pytest.approx(rightly)


def test_each_fold_has_an_average_precision_of_its_own(tested, searched, make_scores, folds):
    scores = make_scores(0.25)
    result = summarise_scores("a", True, scores, None, tested, searched, FEW, silent)
    start = 0
    for fold, value in zip(folds, result.fold_average_precisions, strict=True):
        part = slice(start, start + len(fold.test))
        expected = average_precision_score(fold.test.label, scores.score[part])
        assert value == pytest.approx(expected)
        start += len(fold.test)


def test_all_metrics_are_those_of_all_pairs(tested, searched, make_scores):
    scores = make_scores(0.25)
    result = summarise_scores("a", True, scores, None, tested, searched, FEW, silent)
    expected = pair_metrics(tested.pairs.label, scores.score, scores.decision)
    assert {name: i.value for name, i in result.metrics.items()} == pytest.approx(expected)
    assert (result.name, result.is_head, result.over_baseline) == ("a", True, {})
    assert result.thresholds == scores.thresholds
    assert (result.fit_seconds, result.pairs_per_second) == (12.25, 123456.7)


def test_progress_counts_every_interval_to_the_end(tested, searched, make_scores):
    seen = []
    summarise_scores(
        "a",
        True,
        make_scores(0.25),
        None,
        tested,
        searched,
        FEW,
        lambda done, all_: seen.append((done, all_)),
    )
    steps = 3 + len(tested.slices)  # metrics, triplets, searches
    assert seen == [(done, steps) for done in range(1, steps + 1)]


def test_the_gain_is_a_paired_difference(tested, searched, make_scores):
    label, ours, theirs = tested.pairs.label, make_scores(0.2), make_scores(0.6, seed=1)
    gain = summarise_scores("a", True, ours, theirs, tested, searched, FEW, silent).over_baseline
    for name, reference in [
        ("average_precision", average_precision_score),
        ("roc_auc", roc_auc_score),
    ]:
        expected = reference(label, ours.score) - reference(label, theirs.score)
        assert gain[name].value == pytest.approx(expected)
    none = summarise_scores("a", True, ours, ours, tested, searched, FEW, silent)
    assert set(none.over_baseline.values()) == {Interval(0, 0, 0)}
    assert none.over_baseline.keys() == none.metrics.keys()
    assert none.mcnemar == McNemarTest(0, 0, 1.0)


def test_decisions_are_compared_pair_by_pair(tested, searched, make_scores):
    label, ours, theirs = tested.pairs.label, make_scores(0.2), make_scores(0.6, seed=1)
    result = summarise_scores("a", True, ours, theirs, tested, searched, FEW, silent)
    right, wrong = ours.decision == label, theirs.decision != label
    assert result.mcnemar.only_ours == np.count_nonzero(right & wrong)
    assert result.mcnemar.only_theirs == np.count_nonzero(~right & ~wrong)
    gain = np.mean(right) - np.mean(~wrong)
    assert result.over_baseline["accuracy"].value == pytest.approx(gain)
    alone = summarise_scores("a", True, ours, None, tested, searched, FEW, silent)
    assert alone.mcnemar is None


def test_searches_are_measured_over_the_homes_that_ask(tested, searched, make_scores):
    scores = make_scores(0.25)
    result = summarise_scores("a", True, scores, None, tested, searched, FEW, silent)
    expected = bootstrap_retrieval(
        searched.answers(scores.search_score), searched.cluster, resamples=50, seed=0
    )
    assert result.retrieval == expected
    assert 0 < result.retrieval["micro_average_precision"].value < 1
    nothing = summarise_scores("a", True, scores, None, tested, None, FEW, silent)
    assert nothing.retrieval == {}


def test_the_bootstrap_repeats_exactly_and_follows_its_seed(tested, searched, make_scores):
    results = [
        summarise_scores(
            "a", True, make_scores(0.5), None, tested, searched, Bootstrap(50, seed), silent
        )
        for seed in (0, 0, 1)
    ]
    assert results[0] == results[1] != results[2]


def test_tables_are_counted_over_all_folds(folds):
    train, validation, test = count_tables(folds)
    assert [count.split for count in (train, validation, test)] == ["train", "validation", "test"]
    for count in (train, validation, test):
        # Two folds of 4 places with 4 views each: 2 photos, 2 views a photo.
        assert (count.places, count.views) == (8, 32)
        assert count.pairs["edited"] == 2 * 4 * 2
        assert count.pairs["same_place"] == 2 * 4 * 4
        assert count.pairs["uniform"] + count.pairs["hash_weighted"] == 2 * 6 * 16
        assert list(count.pairs) == [kind.value for kind in Kind]
    weighted = sum(int((fold.test.kind == KINDS.index(Kind.HASH_WEIGHTED)).sum()) for fold in folds)
    assert test.pairs["hash_weighted"] == weighted > 0


def test_the_clusters_of_the_test_are_those_of_the_table_alone(tested):
    part = tested.pairs.take(np.arange(3))
    few = replace(
        tested,
        pairs=part,
        left_cluster=tested.left_cluster[:3],
        right_cluster=tested.right_cluster[:3],
    )
    touched = {*tested.left_cluster[:3].tolist(), *tested.right_cluster[:3].tolist()}
    assert few.clusters == len(touched)


def test_triplet_accuracy_is_that_of_a_slow_count(tested, searched, make_scores):
    scores = make_scores(0.25)
    result = summarise_scores("a", True, scores, None, tested, searched, FEW, silent)
    pairs, triplets = tested.pairs, tested.triplets
    score_of = {
        frozenset((int(left), int(right))): score
        for left, right, score in zip(pairs.left, pairs.right, scores.score, strict=True)
    }
    above = [
        score_of[frozenset((int(query), int(positive)))]
        > score_of[frozenset((int(query), int(negative)))]
        for query, positive, negative in zip(
            triplets.query, triplets.positive, triplets.negative, strict=True
        )
    ]
    assert len(above) == 2 * pairs.label.sum()
    accuracy = result.triplet_accuracy
    assert accuracy.value == pytest.approx(np.mean(above))
    assert accuracy.low <= accuracy.value <= accuracy.high
    assert 0.5 < accuracy.value < 1


def test_a_triplet_with_a_tie_is_wrong(tested, searched, make_scores):
    """Where ROC AUC counts half of it."""
    triplets = tested.triplets
    level = np.full(len(tested.pairs), 0.5)
    tied = replace(make_scores(0.25), score=level)
    result = summarise_scores("a", True, tied, None, tested, searched, FEW, silent)
    assert result.triplet_accuracy == Interval(0, 0, 0)
    assert result.metrics["roc_auc"].value == 0.5
    # One duplicate above all others: of the triplets, those that hold it and no other are right.
    level[np.flatnonzero(tested.pairs.label)[0]] = 0.6
    result = summarise_scores("a", True, tied, None, tested, searched, FEW, silent)
    share = np.mean(triplets.positive_pair == np.flatnonzero(tested.pairs.label)[0])
    assert 0 < share < 0.5
    assert result.triplet_accuracy.value == pytest.approx(share)


def test_a_table_without_triplets_has_no_triplet_accuracy(tested, searched, make_scores):
    none = make_triplets(tested.pairs.take(tested.pairs.label), 1, np.random.default_rng(0))
    result = summarise_scores(
        "a", True, make_scores(0.1), None, replace(tested, triplets=none), searched, FEW, silent
    )
    assert np.isnan(result.triplet_accuracy.value)

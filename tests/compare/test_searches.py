from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seentwice.compare.searches import plan_searches
from seentwice.data.pairs import PairTable
from seentwice.records import Photo, View


def table(views, members, contents=None):
    """Every pair of some views, as a test table."""
    left, right = np.array([(a, b) for a in members for b in members if a < b]).T
    label = np.zeros(len(left), dtype=bool)
    return PairTable(views, left, right, label, np.zeros(len(left), np.int8), contents)


def views_of(places, zones=None):
    return tuple(
        View(Photo(Path(str(n)), f"{n}.jpg", place, zone=zones[n] if zones else None))
        for n, place in enumerate(places)
    )


def list_pairs(searches):
    return {
        (int(left), int(right)): bool(label)
        for pairs in searches.tables
        for left, right, label in zip(pairs.left, pairs.right, pairs.label, strict=True)
    }


def test_every_view_asks_for_all_others_of_its_fold(folds, tested):
    searches = plan_searches([fold.test for fold in folds], tested.view_cluster, 10**6, 0)
    views = tested.pairs.views
    expected = {}
    for fold in folds:
        members = sorted({*fold.test.left.tolist(), *fold.test.right.tolist()})
        for query in members:
            for other in members:
                if other != query:
                    same = views[query].photo.place == views[other].photo.place
                    expected[query, other] = same
    assert list_pairs(searches) == expected
    assert len(searches.query) == len(expected)
    asked = sorted({query for query, _ in expected})
    lefts = np.concatenate([pairs.left for pairs in searches.tables])
    np.testing.assert_array_equal(np.array(asked)[searches.query], lefts)
    np.testing.assert_array_equal(searches.true, np.full(len(asked), 3))  # 4 views a place
    np.testing.assert_array_equal(searches.cluster, tested.view_cluster[asked])
    count = searches.count()
    assert (count.queries, count.matched, count.gallery) == (32, 32, 16)
    assert count.pairs == 2 * 16 * 15


def test_what_may_show_the_place_under_another_name_is_no_candidate():
    views = views_of(["a", "a", "b", "c", "d"], ["open", None, "open", None, None])
    contents = np.array([1, 2, 3, 4, 4], dtype=np.uint64)
    searches = plan_searches([table(views, range(5), contents)], np.arange(5), 10**6, 0)
    pairs = list_pairs(searches)
    left_out = {(0, 2), (2, 0), (3, 4), (4, 3)}
    assert set(pairs) == {(a, b) for a in range(5) for b in range(5) if a != b} - left_out
    assert {pair for pair, same in pairs.items() if same} == {(0, 1), (1, 0)}
    assert searches.true.tolist() == [1, 1, 0, 0, 0]
    assert searches.count().matched == 2


@pytest.mark.parametrize("max_pairs", [1, 100, 300])
def test_too_many_pairs_leave_queries_out_by_lot_and_no_candidate(folds, tested, max_pairs):
    tests = [fold.test for fold in folds]
    every = plan_searches(tests, tested.view_cluster, 10**6, 0)
    some = plan_searches(tests, tested.view_cluster, max_pairs, 0)
    queries = [len(np.unique(pairs.left)) for pairs in some.tables]
    assert queries == [max(1, int(max_pairs / 512 * 16))] * 2
    assert some.count().queries == sum(queries)
    whole = list_pairs(every)
    assert all(whole[pair] == same for pair, same in list_pairs(some).items())
    assert len(some.query) == 15 * sum(queries)
    assert list_pairs(plan_searches(tests, tested.view_cluster, max_pairs, 0)) == list_pairs(some)
    if max_pairs == 300:
        other = plan_searches(tests, tested.view_cluster, max_pairs, 1)
        assert list_pairs(other) != list_pairs(some)


def test_no_candidate_is_no_search(folds, tested):
    assert plan_searches([folds[0].test], tested.view_cluster, 0, 0) is None
    views = views_of(["a", "b"], ["open", "open"])
    assert plan_searches([table(views, range(2))], np.arange(2), 10**6, 0) is None


def test_answers_are_the_pairs_with_their_scores(searched):
    score = np.linspace(0, 1, len(searched.query))
    answers = searched.answers(score)
    assert answers.score is score
    assert answers.true.sum() == answers.is_true.sum()
    with pytest.raises(ValueError, match="differ in length"):
        replace(searched, query=searched.query[1:]).answers(score)

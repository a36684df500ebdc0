from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from seentwice.data.pairs import PairTable
from seentwice.detectors import knn
from seentwice.detectors.knn import NearestPairs, retrieve_nearest
from seentwice.detectors.trunk import unit_rows
from seentwice.records import Photo, View


def silent(done, total):
    """Nobody watches the progress."""


def table(left, right, label=None, views=()):
    left, right = np.array(left), np.array(right)
    label = np.zeros(len(left), dtype=bool) if label is None else np.array(label)
    return PairTable(views, left, right, label, np.zeros(len(left), np.int8))


def random_table(seed, views=60, count=80):
    """Distinct pairs, every second a duplicate."""
    distinct = np.array([(a, b) for a in range(views) for b in range(a)])
    left, right = np.random.default_rng(seed).choice(distinct, count, replace=False).T
    return table(left, right, np.arange(count) % 2 == 0)


ROWS = {"trunk": np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)}


def vote_slowly(train, pairs, neighbours):
    features = unit_rows(ROWS["trunk"]).astype(np.float64)
    remembered = np.abs(features[train.left] - features[train.right])
    votes = []
    for left, right in zip(pairs.left, pairs.right, strict=True):
        query = np.abs(features[left] - features[right])
        distance = np.sqrt(((remembered - query) ** 2).sum(axis=1))
        nearest = np.argsort(distance, kind="stable")[:neighbours]
        weight = 1 / (distance[nearest] + 1e-6)
        votes.append((weight * train.label[nearest]).sum() / weight.sum())
    return votes


@pytest.mark.parametrize("neighbours", [1, 5, 80, 1000])
def test_the_vote_of_the_nearest_pairs(neighbours):
    train, test = random_table(1), random_table(2, count=50)
    evidence = NearestPairs([neighbours], 1000, seed=0, on_progress=silent)
    evidence.fit(train, test, ROWS)
    assert evidence.of(test, ROWS) == pytest.approx(vote_slowly(train, test, neighbours), abs=1e-4)


def test_blocks_change_nothing(monkeypatch):
    test = random_table(2, count=50)
    evidence = NearestPairs([5], 1000, seed=0, on_progress=silent)
    evidence.fit(random_table(1), test, ROWS)
    expected = evidence.of(test, ROWS)
    monkeypatch.setattr(knn, "BLOCK", 7)
    assert evidence.of(test, ROWS) == pytest.approx(expected, abs=1e-4)


def test_a_pair_scores_the_same_in_both_directions():
    test = random_table(2)
    evidence = NearestPairs([5], 1000, seed=0, on_progress=silent)
    evidence.fit(random_table(1), test, ROWS)
    turned = table(test.right, test.left)
    np.testing.assert_array_equal(evidence.of(test, ROWS), evidence.of(turned, ROWS))


@pytest.mark.parametrize(("max_pairs", "each"), [(1000, 20), (41, 20), (31, 15), (10, 5)])
def test_as_many_duplicates_as_others_are_remembered(max_pairs, each):
    drawn = random_table(3, count=100)
    train = table(drawn.left, drawn.right, np.arange(100) < 20)
    evidence = NearestPairs([5], max_pairs, seed=0, on_progress=silent)
    evidence.fit(train, train, ROWS)
    assert evidence._label.tolist() == [True] * each + [False] * each
    features = unit_rows(ROWS["trunk"])
    all_differences = np.abs(features[train.left] - features[train.right])
    known = {row.tobytes(): label for row, label in zip(all_differences, train.label, strict=True)}
    for row, label in zip(evidence._differences, evidence._label, strict=True):
        assert known[row.tobytes()] == label


def test_the_seed_decides_what_is_remembered():
    train, remembered = random_table(1), []
    for seed in (0, 0, 1):
        evidence = NearestPairs([5], 20, seed, on_progress=silent)
        evidence.fit(train, train, ROWS)
        remembered.append(evidence._differences.tobytes())
    assert remembered[0] == remembered[1] != remembered[2]


def test_validation_pairs_choose_how_many_neighbours_vote():
    train, validation = random_table(1), random_table(2, count=50)
    choices = (1, 3, 9, 27)
    evidence = NearestPairs(choices, 1000, seed=0, on_progress=silent)
    evidence.fit(train, validation, ROWS)
    values = [
        average_precision_score(validation.label, vote_slowly(train, validation, k))
        for k in choices
    ]
    assert evidence.neighbours == choices[int(np.argmax(values))]


def make_views(places, zones=None):
    return tuple(
        View(Photo(Path(str(n)), f"{n}.jpg", place, zone=zones[n] if zones else None))
        for n, place in enumerate(places)
    )


def all_pairs(views, members):
    left, right = np.array([(a, b) for a in members for b in members if a < b]).T
    return table(left, right, views=views)


def retrieve_slowly(views, members, features):
    """For each query, whether each of its nearest other views (several if tied) is a hit."""
    unit = features.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    found = {}
    for query in members:
        others = [other for other in members if other != query]
        place = views[query].photo.place
        if not any(views[other].photo.place == place for other in others):
            continue
        distance = np.array([((unit[query] - unit[other]) ** 2).sum() for other in others])
        nearest = np.flatnonzero(distance <= distance.min() + 1e-9)
        found[query] = {views[others[n]].photo.place == place for n in nearest}
    return found


def require_agreement(retrieval, expected):
    assert retrieval.query.tolist() == sorted(expected)
    for query, hit in zip(retrieval.query.tolist(), retrieval.hit.tolist(), strict=True):
        assert hit in expected[query]


@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_other_view_by_cosine(seed):
    rng = np.random.default_rng(seed)
    place = rng.integers(12, size=40)
    centre = rng.normal(size=(12, 6))
    features = (centre[place] + 0.7 * rng.normal(size=(40, 6))).astype(np.float32)
    features *= rng.uniform(0.1, 10, size=(40, 1)).astype(np.float32)  # length says nothing
    views = make_views([f"room/{n}" for n in place])
    members = list(range(40))
    retrieval = retrieve_nearest(all_pairs(views, members), {"trunk": features})
    expected = retrieve_slowly(views, members, features)
    assert {len(hits) for hits in expected.values()} == {1}
    require_agreement(retrieval, expected)
    assert 0 < retrieval.hit.mean() < 1


def test_views_of_one_open_plan_are_passed_over():
    """A kitchen seen from the living room is neither a hit nor a mistake."""
    features = np.array([[1, 0], [0.99, 0.1], [0.9, 0.4], [0, 1], [0.1, 1]], dtype=np.float32)
    places = ["living/1", "kitchen/1", "living/1", "bath/2", "bath/2"]
    pairs = all_pairs(make_views(places, ["open", "open", "open", None, None]), range(5))
    assert retrieve_nearest(pairs, {"trunk": features}).hit.tolist() == [True, True, True, True]
    apart = all_pairs(make_views(places), range(5))
    assert retrieve_nearest(apart, {"trunk": features}).hit.tolist() == [False, False, True, True]


@pytest.mark.parametrize("copies", [2, 3, 5])
def test_exact_copies_are_found_by_each_other(copies):
    rng = np.random.default_rng(copies)
    features = np.repeat(rng.normal(size=(10, 6)), copies, axis=0).astype(np.float32)
    views = make_views([f"room/{n // copies}" for n in range(10 * copies)])
    retrieval = retrieve_nearest(all_pairs(views, range(10 * copies)), {"trunk": features})
    assert retrieval.query.tolist() == list(range(10 * copies))
    assert retrieval.hit.all()


def test_an_exact_copy_in_another_place_is_no_hit():
    features = np.array([[1, 0], [0, 1], [1, 0], [-1, 0]], dtype=np.float32)
    views = make_views(["a", "a", "b", "b"])
    retrieval = retrieve_nearest(all_pairs(views, range(4)), {"trunk": features})
    require_agreement(retrieval, retrieve_slowly(views, range(4), features))
    assert not retrieval.hit[0]
    assert not retrieval.hit[2]


def test_views_outside_the_table_are_neither_asked_nor_found():
    features = np.array([[1, 0], [0.6, 0.8], [1, 0], [0, 1], [0, 1]], dtype=np.float32)
    views = make_views(["a", "a", "b", "c", "a"])
    retrieval = retrieve_nearest(all_pairs(views, [0, 1, 3]), {"trunk": features})
    assert retrieval.query.tolist() == [0, 1]  # 3 is alone in its place
    assert retrieval.hit.tolist() == [True, False]

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from copy_measures import CrossPairs, measure_copies, measure_gain, pair_views

from seentwice.data.splits import Split, groups_of
from seentwice.data.views import EditChoice, plan_views
from seentwice.records import Photo

QUERIES, REFERENCES = 60, 20


def make_pairs(seed):
    generator = np.random.default_rng(seed)
    is_true = np.arange(QUERIES)[:, np.newaxis] // 3 == np.arange(REFERENCES)
    counts = is_true | (generator.random(is_true.shape) < 0.9)
    return CrossPairs(
        np.arange(QUERIES),
        np.arange(REFERENCES),
        is_true,
        counts,
        np.arange(QUERIES) // 6,
        np.array(["crop", "rotate", "half"] * (QUERIES // 3)),
    )


def make_scores(pairs, seed, levels):
    """Scores of which many are equal."""
    generator = np.random.default_rng(seed)
    raw = generator.normal(size=pairs.is_true.shape) + 3 * pairs.is_true
    return np.round(raw * levels).astype(np.float32)


def find_best(pairs, scores):
    """The recall and the threshold of every score in turn."""
    best, chosen = 0.0, np.inf
    for threshold in np.unique(scores[pairs.counts]):
        called = pairs.counts & (scores >= threshold)
        precision = pairs.is_true[called].mean()
        recall = (called & pairs.is_true).sum() / pairs.is_true.sum()
        if precision >= 0.999 and recall > best:
            best, chosen = recall, threshold
    return best, chosen


def average_precision_worst_first(pairs, scores):
    ranked = sorted(
        zip(-scores[pairs.counts], pairs.is_true[pairs.counts], strict=True),
        key=lambda pair: (pair[0], pair[1]),
    )
    hits = np.cumsum([label for _, label in ranked])
    return np.mean([hits[n] / (n + 1) for n, (_, label) in enumerate(ranked) if label])


@pytest.mark.parametrize("levels", [2, 5, 1000])
def test_measures_are_those_of_a_slow_recomputation(levels):
    pairs = make_pairs(0)
    scores = make_scores(pairs, 1, levels)

    found = measure_copies(scores, pairs, resamples=20)

    recall, threshold = find_best(pairs, scores)
    assert 0 < recall < 1
    assert found.recall.value == pytest.approx(recall)
    assert found.recall.low <= found.recall.high
    expected = average_precision_worst_first(pairs, scores)
    assert found.micro_average_precision.value == pytest.approx(expected)
    firsts = [
        min(own[pairs.is_true[n]]) > max(own[pairs.counts[n] & ~pairs.is_true[n]])
        for n, own in enumerate(scores)
    ]
    assert found.recall_at_1 == pytest.approx(np.mean(firsts))
    for number, name in enumerate(("crop", "rotate", "half")):
        own = scores[number::3][pairs.is_true[number::3]]
        assert found.by_edit[name] == pytest.approx((own >= threshold).mean())


def test_pairs_that_do_not_count_change_nothing():
    pairs = make_pairs(0)
    scores = make_scores(pairs, 1, 5)
    spoilt = np.where(pairs.counts, scores, 1000).astype(np.float32)

    one, other = (measure_copies(each, pairs, resamples=5) for each in (scores, spoilt))

    assert one.recall == other.recall
    assert one.by_edit == other.by_edit
    assert one.recall_at_1 == other.recall_at_1


def test_a_detector_that_finds_nothing_finds_nothing_of_any_edit():
    pairs = make_pairs(0)

    found = measure_copies(np.zeros(pairs.is_true.shape, np.float32), pairs, resamples=5)

    assert found.recall.value == 0
    assert found.recall_at_1 == 0
    assert set(found.by_edit.values()) == {0.0}


def test_gains_are_resampled_on_the_same_homes():
    pairs = make_pairs(0)
    found = measure_copies(make_scores(pairs, 1, 5), pairs, resamples=20)
    worse = replace(found, draws=found.draws - 0.1, recall=replace(found.recall, value=0.0))

    gain = measure_gain(found, worse)

    assert gain.value == found.recall.value
    assert (gain.low, gain.high) == pytest.approx((0.1, 0.1))


def test_places_of_one_zone_do_not_count():
    rooms = [("1_bath", "a", None), ("2_bath", "b", "open"), ("2_bed", "b", "open")]
    photos = [
        Photo(Path(place), place, place, property=home, zone=zone) for place, home, zone in rooms
    ]
    split = Split(np.empty(0, np.int64), np.empty(0, np.int64), np.arange(3))
    plan = plan_views(photos, (split,), EditChoice((), ("hflip", "crop")), seed=0)

    pairs = pair_views(plan, photos, groups_of(photos), start=100)

    assert pairs.query.tolist() == [101, 102, 104, 105, 107, 108]
    assert pairs.reference.tolist() == [100, 103, 106]
    assert pairs.edit.tolist() == ["hflip", "crop"] * 3
    assert pairs.home.tolist() == [0, 0, 1, 1, 1, 1]
    assert np.array_equal(pairs.is_true, np.repeat(np.eye(3, dtype=bool), 2, axis=0))
    assert pairs.counts[:2].tolist() == [[True, True, True]] * 2
    assert pairs.counts[2:4].tolist() == [[True, True, False]] * 2
    assert pairs.counts[4:].tolist() == [[True, False, True]] * 2

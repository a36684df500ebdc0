import numpy as np
import pytest

from seentwice.errors import UserError
from seentwice.recommend.learning import learn_weights
from seentwice.recommend.scores import ScoreWeights


def make_parts(weights: tuple[float, float, float], triplets: int) -> tuple[np.ndarray, np.ndarray]:
    """Parts of pairs of which those weights say the positive, now and then wrongly."""
    rng = np.random.default_rng(0)
    both = rng.random((2, triplets, 3))
    both[..., 0] = both[..., 0] < 0.5
    scores = both @ np.array(weights) + rng.logistic(scale=0.1, size=(2, triplets))
    swap = scores[0] < scores[1]
    both[:, swap] = both[::-1, swap]
    return both[0], both[1]


def test_weights_are_those_that_made_the_triplets() -> None:
    positive, negative = make_parts((2.0, 0.5, 1.0), 4_000)
    learned = learn_weights(positive, negative, np.arange(4_000), ScoreWeights(0.1, 3, 1))
    weights = learned.weights
    assert weights.visual_similarity == 1
    assert weights.class_points == pytest.approx(2, rel=0.15)
    assert weights.tag_points == pytest.approx(0.5, rel=0.25)
    assert learned.accuracy is not None
    assert learned.accuracy > learned.accuracy_before + 0.1


def test_a_part_that_tells_nothing_keeps_its_weight_and_one_that_misleads_has_none() -> None:
    positive, negative = make_parts((0.0, -2.0, 1.0), 500)
    positive[:, 0] = negative[:, 0] = 1
    learned = learn_weights(positive, negative, np.zeros(500, np.int64), ScoreWeights())
    assert learned.weights == ScoreWeights(1.0, 0.0, 1.0)
    assert learned.accuracy is None


def test_a_part_that_tells_all_decides_alone_and_has_no_endless_weight() -> None:
    positive, negative = np.full((2, 2_000, 3), 0.5)
    positive[:, 0], negative[:, 0] = 1, 0
    positive[:, 2] += 1e-4
    positive[0, 2] -= 2e-4
    before = ScoreWeights(0.0, 0.3, 1.0)
    weights = learn_weights(positive, negative, np.arange(2_000), before).weights
    assert weights == ScoreWeights(100.0, 0.3, 1.0)


def test_weights_that_rank_all_rightly_are_kept() -> None:
    rng = np.random.default_rng(0)
    both = np.sort(rng.random((2, 100, 3)), axis=0)
    before = ScoreWeights(0.2, 0.7, 2.0)
    learned = learn_weights(both[1], both[0], np.arange(100), before)
    assert learned.weights == before
    assert learned.accuracy_before == 1


def test_folds_that_tell_nothing_leave_the_weights_of_all() -> None:
    # Without the one query that is right by much, those that are left say the contrary.
    gain = np.array([0.5, -0.01, -0.01, -0.01, -0.01])
    negative = np.full((5, 3), 0.5)
    positive = negative + gain[:, np.newaxis] * np.array([0, 0, 1])
    learned = learn_weights(positive, negative, np.arange(5), ScoreWeights())
    assert learned.weights == ScoreWeights()
    assert learned.accuracy is None


def test_a_tie_counts_half() -> None:
    same = np.full((4, 3), 0.5)
    better = same + np.array([0, 0, 0.1])
    learned = learn_weights(
        np.concatenate([better, same]), np.tile(same, (2, 1)), np.zeros(8, np.int64), ScoreWeights()
    )
    assert learned.accuracy_before == 0.75


def test_triplets_that_tell_the_contrary_are_refused() -> None:
    positive, negative = make_parts((1.0, 0.3, 1.0), 200)
    with pytest.raises(UserError, match="are the columns exchanged"):
        learn_weights(negative, positive, np.arange(200), ScoreWeights())
    with pytest.raises(UserError, match="no triplet"):
        learn_weights(positive[:0], negative[:0], np.arange(0), ScoreWeights())

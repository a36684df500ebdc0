from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from seentwice.data.pairs import PairTable, list_pairs
from seentwice.detectors.whitening import WhitenedCosine, whitening_features
from seentwice.records import Photo, View

GENERATOR = np.random.default_rng(0)
SHARED = np.zeros(64, dtype=np.float32)
SHARED[:2] = 6.0  # two directions in which all photos differ wildly, whatever their place


def features_of(places: int, views: int) -> np.ndarray:
    """Return (places * views, 64): a place's own direction, drowned in two common ones."""
    own = np.repeat(GENERATOR.normal(size=(places, 64)), views, axis=0)
    noise = 0.3 * GENERATOR.normal(size=own.shape)
    common = GENERATOR.normal(size=own.shape) * SHARED
    return (own + noise + common).astype(np.float32)


def table_of(places: int, views: int) -> PairTable:
    seen = tuple(
        View(Photo(Path(f"{p}_{k}"), f"{p}_{k}", f"r/{p}"))
        for p in range(places)
        for k in range(views)
    )
    return list_pairs(seen)


def auc_of(unlabelled: np.ndarray | None, power: float) -> float:
    pairs, rows = table_of(15, 3), {"trunk": features_of(15, 3)}
    detector = WhitenedCosine(power, 0.1, unlabelled)
    detector.fit(pairs, pairs, rows)
    similarity = detector.of(pairs, rows)
    assert similarity.shape == (len(pairs),)
    assert (np.abs(similarity) <= 1 + 1e-6).all()
    return float(roc_auc_score(pairs.label, similarity))


def test_whitening_finds_places_that_common_directions_drown() -> None:
    assert auc_of(None, 0.0) < 0.92
    assert auc_of(None, 1.0) > 0.99


def test_unlabelled_photos_are_whitened_together_with_the_training_photos() -> None:
    pairs, features = table_of(4, 2), features_of(4, 2)
    other = features_of(5, 1)
    assert np.array_equal(
        whitening_features(pairs.take(np.array([0, 1])), features, other),
        np.concatenate([features[np.unique([pairs.left[:2], pairs.right[:2]])], other]),
    )
    assert auc_of(features_of(30, 1), 1.0) > 0.99


def test_rows_of_half_the_size_are_whitened_like_others() -> None:
    pairs, features = table_of(15, 3), features_of(15, 3).astype(np.float16)
    similarity = []
    for rows in ({"trunk": features}, {"trunk": features.astype(np.float32)}):
        detector = WhitenedCosine(1.0, 0.1, None)
        detector.fit(pairs, pairs, rows)
        similarity.append(detector.of(pairs, rows))
    np.testing.assert_array_equal(*similarity)
    assert whitening_features(pairs, features, None).dtype == np.float32

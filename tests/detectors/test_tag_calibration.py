"""The temperature is where the cross-entropy is least, and finite where there is no such place."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from seentwice.detectors.tag_calibration import fit_tag_temperature


def cross_entropy(logits: np.ndarray, label: np.ndarray, temperature: float) -> float:
    return -log_softmax(logits / temperature, axis=1)[np.arange(len(label)), label].mean()


@pytest.mark.parametrize("true", [0.3, 1.0, 4.0])
def test_it_finds_the_temperature_of_which_labels_were_drawn(true: float) -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(20_000, 3)) * 2
    chances = softmax(logits / true, axis=1).cumsum(axis=1)
    label = (generator.random((20_000, 1)) > chances).sum(axis=1)
    found = fit_tag_temperature(logits.astype(np.float32), label)
    assert found == pytest.approx(true, rel=0.05)
    best = cross_entropy(logits, label, found)
    for other in np.geomspace(found / 3, found * 3, 101):
        assert best <= cross_entropy(logits, label, other) + 1e-7


def test_answers_that_all_are_right_or_wrong_leave_it_finite_and_above_0() -> None:
    logits = np.array([[5.0, 0, 0], [0, 5, 0], [0, 0, 5]])
    right = fit_tag_temperature(logits, np.arange(3))
    assert 0 < right < 1
    assert fit_tag_temperature(logits, np.array([1, 2, 0])) > 1e3
    assert fit_tag_temperature(np.zeros((2, 2)), np.array([0, 1])) > 0
    assert fit_tag_temperature(np.empty((0, 2)), np.empty(0, np.int64)) == 1

"""Measures of a tagger against scikit-learn's, and what is not known counts nowhere."""

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics as sklearn_metrics

from seentwice.compare.tag_plots import plot_confusion
from seentwice.compare.tag_results import flatten_results, measure_tags
from seentwice.records import TagHead, TagSet

TAGS = TagSet((TagHead("front", ("front", "room")), TagHead("storeys", ("one", "two", "more"))))


def make_answers() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    label = np.stack([generator.integers(2, size=120), generator.integers(3, size=120)], axis=1)
    label[::3, 1] = -1
    front = generator.dirichlet((1, 1), 120)
    storeys = generator.dirichlet((1, 1, 1), 120)
    storeys[np.arange(120), label[:, 1].clip(0)] += 0.4
    storeys /= storeys.sum(axis=1, keepdims=True)
    return label, np.concatenate([front, storeys], axis=1), np.arange(120) // 4


def test_measures_are_those_of_scikit_learn_over_known_labels() -> None:
    label, probabilities, homes = make_answers()
    front, storeys = measure_tags(TAGS, label, probabilities, homes, resamples=50)
    assert (front.photos, storeys.photos, storeys.homes) == (120, 80, 30)
    known = label[:, 1] >= 0
    truth, answer = label[known, 1], probabilities[known, 2:].argmax(axis=1)
    assert storeys.accuracy.value == pytest.approx(sklearn_metrics.accuracy_score(truth, answer))
    assert storeys.balanced_accuracy.value == pytest.approx(
        sklearn_metrics.balanced_accuracy_score(truth, answer)
    )
    assert storeys.confusion == tuple(
        map(tuple, sklearn_metrics.confusion_matrix(truth, answer).tolist())
    )
    assert storeys.cross_entropy == pytest.approx(
        sklearn_metrics.log_loss(truth, probabilities[known, 2:])
    )
    precision, recall, f1, count = sklearn_metrics.precision_recall_fscore_support(truth, answer)
    for number, one in enumerate(storeys.of_label):
        assert one.photos == count[number]
        values = (one.precision.value, one.recall.value, one.f1.value)
        assert values == pytest.approx((precision[number], recall[number], f1[number]))
        auc = sklearn_metrics.roc_auc_score(truth == number, probabilities[known, 2 + number])
        assert one.roc_auc.value == pytest.approx(auc)
    for interval in (storeys.accuracy, storeys.balanced_accuracy, storeys.of_label[0].f1):
        assert interval.low < interval.value < interval.high
    assert storeys.largest_share == count.max() / count.sum()


def test_a_head_without_known_labels_is_left_out_and_a_label_without_photos_is_not() -> None:
    label, probabilities, homes = make_answers()
    label[:, 0] = -1
    label[label[:, 1] == 2, 1] = 1
    (storeys,) = measure_tags(TAGS, label, probabilities, homes, resamples=20)
    assert storeys.name == "storeys"
    assert storeys.of_label[2].photos == 0
    assert np.isnan(storeys.of_label[2].roc_auc.value)
    values = flatten_results([storeys])
    assert values["storeys/accuracy"] == storeys.accuracy.value
    assert values["storeys/two/f1"] == storeys.of_label[1].f1.value
    assert len(values) == 4 + 3 * 4


def test_the_confusion_matrix_is_a_picture(tmp_path) -> None:
    label, probabilities, homes = make_answers()
    _, storeys = measure_tags(TAGS, label, probabilities, homes, resamples=5)
    (tmp_path / "a.png").write_bytes(plot_confusion(storeys))
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width > 400
        assert picture.height > 300
    assert plot_confusion(storeys) == plot_confusion(storeys)

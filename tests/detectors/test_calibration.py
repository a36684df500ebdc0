import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from seentwice.data.pairs import PairTable
from seentwice.detectors.calibration import (
    CALIBRATIONS,
    CalibratedDetector,
    Calibration,
    fit_calibration,
    fit_temperature,
    keep_logits,
)


def make_evidence(seed, count=400, share=0.3, shift=1.5):
    """Evidence that is higher for positives by `shift` standard deviations."""
    rng = np.random.default_rng(seed)
    label = rng.random(count) < share
    return shift * label + rng.normal(size=count), label


def loss(parameters, evidence, label):
    """The mean negative log-likelihood, in nats."""
    logit = parameters[0] * evidence + parameters[1]
    return float((np.logaddexp(0, logit) - label * logit).mean())


def fit_slowly(evidence, label, least_slope=None):
    return minimize(
        loss,
        [0.0, 0.0],
        (evidence, label),
        method="L-BFGS-B",
        bounds=[(least_slope, None), (None, None)],
        options={"ftol": 1e-15, "gtol": 1e-10},
    ).x


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("share", [0.02, 0.3, 0.8])
def test_the_fit_is_that_of_maximum_likelihood(seed, share):
    evidence, label = make_evidence(seed, 1000, share)
    slope, offset = fit_slowly(evidence, label)
    fitted = fit_calibration(evidence, label)
    assert fitted.slope == pytest.approx(slope, rel=1e-2)
    assert fitted.offset == pytest.approx(offset, rel=1e-2)
    assert fitted(evidence) == pytest.approx(
        1 / (1 + np.exp(-(slope * evidence + offset))), abs=1e-2
    )


@pytest.mark.parametrize(("scale", "shift"), [(1e-4, 0.0), (64.0, -32.0), (1e6, 1e6)])
def test_the_scale_of_the_evidence_does_not_matter(scale, shift):
    evidence, label = make_evidence(0)
    moved = scale * evidence + shift
    assert fit_calibration(moved, label)(moved) == pytest.approx(
        fit_calibration(evidence, label)(evidence), abs=1e-6
    )


def test_the_mean_probability_is_the_share_of_positives():
    evidence, label = make_evidence(1, share=0.1)
    probability = fit_calibration(evidence, label)(evidence)
    assert probability.mean() == pytest.approx(label.mean(), abs=1e-4)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
def test_evidence_worse_than_chance_is_not_turned_round(share):
    evidence, label = make_evidence(2, 2000, share, shift=-3.0)
    fitted = fit_calibration(evidence, label)
    assert fitted.slope > 0
    probability = fitted(evidence)
    assert np.array_equal(np.argsort(probability), np.argsort(evidence))
    # The best fit whose slope is not negative says of every pair what the share says.
    slope, offset = fit_slowly(evidence, label, least_slope=0.0)
    assert slope == pytest.approx(0, abs=1e-6)
    assert probability == pytest.approx(np.full(len(label), label.mean()), abs=1e-4)
    assert loss((fitted.slope, fitted.offset), evidence, label) == pytest.approx(
        loss((slope, offset), evidence, label), abs=1e-5
    )


@pytest.mark.parametrize("value", [0.0, 0.7, -123.4])  # the deviation of the last two is not 0
def test_evidence_that_says_nothing_gives_the_share_of_positives(value):
    label = np.arange(100) < 20
    fitted = fit_calibration(np.full(100, value), label)
    assert fitted(np.array([value, value + 0.1])) == pytest.approx([0.2, 0.2], abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(-64, 64)), min_size=4, max_size=40).filter(
        lambda pairs: len({label for label, _ in pairs}) == 2
    )
)
def test_the_ranking_is_unchanged(pairs):
    label, evidence = (np.array(column) for column in zip(*pairs, strict=True))
    fitted = fit_calibration(evidence.astype(np.float64), label)
    ladder = np.unique(evidence).astype(np.float64)
    assert fitted.slope > 0
    assert (np.diff(fitted(ladder)) >= 0).all()
    doubtful = ladder[fitted(ladder) < 1 - 1e-9]  # beyond, neighbours may round to one float
    assert (np.diff(fitted(doubtful)) > 0).all()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("scale", [0.01, 1.0, 300.0])
def test_the_temperature_is_that_of_maximum_likelihood(seed, scale):
    evidence, label = make_evidence(seed, 1000)
    evidence = scale * (evidence - 0.7)
    fitted = fit_temperature(evidence, label)
    around = fitted.slope * np.array([0.99, 1.0, 1.01])
    below, at, above = (loss((slope, 0.0), evidence, label) for slope in around)
    assert fitted.offset == 0
    assert at < min(below, above)


def test_overconfident_logits_get_the_temperature_they_were_multiplied_with():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 200_000)
    label = rng.random(len(logits)) < 1 / (1 + np.exp(-logits))
    assert 1 / fit_temperature(3 * logits, label).slope == pytest.approx(3, rel=0.02)


def test_classes_that_part_give_a_temperature_that_is_finite():
    label = np.arange(10) >= 5
    evidence = np.where(label, 1e-3, -1e-3)
    fitted = fit_temperature(evidence, label)
    assert np.isfinite(fitted.slope)
    assert fitted(evidence) == pytest.approx(label.astype(float), abs=1e-2)


@pytest.mark.parametrize("value", [0.0, -3.0])
def test_logits_worse_than_chance_are_not_turned_round(value):
    label = np.arange(100) < 60
    fitted = fit_temperature(np.where(label, value, -value), label)
    assert fitted.slope > 0
    assert fitted(np.array([value])) == pytest.approx([0.5], abs=1e-4)


def test_logits_can_be_taken_for_what_they_say():
    evidence, label = make_evidence(0)
    assert keep_logits(evidence, label)(evidence) == pytest.approx(1 / (1 + np.exp(-evidence)))


@pytest.mark.parametrize("name", sorted(CALIBRATIONS))
def test_a_detector_is_calibrated_as_it_is_told(name):
    evidence, label = make_evidence(1)
    detector = CalibratedDetector(Recorded(), CALIBRATIONS[name])
    pairs = table(0, label)
    detector.fit(pairs, pairs, {"evidence": evidence})
    assert detector.calibration == CALIBRATIONS[name](evidence, label)


def test_float32_evidence_gives_float64_probabilities():
    evidence, label = make_evidence(0)
    probability = fit_calibration(evidence.astype(np.float32), label)(evidence.astype(np.float32))
    assert probability.dtype == np.float64
    assert probability == pytest.approx(fit_calibration(evidence, label)(evidence), abs=1e-4)


def table(evidence, label):
    """A pair table whose left sides name the rows of their evidence."""
    number = np.arange(len(label))
    return PairTable((), number + evidence, number, label, label.astype(np.int8))


class Recorded:
    """Evidence read from the rows; remembers what it was fitted on."""

    def __init__(self):
        self.fitted = []

    def fit(self, train, validation, rows):
        self.fitted.append((train, validation, rows))

    def of(self, pairs, rows):
        assert self.fitted, "asked for evidence before it was fitted"
        return rows["evidence"][pairs.left]


class Counted(Recorded):
    """Counts how often it is asked."""

    def __init__(self):
        super().__init__()
        self.asked = 0

    def of(self, pairs, rows):
        self.asked += 1
        return super().of(pairs, rows)


def test_a_detector_is_calibrated_on_validation_pairs_alone():
    (train, _), (validation, label), (test, _) = (make_evidence(seed, 200) for seed in range(3))
    rows = {"evidence": np.concatenate([train, validation, test])}
    tables = [table(start, label) for start in (0, 200, 400)]
    detector = CalibratedDetector(Recorded())
    detector.fit(tables[0], tables[1], rows)
    assert detector.evidence.fitted == [(tables[0], tables[1], rows)]
    assert detector.calibration == fit_calibration(validation, label)
    np.testing.assert_array_equal(detector.score(tables[2], rows), detector.calibration(test))


def test_evidence_of_the_validation_pairs_is_asked_for_once():
    evidence, label = make_evidence(0, 200)
    detector, pairs = CalibratedDetector(Counted()), table(0, label)
    seen, others = {"evidence": evidence}, {"evidence": -evidence}
    detector.fit(pairs, pairs, seen)
    np.testing.assert_array_equal(detector.score(pairs, seen), detector.calibration(evidence))
    assert detector.evidence.asked == 1
    np.testing.assert_array_equal(detector.score(pairs, others), detector.calibration(-evidence))
    copy = table(0, label)
    np.testing.assert_array_equal(detector.score(copy, seen), detector.calibration(evidence))
    assert detector.evidence.asked == 3


def test_a_detector_that_was_not_fitted_says_so():
    with pytest.raises(RuntimeError, match="fit the detector before it scores"):
        CalibratedDetector(Recorded()).score(table(0, np.array([True])), {})


def test_a_probability_stands_for_the_evidence_that_has_it():
    calibration = Calibration(0.7, -2.0)
    evidence = np.array([-30.0, -1.5, 0.0, 4.0])
    found = [calibration.evidence_at(probability) for probability in calibration(evidence)]
    assert found == pytest.approx(evidence.tolist())
    assert calibration.evidence_at(0) == -np.inf

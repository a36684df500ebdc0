import numpy as np
import pytest
import torch

from seentwice.errors import UserError
from seentwice.models.towers import UNIT_LENGTH, WhitenedTower, build_tower, fit_whitening


@pytest.mark.parametrize("name", sorted(UNIT_LENGTH))
def test_towers_of_unit_length_give_it(name):
    embeddings = build_tower(name, 12, 5, {})(torch.randn(7, 12))
    assert embeddings.shape == (7, 5)
    assert torch.allclose(embeddings.norm(dim=1), torch.ones(7), atol=1e-6)


def features_of(count: int, size: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(size, size, dtype=torch.float64, generator=generator)
    return torch.randn(count, size, dtype=torch.float64, generator=generator) @ mixing


def test_a_small_ridge_gives_nearly_a_multiple_of_the_identity_covariance():
    features = features_of(500, 6)
    mean, projection = fit_whitening(features, 6, power=1.0, ridge=1e-9)
    covariance = np.cov(((features - mean) @ projection).numpy().T)
    assert np.allclose(covariance / covariance[0, 0], np.eye(6), atol=1e-5)


def test_no_power_is_principal_components():
    features = features_of(100, 5)
    mean, projection = fit_whitening(features, 2, power=0.0, ridge=1.0)
    _values, vectors = np.linalg.eigh(np.cov(features.numpy().T))
    largest = vectors[:, ::-1][:, :2]
    assert np.allclose(np.abs(projection.numpy().T @ largest), np.eye(2), atol=1e-9)
    assert torch.allclose(mean, features.mean(dim=0))


@pytest.mark.parametrize(("power", "ridge"), [(1.0, 1.0), (0.5, 0.1), (1.0, 3.0)])
def test_all_dimensions_give_the_inner_products_of_the_damped_covariance(power, ridge):
    """(I + C / lambda)^(-power), lambda the ridge times the mean spanned variance."""
    features = features_of(12, 30)  # 11 spanned dimensions of 30
    _mean, projection = fit_whitening(features, 30, power, ridge)
    covariance = np.cov(features.numpy().T)
    floor = ridge * np.trace(covariance) / 11
    values, vectors = np.linalg.eigh(np.eye(30) + covariance / floor)
    expected = vectors @ np.diag(values**-power) @ vectors.T
    assert np.allclose((projection @ projection.T).numpy(), expected, atol=1e-9)


def test_directions_that_few_photos_do_not_span_keep_their_weight():
    features = torch.zeros(4, 5, dtype=torch.float64)
    features[:, 0] = torch.tensor([1.0, -1.0, 2.0, -2.0])
    _, projection = fit_whitening(features, 5, power=1.0, ridge=1.0)
    lengths = torch.linalg.svdvals(projection)
    assert torch.allclose(lengths[:4], torch.ones(4, dtype=torch.float64))
    assert lengths[4] == pytest.approx(0.5**0.5)


def test_photos_that_all_are_the_same_leave_every_direction_its_weight():
    features = torch.ones(6, 4, dtype=torch.float64)
    mean, projection = fit_whitening(features, 4, power=1.0, ridge=1.0)
    assert torch.equal(mean, torch.ones(4, dtype=torch.float64))
    assert torch.allclose(projection @ projection.T, torch.eye(4, dtype=torch.float64))


def test_a_whitened_tower_starts_from_unit_length_features():
    features = torch.randn(20, 10)
    one, other = WhitenedTower(10, 10), WhitenedTower(10, 10)
    one.start_from(features, power=1.0, ridge=1.0)
    other.start_from(features * torch.rand(20, 1).add(0.1), power=1.0, ridge=1.0)
    assert torch.allclose(one(features), other(features), atol=1e-5)


def test_an_unknown_tower_names_the_choices():
    with pytest.raises(UserError, match="choose one of hardswish, linear, whitened"):
        build_tower("round", 4, 2, {})

import numpy as np
import pytest
import torch

from seentwice.errors import UserError
from seentwice.models.towers import TOWERS, WhitenedTower, build_tower, fit_whitening


@pytest.mark.parametrize("name", sorted(TOWERS))
def test_every_tower_gives_unit_length(name):
    embeddings = build_tower(name, 12, 5)(torch.randn(7, 12))
    assert embeddings.shape == (7, 5)
    assert torch.allclose(embeddings.norm(dim=1), torch.ones(7), atol=1e-6)


def test_full_whitening_gives_the_identity_covariance():
    torch.manual_seed(0)
    features = torch.randn(500, 6, dtype=torch.float64) @ torch.randn(6, 6, dtype=torch.float64)
    mean, projection = fit_whitening(features, 6, power=1.0)
    assert np.allclose(np.cov(((features - mean) @ projection).numpy().T), np.eye(6))


def test_no_whitening_is_principal_components():
    torch.manual_seed(0)
    features = torch.randn(100, 5, dtype=torch.float64)
    mean, projection = fit_whitening(features, 2, power=0.0)
    _values, vectors = np.linalg.eigh(np.cov(features.numpy().T))
    largest = vectors[:, ::-1][:, :2]
    assert np.allclose(np.abs(projection.numpy().T @ largest), np.eye(2), atol=1e-9)
    assert torch.allclose(mean, features.mean(dim=0))


def test_whitening_of_few_photos_fills_the_rest_with_zeros():
    tower = WhitenedTower(10, 8)
    tower.start_from(torch.randn(4, 10), power=0.5)
    assert (tower.projection[:, 3:] == 0).all()
    assert torch.isfinite(tower(torch.randn(3, 10))).all()


def test_an_unknown_tower_names_the_choices():
    with pytest.raises(UserError, match="choose one of linear, whitened"):
        build_tower("round", 4, 2)

import math

import pytest
import torch
from torch.nn import functional as F

from seentwice.models.losses import balanced_cross_entropy, supervised_contrastive


def picked_cross_entropy(logits, label):
    """The classes' means, of those that are there, one after the other."""
    loss = F.binary_cross_entropy_with_logits(logits, label.float(), reduction="none")
    return torch.stack([loss[side].mean() for side in (label, ~label) if side.any()]).mean()


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 1.0])
def test_both_classes_weigh_the_same_and_one_alone_all(share):
    generator = torch.Generator().manual_seed(0)
    label = torch.rand(333, generator=generator) < share
    assert (len(label.unique()) == 2) == (0 < share < 1)
    logits = (5 * torch.randn(333, generator=generator)).requires_grad_()
    found, expected = balanced_cross_entropy(logits, label), picked_cross_entropy(logits, label)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)
    # What trains is the same to the last bit.
    assert torch.equal(*(torch.autograd.grad(loss, logits)[0] for loss in (found, expected)))


def batch(places, size=5, seed=0):
    """Embeddings of views of the given places, and every pair among them."""
    torch.manual_seed(seed)
    place = torch.tensor(places)
    embeddings = F.normalize(torch.randn(len(place), size, dtype=torch.float64), dim=1)
    left, right = torch.triu_indices(len(place), len(place), offset=1)
    return embeddings, left, right, place[left] == place[right]


def slow_loss(embeddings, left, right, label, temperature):
    """Khosla et al. 2020, L_out of equation 2, view by view."""
    partners = {view: {} for view in range(len(embeddings))}
    for a, b, same in zip(left.tolist(), right.tolist(), label.tolist(), strict=True):
        partners[a][b] = partners[b][a] = same
    losses = []
    for view, others in partners.items():
        lift = {
            other: math.exp(float(embeddings[view] @ embeddings[other]) / temperature)
            for other in others
        }
        shares = [lift[o] / sum(lift.values()) for o, same in others.items() if same]
        if shares:
            losses.append(-sum(math.log(share) for share in shares) / len(shares))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("places", [[0, 0, 1, 1], [0, 0, 0, 1, 2, 2], [3, 1, 3, 1, 3, 0, 2]])
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_contrastive_loss_agrees_with_its_definition(places, temperature):
    pairs = batch(places)
    expected = slow_loss(*pairs, temperature)
    assert supervised_contrastive(*pairs, temperature).item() == pytest.approx(expected)


def test_contrastive_loss_counts_listed_pairs_only():
    embeddings, left, right, label = batch([0, 0, 1, 1, 2])
    kept = (left != 0) | (right != 3)
    pairs = (embeddings, left[kept], right[kept], label[kept])
    assert supervised_contrastive(*pairs, 0.2).item() == pytest.approx(slow_loss(*pairs, 0.2))
    assert supervised_contrastive(*pairs, 0.2) < supervised_contrastive(
        embeddings, left, right, label, 0.2
    )


def test_contrastive_loss_does_not_care_for_sides_or_order():
    embeddings, left, right, label = batch([0, 0, 1, 1, 1])
    order = torch.randperm(len(left))
    swapped = supervised_contrastive(embeddings, right[order], left[order], label[order], 0.2)
    assert swapped.item() == pytest.approx(
        supervised_contrastive(embeddings, left, right, label, 0.2).item()
    )


def test_contrastive_loss_of_equal_embeddings_is_that_of_a_guess():
    _, left, right, label = batch([0, 0, 1, 1])
    same = torch.ones(4, 2) / 2**0.5
    assert supervised_contrastive(same, left, right, label, 0.1).item() == pytest.approx(
        math.log(3), abs=1e-5
    )


def test_contrastive_loss_without_positives_is_zero_and_has_a_gradient():
    embeddings, left, right, label = batch([0, 1, 2])
    embeddings.requires_grad_()
    loss = supervised_contrastive(embeddings, left, right, label, 0.1)
    loss.backward()
    assert loss.item() == 0
    assert not embeddings.grad.any()


def test_contrastive_gradient_is_that_of_finite_differences():
    embeddings, left, right, label = batch([0, 0, 1, 2, 2])  # one view is no anchor
    embeddings.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda rows: supervised_contrastive(rows, left, right, label, 0.5), embeddings
    )

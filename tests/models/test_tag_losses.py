"""Losses against a slow sum over photos: what is not known counts nothing."""

import math

import pytest
import torch

from seentwice.models.tag_losses import balanced_weights, masked_cross_entropy, tag_loss

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.0, 0.0], [-3.0, 1.0, 4.0], [1.0, 2.0, 3.0]])
WEIGHT = torch.tensor([0.5, 2.0, 1.0])


def slow(logits: torch.Tensor, label: list[int], weight: torch.Tensor) -> float:
    losses, weights = 0.0, 0.0
    for row, number in zip(logits.tolist(), label, strict=True):
        if number >= 0:
            own = float(weight[number])
            losses += own * (math.log(sum(map(math.exp, row))) - row[number])
            weights += own
    return losses / weights if weights else 0.0


@pytest.mark.parametrize("label", [[0, 1, 2, 2], [0, -1, -1, 1], [-1, -1, -1, -1]])
def test_the_mean_is_over_known_labels_by_their_weight(label: list[int]) -> None:
    found = masked_cross_entropy(LOGITS, torch.tensor(label), WEIGHT)
    assert float(found) == pytest.approx(slow(LOGITS, label, WEIGHT), rel=1e-5)


def test_photos_without_a_label_pull_at_nothing() -> None:
    logits = LOGITS.clone().requires_grad_()
    masked_cross_entropy(logits, torch.tensor([1, -1, 2, -1]), WEIGHT).backward()
    assert logits.grad is not None
    assert logits.grad[[1, 3]].eq(0).all()
    assert logits.grad[[0, 2]].ne(0).all()
    alone = LOGITS.clone().requires_grad_()
    masked_cross_entropy(alone, torch.full((4,), -1), WEIGHT).backward()
    assert alone.grad is not None
    assert alone.grad.eq(0).all()


def test_heads_count_alike() -> None:
    label = torch.tensor([[0, 1], [2, -1], [1, 0], [-1, 1]])
    other = LOGITS[:, :2]
    found = tag_loss([LOGITS, other], label, [WEIGHT, WEIGHT[:2]])
    expected = slow(LOGITS, [0, 2, 1, -1], WEIGHT) + slow(other, [1, -1, 0, 1], WEIGHT[:2])
    assert float(found) == pytest.approx(expected / 2, rel=1e-5)


def test_balanced_weights_give_every_label_the_same_share() -> None:
    counts = torch.tensor([10, 30, 0, 20])
    weights = balanced_weights(counts)
    assert (weights * counts).tolist() == pytest.approx([20, 20, 0, 20])
    assert weights[2] == 0
    assert balanced_weights(torch.tensor([0, 0])).tolist() == [0, 0]

import math

import hypothesis
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from seentwice.errors import UserError
from seentwice.models.backbones import build_trunk
from seentwice.models.embedding_heads import EMBEDDING_HEADS
from seentwice.models.heads import HEADS, TWO_SPACES, L1Head, L2Head, build_head
from seentwice.models.losses import PAIR_LOSSES, balanced_cross_entropy
from seentwice.models.nets import Architecture, build_siamese, pair_logits


@pytest.mark.parametrize("trained_blocks", [0, "all"], ids=["features", "pixels"])
@pytest.mark.parametrize("name", sorted(HEADS.keys() - EMBEDDING_HEADS.keys()))
def test_every_head_overfits_one_batch_in_a_whole_net(name, trained_blocks):
    """Labels that no similarity tells: only a net that learns in all its parts gets them right."""
    torch.manual_seed(0)
    trunk = build_trunk("compact", "none", "average", trained_blocks, "eval", seed=0)
    architecture = Architecture(
        "compact", "average", trained_blocks, "eval", "linear", 32, name, {}
    )
    net = build_siamese(architecture, trunk, seed=0)
    looks = torch.randint(256, (16, 3, 32, 32), dtype=torch.uint8)
    inputs = looks if trained_blocks == "all" else torch.randn(16, trunk.feature_size)
    left, right = torch.arange(16).reshape(2, 8)
    label = torch.arange(8) % 2 == 0

    def measure() -> float:
        return balanced_cross_entropy(pair_logits(net, inputs, left, right), label).item()

    assert measure() > 0.5
    before = {key: value.clone() for key, value in net.named_parameters()}
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    net.train()
    for _ in range(80):
        optimizer.zero_grad()
        balanced_cross_entropy(net(inputs, left, right), label).backward()
        optimizer.step()
    assert measure() < 0.02
    assert all(not torch.equal(value, before[key]) for key, value in net.named_parameters())


SYMMETRIC = [(name, {}) for name in HEADS if name not in TWO_SPACES] + [
    ("concat", {"symmetric": True}),
    ("concat", {"symmetric": True, "cosine_start": True}),
]


@pytest.mark.parametrize(("name", "settings"), SYMMETRIC, ids=str)
@given(st.integers(0, 10**6), st.integers(1, 40), st.floats(1e-3, 1e3))
@hypothesis.settings(max_examples=10, deadline=None)
def test_symmetric_heads_give_both_orders_the_very_same_logit(name, settings, seed, count, scale):
    torch.manual_seed(seed)
    head = build_head(name, 8, settings).eval()
    left, right = scale * torch.randn(2, count, 8)
    assert torch.equal(head(left, right), head(right, left))


def test_a_concatenation_is_not_symmetric_unless_it_is_told_to_be():
    torch.manual_seed(0)
    left, right = torch.randn(2, 5, 8)
    plain = build_head("concat", 8, {}).eval()
    told = build_head("concat", 8, {"symmetric": True}).eval()
    told.load_state_dict(plain.state_dict())
    assert not torch.allclose(plain(left, right), plain(right, left))
    torch.testing.assert_close(told(left, right), (plain(left, right) + plain(right, left)) / 2)


def test_a_weighted_l1_head_by_hand():
    head = build_head("weighted_l1", 2, {})
    with torch.no_grad():
        head.weight.weight.copy_(torch.tensor([[2.0, -3.0]]))
        head.weight.bias.copy_(torch.tensor([0.25]))
    logits = head(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.5, 4.0]]))
    assert logits.tolist() == [2 * 0.5 - 3 * 2.0 + 0.25]


def test_a_product_head_without_hidden_layers_by_hand():
    head = build_head("product", 2, {"hidden": []})
    with torch.no_grad():
        head.layers[0].weight.copy_(torch.tensor([[1.0, 10.0, 100.0, 1000.0]]))
        head.layers[0].bias.copy_(torch.tensor([0.5]))
    logits = head(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, -1.0]]))
    assert logits.tolist() == [1 * 2 + 10 * 3 + 100 * 3 - 1000 * 2 + 0.5]


@pytest.mark.parametrize("symmetric", [False, True])
def test_a_concatenation_that_starts_at_the_cosine_starts_as_an_l2_head(symmetric):
    left, right = F.normalize(torch.randn(2, 50, 8, dtype=torch.float64), dim=2)
    settings = {"cosine_start": True, "symmetric": symmetric}
    head = build_head("concat", 8, settings).double().eval()
    torch.testing.assert_close(
        head(left, right), L2Head(8).double()(left, right), atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("name", ["concat", "product"])
def test_each_hidden_layer_can_have_its_own_dropout(name):
    head = build_head(name, 8, {"hidden": [6, 5, 4], "dropout": [0.1, 0.2, 0]})
    rates = [layer.p for layer in head.layers if isinstance(layer, nn.Dropout)]
    assert rates == [0.1, 0.2, 0]
    with pytest.raises(UserError, match=rf"head\.{name}\.dropout=\[0.1\]: hidden has 2 layers"):
        build_head(name, 8, {"hidden": [6, 5], "dropout": [0.1]})


def test_an_untrained_l2_head_ranks_as_the_cosine():
    left, right = F.normalize(torch.randn(2, 50, 8, dtype=torch.float64), dim=2)
    logits = L2Head(8).double()(left, right)
    cosine = (left * right).sum(dim=1)
    # |a - b|² = 2 - 2 cos on unit vectors
    assert torch.allclose(logits, 10 - 10 * (2 - 2 * cosine), atol=1e-5)


@pytest.mark.parametrize("name", sorted(EMBEDDING_HEADS))
def test_a_head_that_learns_nothing_stays_where_l2_starts(name):
    left, right = F.normalize(torch.randn(2, 50, 8), dim=2)
    head = build_head(name, 8, {})
    torch.testing.assert_close(head(left, right), L2Head(8)(left, right), rtol=0, atol=1e-5)
    assert not list(head.state_dict())


def test_a_logit_stands_for_a_distance():
    head = build_head("triplet", 8, {})
    left, right = F.normalize(torch.randn(2, 20, 8, dtype=torch.float64), dim=2)
    found = [head.distance_at(logit) for logit in head(left, right).tolist()]
    assert found == pytest.approx((left - right).norm(dim=1).tolist())
    assert head.distance_at(10.5) == 0  # no embeddings are so near
    assert head.distance_at(-math.inf) == 2  # nor any so far


def test_an_untrained_l1_head_by_hand():
    logits = L1Head(2, start_scale=3.0)(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.5, 4.0]]))
    weight = 3 * (math.pi / 2) ** 0.5
    assert logits.item() == pytest.approx(3 - weight * (0.5 + 2.0), abs=1e-5)


@pytest.mark.parametrize("name", ["l1", "l2"])
def test_unrelated_embeddings_start_as_far_below_zero_as_equal_ones_above(name):
    torch.manual_seed(0)
    left, right = F.normalize(torch.randn(2, 500, 128), dim=2)
    head = build_head(name, 128, {"start_scale": 5.0})
    assert torch.allclose(head(left, left), torch.tensor(5.0))
    assert head(left, right).mean().item() == pytest.approx(-5, abs=0.1)


def test_an_unknown_head_names_the_choices():
    with pytest.raises(
        UserError,
        match="choose one of concat, contrastive, infonce, l1, l2, product, samespace, triplet",
    ):
        build_head("l3", 8, {})


def test_an_unknown_setting_names_the_choices():
    with pytest.raises(UserError, match=r"head\.concat\.width: no such setting.*hidden, dropout"):
        build_head("concat", 8, {"width": 3})


def test_balanced_cross_entropy_by_hand():
    logits = torch.tensor([0.0, 0.0, 0.0, 2.0])
    label = torch.tensor([True, False, False, False])
    positive = torch.log(torch.tensor(2.0))
    negative = (2 * torch.log(torch.tensor(2.0)) + torch.log1p(torch.exp(torch.tensor(2.0)))) / 3
    assert balanced_cross_entropy(logits, label) == pytest.approx(float(positive + negative) / 2)


def test_balanced_cross_entropy_of_one_class_is_its_mean():
    logits = torch.tensor([1.0, -1.0])
    expected = F.binary_cross_entropy_with_logits(logits, torch.zeros(2))
    assert balanced_cross_entropy(logits, torch.tensor([False, False])) == pytest.approx(expected)


@pytest.mark.parametrize("name", sorted(PAIR_LOSSES))
def test_every_pair_loss_of_a_balanced_batch_is_the_mean(name):
    torch.manual_seed(0)
    logits, label = torch.randn(10, dtype=torch.float64), torch.arange(10) % 2 == 0
    p = logits.sigmoid()
    slow = -torch.where(label, p, 1 - p).log().sum() / 10
    assert PAIR_LOSSES[name](logits, label).item() == pytest.approx(slow.item(), abs=1e-7)


def test_the_mean_loss_weighs_each_pair_alike():
    logits = torch.tensor([0.0, 0.0, 0.0, 2.0])
    label = torch.tensor([True, False, False, False])
    expected = (3 * math.log(2) + math.log1p(math.exp(2))) / 4
    assert PAIR_LOSSES["mean"](logits, label).item() == pytest.approx(expected)

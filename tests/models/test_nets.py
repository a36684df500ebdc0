import pytest
import torch
from plain_stages import embed_looks
from torch import nn

from seentwice.errors import UserError
from seentwice.models.backbones import build_trunk
from seentwice.models.embedding_heads import EMBEDDING_HEADS
from seentwice.models.heads import HEADS, build_head
from seentwice.models.nets import (
    Architecture,
    SiameseNet,
    SidedHead,
    build_siamese,
    pair_logits,
)
from seentwice.models.towers import TOWERS


def architecture(**changes):
    chosen = {
        "backbone": "compact",
        "pooling": "average",
        "trained_blocks": 0,
        "frozen_batchnorm": "eval",
        "tower": "linear",
        "embedding_size": 8,
        "head": "l2",
        "head_settings": {},
    }
    return Architecture(**(chosen | changes))


def make_trunk(trained_blocks=0):
    return build_trunk("compact", "none", "average", trained_blocks, "eval", seed=0)


@pytest.fixture
def trunk():
    return make_trunk()


def make_pairs(views=30, count=100):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(views, (2, count), generator=generator)


def looks(count):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, (count, 3, 32, 48), dtype=torch.uint8, generator=generator)


class Counted(nn.Module):
    """A tower that remembers which rows it was given; row i holds i."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, inputs):
        self.seen.append(inputs[:, 0].tolist())
        return inputs


@pytest.mark.parametrize("head", sorted(HEADS))
@pytest.mark.parametrize("block", [1, 7, 30, 256])
def test_blocks_equal_one_pass(trunk, head, block):
    net = build_siamese(architecture(head=head), trunk, seed=0)
    inputs = torch.randn(30, trunk.feature_size)
    left, right = make_pairs(count=500)  # 64 blocks of pairs at block 1
    net.eval()
    with torch.no_grad():
        expected = net(inputs, left, right)
        one_at_a_time = torch.stack(
            [
                net.head(net.embed(inputs[a][None]), net.embed(inputs[b][None]))[0]
                for a, b in zip(left[:20], right[:20], strict=True)
            ]
        )
    logits = pair_logits(net, inputs, left, right, block)
    assert logits.shape == (500,)
    torch.testing.assert_close(logits, expected)
    torch.testing.assert_close(logits[:20], one_at_a_time)


def test_each_view_passes_the_tower_of_a_side_once():
    one, other = Counted(), Counted()
    head = SidedHead(one, other, build_head("l1", 2, {}))
    net = SiameseNet(nn.Identity(), head, nn.Sequential(), None)
    left, right = torch.tensor([9, 2, 2, 5, 9]), torch.tensor([2, 9, 5, 5, 0])
    pair_logits(net, torch.arange(12.0).repeat(2, 1).T, left, right, 4)
    assert [sorted(row for rows in tower.seen for row in rows) for tower in (one, other)] == [
        [2, 5, 9],
        [0, 2, 5, 9],
    ]


@pytest.mark.parametrize("head", sorted(HEADS))
def test_towers_that_are_not_shared_see_their_own_side(trunk, head):
    net = build_siamese(architecture(head=head, shared_towers=False), trunk, seed=0).eval()
    one, other = net.towers
    rows = torch.randn(30, trunk.feature_size)
    left, right = make_pairs()
    expected = net.head.head(one(rows)[left], other(rows)[right])
    torch.testing.assert_close(pair_logits(net, rows, left, right, 7), expected)
    assert not torch.allclose(one(rows), other(rows))
    assert not torch.allclose(net(rows, right, left), expected)


def test_pixels_in_blocks_equal_one_pass():
    net = build_siamese(architecture(trained_blocks="all"), make_trunk("all"), seed=0)
    left, right = make_pairs(views=5, count=20)
    net.eval()
    with torch.no_grad():
        expected = net(looks(5), left, right)
    for block in (3, 256):
        torch.testing.assert_close(
            pair_logits(net, looks(5), left, right, block), expected, rtol=1e-4, atol=1e-4
        )


@pytest.mark.parametrize("block", [1, 4, 256])
def test_each_named_view_is_embedded_once(block):
    tower = Counted()
    net = SiameseNet(tower, build_head("l1", 2, {}), nn.Sequential(), None)
    left, right = torch.tensor([9, 2, 2, 5, 9]), torch.tensor([2, 9, 5, 5, 0])
    pair_logits(net, torch.arange(12.0).repeat(2, 1).T, left, right, block)
    assert sorted(row for rows in tower.seen for row in rows) == [0, 2, 5, 9]
    assert max(map(len, tower.seen)) <= block


def test_scoring_switches_dropout_and_batch_statistics_off():
    chosen = architecture(trained_blocks="all", head="concat")
    net = build_siamese(chosen, make_trunk("all"), seed=0).train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    left, right = make_pairs(views=4, count=10)
    first, second = (pair_logits(net, looks(4), left, right) for _ in range(2))
    assert torch.equal(first, second)
    assert not first.requires_grad
    assert not net.training
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


@pytest.mark.parametrize("tower", sorted(TOWERS))
@pytest.mark.parametrize("head", sorted(HEADS))
def test_the_seed_decides_fresh_weights_and_leaves_torchs_own_alone(trunk, tower, head):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    nets = [build_siamese(architecture(tower=tower, head=head), trunk, s) for s in (0, 0, 1)]
    assert torch.equal(torch.get_rng_state(), before)
    states = [torch.cat([t.flatten() for t in net.state_dict().values()]) for net in nets]
    assert torch.equal(states[0], states[1])
    starts_at_random = tower != "whitened" or head not in ("l1", "l2", *EMBEDDING_HEADS)
    assert torch.equal(states[0], states[2]) != starts_at_random


def test_seed_0_is_a_seed(trunk):
    def build():
        return build_siamese(architecture(), trunk, 0).state_dict()["tower.projection.weight"]

    torch.manual_seed(1)
    first = build()
    torch.manual_seed(2)
    assert torch.equal(build(), first)


@pytest.mark.parametrize(("trained_blocks", "parts"), [(0, 0), (1, 2), (5, 6), ("all", 7)])
def test_the_stages_after_the_cut_are_a_part_of_the_net(trained_blocks, parts):
    trunk = make_trunk(trained_blocks)
    net = build_siamese(architecture(trained_blocks=trained_blocks), trunk, 0)
    assert list(net.trunk) == list(trunk.stages)[7 - parts :]
    assert (net.preprocessing is None) == (trained_blocks != "all")
    assert all(parameter.requires_grad for parameter in net.parameters())


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_rows_of_another_type_are_taken_as_the_nets_own(trunk, dtype):
    net = build_siamese(architecture(), trunk, 0).eval()
    rows = torch.randn(4, trunk.feature_size).to(dtype)
    assert torch.equal(net.embed(rows), net.embed(rows.float()))


@pytest.mark.parametrize("head", sorted(HEADS))
@pytest.mark.parametrize("tower", sorted(TOWERS))
@pytest.mark.parametrize("trained_blocks", [0, 2, "all"])
def test_every_parameter_of_a_net_gets_a_gradient(tower, head, trained_blocks):
    chosen = architecture(tower=tower, head=head, trained_blocks=trained_blocks)
    trunk = make_trunk(trained_blocks)
    net = build_siamese(chosen, trunk, 0)
    inputs = looks(4)
    if trunk.cut:
        inputs = embed_looks(trunk.frozen, trunk.preprocessing, inputs).clone()
    net(inputs, torch.tensor([0, 1, 2]), torch.tensor([1, 2, 3])).sum().backward()
    silent = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tower": "high"}, "choose one of hardswish, linear, whitened"),
        ({"head": "l3"}, "choose one of concat, contrastive, infonce, l1, l2"),
        ({"head_settings": {"width": 3}}, r"head\.l2\.width: no such setting; l2 takes start_sc"),
    ],
)
def test_wrong_names_name_the_choices(trunk, changes, message):
    with pytest.raises(UserError, match=message):
        build_siamese(architecture(**changes), trunk, 0)

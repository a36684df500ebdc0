import pytest
import torch
from torch import nn

from seentwice.errors import UserError
from seentwice.models.backbones import build_trunk
from seentwice.models.heads import HEADS, build_head
from seentwice.models.nets import Architecture, SiameseNet, build_siamese, pair_logits
from seentwice.models.towers import TOWERS, build_tower


def architecture(**changes):
    chosen = {
        "backbone": "compact",
        "pooling": "average",
        "trunk_trains": False,
        "tower": "linear",
        "embedding_size": 8,
        "head": "l2",
        "head_settings": {},
    }
    return Architecture(**(chosen | changes))


@pytest.fixture
def trunk():
    return build_trunk("compact", "none", "average", seed=0)


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


def test_pixels_in_blocks_equal_one_pass(trunk):
    net = build_siamese(architecture(trunk_trains=True), trunk, seed=0)
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
    net = SiameseNet(tower, build_head("l1", 2, {}))
    left, right = torch.tensor([9, 2, 2, 5, 9]), torch.tensor([2, 9, 5, 5, 0])
    pair_logits(net, torch.arange(12.0).repeat(2, 1).T, left, right, block)
    assert sorted(row for rows in tower.seen for row in rows) == [0, 2, 5, 9]
    assert max(map(len, tower.seen)) <= block


def test_scoring_switches_dropout_and_batch_statistics_off(trunk):
    net = build_siamese(architecture(trunk_trains=True, head="concat"), trunk, seed=0).train()
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
    starts_at_random = tower == "linear" or head == "concat"
    assert torch.equal(states[0], states[2]) != starts_at_random


def test_seed_0_is_a_seed(trunk):
    def build():
        return build_siamese(architecture(), trunk, 0).state_dict()["tower.projection.weight"]

    torch.manual_seed(1)
    first = build()
    torch.manual_seed(2)
    assert torch.equal(build(), first)


def test_the_trunk_is_a_part_of_the_net_only_where_it_trains(trunk):
    frozen = build_siamese(architecture(), trunk, 0)
    assert frozen.trunk is None
    assert not [name for name in frozen.state_dict() if name.startswith("trunk.")]
    training = build_siamese(architecture(trunk_trains=True), trunk, 0)
    assert training.trunk is trunk.module
    assert any(parameter.requires_grad for parameter in training.trunk.parameters())


@pytest.mark.parametrize("head", sorted(HEADS))
@pytest.mark.parametrize("tower", sorted(TOWERS))
@pytest.mark.parametrize("trunk_trains", [False, True])
def test_every_parameter_of_a_net_gets_a_gradient(trunk, tower, head, trunk_trains):
    net = build_siamese(architecture(tower=tower, head=head, trunk_trains=trunk_trains), trunk, 0)
    inputs = looks(4) if trunk_trains else torch.randn(4, trunk.feature_size)
    net(inputs, torch.tensor([0, 1, 2]), torch.tensor([1, 2, 3])).sum().backward()
    silent = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []


def test_a_trunk_needs_its_preprocessing(trunk):
    tower, head = build_tower("linear", 128, 8), build_head("l2", 8, {})
    for halves in ((trunk.module, None), (None, trunk.preprocessing)):
        with pytest.raises(ValueError, match="a trunk needs its preprocessing"):
            SiameseNet(tower, head, *halves)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tower": "high"}, "choose one of linear, whitened"),
        ({"head": "l3"}, "choose one of concat, l1, l2"),
        ({"head_settings": {"width": 3}}, r"head\.l2\.width: no such setting; l2 takes start_sc"),
    ],
)
def test_wrong_names_name_the_choices(trunk, changes, message):
    with pytest.raises(UserError, match=message):
        build_siamese(architecture(**changes), trunk, 0)

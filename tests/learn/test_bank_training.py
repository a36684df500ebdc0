"""Training from the bank is training from photos: the same losses, the same weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from seentwice.bank.bank import open_bank
from seentwice.bank.recipe import Recipe, row_keys
from seentwice.detectors.trunk import TrunkDescriptor
from seentwice.models.backbones import build_trunk
from seentwice.models.losses import balanced_cross_entropy
from seentwice.models.nets import Architecture, build_siamese
from seentwice.models.trunk import find_cut, freeze

VIEWS, STEPS = 24, 20


def looks():
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, (VIEWS, 3, 72, 96), dtype=torch.uint8, generator=generator)


def make_trunk(trained_blocks, dtype, backbone="compact"):
    """A trunk, for photos of the size of `looks`, whose BatchNorm has seen these."""
    trunk = build_trunk(backbone, "none", "average", "all", "eval", seed=0)
    trunk.stages.to(dtype)
    for module in trunk.stages.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean of what it saw
    with torch.no_grad():
        trunk.stages(trunk.preprocessing.normalise(looks()).to(dtype))
    freeze(trunk.stages, trained_blocks, "eval")
    preprocessing = replace(trunk.preprocessing, height_px=72, width_px=96)
    return replace(trunk, cut=find_cut(trunk.stages), preprocessing=preprocessing)


def plain_rows(trunk, dtype, batch):
    """What the frozen stages give, as torch has them."""
    with torch.inference_mode():
        photos = trunk.preprocessing.normalise(looks()).to(dtype)
        return torch.cat([trunk.frozen(part) for part in photos.split(batch)]).numpy()


def bank_rows(trunk, dtype, tmp_path):
    """What the bank gives back: in float32 of what fills it, which knows no float64."""
    if dtype == torch.float32:
        descriptor = TrunkDescriptor(trunk, "float32")
        recipe, rows = descriptor.recipe, descriptor.finish(looks().numpy())
    else:
        rows = plain_rows(trunk, dtype, 13)
        recipe = Recipe("rows", (), rows.shape[1:], rows.dtype.name)
    keys = row_keys([bytes([n]) * 32 for n in range(VIEWS)], [""] * VIEWS)
    bank = open_bank(tmp_path, 1)
    with bank.alone([recipe], lambda: None), bank.begin_segment(recipe, "noise") as writer:
        writer.append(keys, rows)
    return torch.from_numpy(bank.open(recipe).take(keys))


def train(net, make_optimizer, inputs_of):
    """Take `STEPS` steps on pairs that the seed draws; return the losses."""
    generator = np.random.default_rng(5)
    optimizer = make_optimizer([p for p in net.parameters() if p.requires_grad])
    losses = []
    for _ in range(STEPS):
        left, right = torch.from_numpy(generator.integers(VIEWS, size=(2, 16)))
        label = torch.from_numpy(generator.random(16) < 0.5)
        optimizer.zero_grad()
        inputs, sides = inputs_of(left, right)
        loss = balanced_cross_entropy(net(inputs, *sides), label)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def train_both(trained_blocks, head, dtype, make_optimizer, tmp_path):
    """Train one net from the bank, and one that passes both photos of each pair through all."""
    settings = {"dropout": 0.0} if head == "concat" else {}
    architecture = Architecture(
        "compact", "average", trained_blocks, "eval", "linear", 16, head, settings
    )
    results = []
    for from_bank in (True, False):
        trunk = make_trunk(trained_blocks, dtype)
        net = build_siamese(architecture, trunk, seed=3).to(dtype).train()
        rows = bank_rows(trunk, dtype, tmp_path / str(from_bank))

        def inputs_from_bank(left, right, rows=rows):
            # Not each view once: BatchNorm that trains must see the same batch.
            return rows[torch.cat([left, right])], (torch.arange(16), torch.arange(16, 32))

        def inputs_from_photos(left, right, trunk=trunk):
            both = trunk.preprocessing.normalise(looks()[torch.cat([left, right])]).to(dtype)
            assert find_cut(trunk.stages) == len(trunk.frozen)
            with torch.no_grad():
                inputs = trunk.frozen(both)
            return inputs, (torch.arange(16), torch.arange(16, 32))

        losses = train(net, make_optimizer, inputs_from_bank if from_bank else inputs_from_photos)
        results.append((losses, net.state_dict()))
    return results


@pytest.mark.parametrize("trained_blocks", [0, 1])
@pytest.mark.parametrize("head", ["l1", "l2", "concat"])
def test_weights_are_equal_in_float64(tmp_path, head, trained_blocks):
    (_, banked), (_, photos) = train_both(
        trained_blocks, head, torch.float64, lambda p: torch.optim.SGD(p, lr=0.05), tmp_path
    )
    start = build_siamese(
        Architecture("compact", "average", trained_blocks, "eval", "linear", 16, head, {}),
        make_trunk(trained_blocks, torch.float64),
        seed=3,
    ).state_dict()
    assert any(name.startswith("trunk.") for name in banked) == bool(trained_blocks)
    for name, tensor in banked.items():
        torch.testing.assert_close(tensor, photos[name], rtol=0, atol=1e-9)
        assert not torch.equal(tensor.double(), start[name].double()), f"{name} did not train"


@pytest.mark.parametrize("trained_blocks", [0, 1])
@pytest.mark.parametrize("head", ["l1", "l2", "concat"])
def test_losses_are_equal_in_float32(tmp_path, head, trained_blocks):
    def rmsprop(parameters):
        return torch.optim.RMSprop(parameters, lr=1e-3, alpha=0.9)

    (banked, _), (photos, _) = train_both(trained_blocks, head, torch.float32, rmsprop, tmp_path)
    # RMSprop's quotients of small numbers enlarge rounding, on some processors to 1.5e-3.
    np.testing.assert_allclose(banked, photos, rtol=3e-3)


def test_rows_of_mobilenet_are_those_of_the_plain_trunk_in_other_batches(tmp_path):
    trunk = make_trunk(0, torch.float32, "mobilenet_v3_large")
    rows = bank_rows(trunk, torch.float32, tmp_path).numpy()
    expected = plain_rows(trunk, torch.float32, 7)
    apart = np.linalg.norm(expected - np.roll(expected, 1, axis=0), axis=1)
    length = np.linalg.norm(expected, axis=1)
    assert (apart > 0.01 * length).all()  # photos differ
    assert (np.linalg.norm(rows - expected, axis=1) < 1e-5 * length).all()


def test_float16_rows_move_the_losses_little(tmp_path):
    """The figure on real features is that of benchmarks/feature_bank.py; this finds a blunder."""
    architecture = Architecture("compact", "average", 0, "eval", "linear", 16, "l2", {})
    trunk = make_trunk(0, torch.float32)
    rows = bank_rows(trunk, torch.float32, tmp_path)
    losses = [
        train(
            build_siamese(architecture, trunk, seed=3).train(),
            lambda p: torch.optim.SGD(p, lr=0.05),
            lambda left, right, kept=kept: (kept, (left, right)),
        )
        for kept in (rows, rows.half())
    ]
    np.testing.assert_allclose(*losses, rtol=5e-3)
    assert losses[0] != losses[1]

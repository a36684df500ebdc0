"""Losses on embeddings against their definitions, triplet by triplet and view by view."""

import math
from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from seentwice.models.embedding_losses import contrastive, nearest_entropy, triplet
from seentwice.models.losses import supervised_contrastive

MINING = ("semi_hard", "batch_hard", "all")
LOSSES = {
    **{name: lambda *pairs, name=name: triplet(*pairs, 0.3, name) for name in MINING},
    "contrastive": lambda *pairs: contrastive(*pairs, 1.0),
    "nearest_entropy": nearest_entropy,
    "supervised_contrastive": lambda *pairs: supervised_contrastive(*pairs, 0.2),
}


def batch(places, kept=None, size=3, seed=0, spread=1.0):
    """Embeddings of views of the given places in float64, and the kept ones of all pairs."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(len(places), size, dtype=torch.float64, generator=generator)
    place = torch.tensor(places)
    left, right = torch.triu_indices(len(place), len(place), offset=1)
    if kept is not None:
        left, right = left[kept], right[kept]
    rows = F.normalize(rows * spread + torch.eye(size)[0], dim=1)
    return rows, left, right, place[left] == place[right]


@st.composite
def batches(draw):
    places = draw(st.lists(st.integers(0, 3), min_size=2, max_size=9))
    pairs = math.comb(len(places), 2)
    kept = torch.tensor(draw(st.lists(st.booleans(), min_size=pairs, max_size=pairs)))
    seed, spread = draw(st.integers(0, 2**31)), draw(st.sampled_from([0.05, 1.0]))
    return batch(places, kept, seed=seed, spread=spread)


def slow_partners(embeddings, left, right, label):
    """Return distance, positives and negatives of each view, as lists and sets."""
    rows = embeddings.tolist()
    distance = [[math.dist(one, other) for other in rows] for one in rows]
    positives, negatives = ([set() for _ in rows] for _ in range(2))
    for a, b, same in zip(left.tolist(), right.tolist(), label.tolist(), strict=True):
        partners = positives if same else negatives
        partners[a].add(b)
        partners[b].add(a)
    return distance, positives, negatives


def slow_triplet(pairs, margin, mining):
    distance, positives, negatives = slow_partners(*pairs)
    losses = []
    for d, same, other in zip(distance, positives, negatives, strict=True):
        if not same or not other:
            continue
        if mining == "batch_hard":
            losses.append(max(0, max(d[p] for p in same) - min(d[n] for n in other) + margin))
        for p in same:
            if mining == "semi_hard":
                farther = [d[n] for n in other if d[n] > d[p]]
                negative = min(farther) if farther else max(d[n] for n in other)
                losses.append(max(0, d[p] - negative + margin))
            elif mining == "all":
                losses += [loss for n in other if (loss := d[p] - d[n] + margin) > 0]
    return sum(losses) / len(losses) if losses else 0


@settings(max_examples=60, deadline=None)
@given(batches(), st.sampled_from(MINING), st.sampled_from([0.05, 0.5, 2.0]))
def test_triplet_loss_agrees_with_its_definition(pairs, mining, margin):
    expected = slow_triplet(pairs, margin, mining)
    assert triplet(*pairs, margin, mining).item() == pytest.approx(expected, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(batches(), st.sampled_from([0.1, 1.0]))
def test_contrastive_loss_agrees_with_its_definition(pairs, margin):
    rows, left, right, label = pairs
    expected = []
    for a, b, same in zip(left.tolist(), right.tolist(), label.tolist(), strict=True):
        d = math.dist(rows[a].tolist(), rows[b].tolist())
        expected.append(d**2 / 2 if same else max(0, margin - d) ** 2 / 2)
    mean = sum(expected) / len(expected) if expected else 0
    assert contrastive(*pairs, margin).item() == pytest.approx(mean, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(batches())
def test_the_entropy_term_agrees_with_its_definition(pairs):
    distance, _, negatives = slow_partners(*pairs)
    logs = [
        math.log(min(d[n] for n in other))
        for d, other in zip(distance, negatives, strict=True)
        if other
    ]
    expected = -sum(logs) / len(logs) if logs else 0
    assert nearest_entropy(*pairs).item() == pytest.approx(expected, abs=1e-6)


def on_a_circle(*degrees):
    angle = torch.tensor(degrees, dtype=torch.float64).deg2rad()
    return torch.stack([angle.cos(), angle.sin()], dim=1)


def chord(degrees):
    return 2 * math.sin(math.radians(degrees) / 2)


def test_mining_by_hand():
    """One anchor that counts: its positive is at 40°, its negatives at 30°, 50° and 90°."""
    rows = on_a_circle(0, 40, -30, -50, -90)
    left, right = torch.tensor([[0, 0, 0, 0], [1, 2, 3, 4]])
    label = torch.tensor([True, False, False, False])
    pairs = (rows, left, right, label)
    semi_hard = chord(40) - chord(50) + 0.3
    batch_hard = chord(40) - chord(30) + 0.3
    assert triplet(*pairs, 0.3, "semi_hard").item() == pytest.approx(semi_hard)
    assert triplet(*pairs, 0.3, "batch_hard").item() == pytest.approx(batch_hard)
    # The one at 90° is far enough.
    every = (semi_hard + batch_hard) / 2
    assert triplet(*pairs, 0.3, "all").item() == pytest.approx(every)


def test_without_a_farther_negative_the_farthest_is_taken():
    pairs = (on_a_circle(0, 40, -10, -20), torch.tensor([0, 0, 0]), torch.tensor([1, 2, 3]))
    loss = triplet(*pairs, torch.tensor([True, False, False]), 0.3, "semi_hard")
    assert loss.item() == pytest.approx(chord(40) - chord(20) + 0.3)


@pytest.mark.parametrize("name", LOSSES)
def test_pairs_that_are_not_listed_leave_each_other_alone(name):
    """Views 0 and 3 share a zone: where 3 is, is nothing to 0."""
    every = list(combinations(range(4), 2))
    kept = torch.tensor([pair != (0, 3) for pair in every])
    rows, left, right, label = batch([0, 0, 1, 2], kept)
    rows.requires_grad_()
    positive_or_negative = torch.zeros(4, 4)
    for anchor in range(4):
        listed = ((left == anchor) | (right == anchor)).nonzero().squeeze(1)
        (slope,) = torch.autograd.grad(
            LOSSES[name](rows, left[listed], right[listed], label[listed]), rows
        )
        positive_or_negative[anchor] = slope.abs().sum(dim=1)
    assert positive_or_negative[0, 3] == positive_or_negative[3, 0] == 0


@pytest.mark.parametrize("name", LOSSES)
def test_losses_do_not_care_for_sides_or_order(name):
    rows, left, right, label = batch([0, 0, 1, 1, 1, 2])
    order = torch.randperm(len(left))
    swapped = LOSSES[name](rows, right[order], left[order], label[order])
    torch.testing.assert_close(swapped, LOSSES[name](rows, left, right, label))


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_those_of_finite_differences(name):
    rows, *pairs = batch([0, 0, 1, 1, 2])
    assert torch.autograd.gradcheck(lambda r: LOSSES[name](r, *pairs), rows.requires_grad_())


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("name", LOSSES)
def test_equal_embeddings_have_finite_gradients(name, dtype):
    rows, left, right, label = batch([0, 0, 1, 1, 2])
    rows = rows[[0, 0, 0, 3, 3]].to(dtype).requires_grad_()  # of one place, and of two
    loss = LOSSES[name](rows, left, right, label)
    loss.backward()
    assert loss.isfinite()
    assert rows.grad.isfinite().all()


@pytest.mark.parametrize("label", [True, False])
@pytest.mark.parametrize("name", MINING)
def test_a_batch_without_triplets_teaches_nothing(name, label):
    rows, left, right, _ = batch([0, 1, 2])
    rows.requires_grad_()
    loss = LOSSES[name](rows, left, right, torch.full((3,), label))
    loss.backward()
    assert loss.item() == 0
    assert not rows.grad.any()


@pytest.mark.parametrize("name", LOSSES)
def test_no_pairs_teach_nothing(name):
    rows = batch([0, 1])[0].requires_grad_()
    none = torch.zeros(0, dtype=torch.int64)
    loss = LOSSES[name](rows, none, none, none.bool())
    loss.backward()
    assert loss.item() == 0


@pytest.mark.parametrize("name", LOSSES)
def test_a_self_pair_pushes_nothing(name):
    """SameSpace's table holds them."""
    rows = batch([0, 1])[0].requires_grad_()
    own = torch.tensor([0, 1])
    LOSSES[name](rows, own, own, torch.tensor([True, True])).backward()
    assert not rows.grad.any()


@pytest.mark.parametrize("label", [True, False])
@pytest.mark.parametrize("name", sorted(set(LOSSES) - {"contrastive"}))  # a mean over pairs
def test_a_self_pair_changes_nothing_beside_others(name, label):
    rows, *pairs = batch([0, 0, 1, 1, 2])
    own = torch.arange(5)
    more = [torch.cat([side, own]) for side in pairs[:2]]
    labels = torch.cat([pairs[2], torch.full((5,), label)])
    torch.testing.assert_close(LOSSES[name](rows, *more, labels), LOSSES[name](rows, *pairs))


@pytest.mark.parametrize("name", LOSSES)
def test_half_precision_costs_no_more_than_the_embeddings_digits(name):
    rows, *pairs = batch([0, 0, 1, 1, 2, 2], size=64)
    rounded = rows.to(torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = LOSSES[name](rounded, *pairs)
    torch.testing.assert_close(
        found.double(), LOSSES[name](rounded.double(), *pairs), atol=1e-4, rtol=0
    )

"""Answers are softmaxes of the heads, and the embedding is the whitening that was fitted."""

import pytest
import torch
from torch.nn import functional as F

from seentwice.models.backbones import build_trunk
from seentwice.models.photo_tagger import (
    PhotoTagger,
    TaggerArchitecture,
    build_tagger,
    pass_trunk,
)
from seentwice.models.trunk import TrainedBlocks
from seentwice.records import TagHead

HEADS = (TagHead("front", ("front", "room")), TagHead("storeys", ("one", "two", "more")))


def build(
    blocks: TrainedBlocks = 0, heads: tuple[TagHead, ...] = HEADS, size: int = 4, seed: int = 0
) -> PhotoTagger:
    trunk = build_trunk("compact", "none", "average", blocks, "eval", 3)
    return build_tagger(
        TaggerArchitecture("compact", "average", blocks, "eval", heads, size), trunk, seed
    ).eval()


@pytest.fixture(scope="module")
def features() -> torch.Tensor:
    size = build().heads[0].in_features
    return torch.rand(9, size, generator=torch.Generator().manual_seed(1))


def test_probabilities_are_the_softmax_of_each_head_over_its_temperature(
    features: torch.Tensor,
) -> None:
    tagger = build()
    tagger.temperatures.copy_(torch.tensor([0.5, 2.0]))
    found = tagger.probabilities(features)
    assert found.shape == (9, tagger.tags.width)
    unit = features / features.norm(dim=1, keepdim=True) * features.shape[1] ** 0.5
    for head, where, temperature in zip(tagger.heads, tagger.tags.columns, (0.5, 2.0), strict=True):
        expected = ((unit @ head.weight.T + head.bias) / temperature).exp()
        expected /= expected.sum(dim=1, keepdim=True)
        torch.testing.assert_close(found[:, where], expected)


def test_the_columns_of_the_heads_follow_each_other() -> None:
    tags = build().tags
    assert tags.columns == (slice(0, 2), slice(2, 5))
    assert (len(tags), tags.width) == (2, 5)


def test_embeddings_are_projected_features_of_length_1(features: torch.Tensor) -> None:
    tagger = build()
    tagger.projection.start_from(features, power=0.5, ridge=1.0)
    found = tagger.embed(features)
    assert found.shape == (9, 4)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(9))
    projected = (F.normalize(features, dim=1) - tagger.projection.mean) @ (
        tagger.projection.projection
    )
    torch.testing.assert_close(found, F.normalize(projected, dim=1))


@pytest.mark.parametrize("blocks", [0, 1, "all"])
def test_the_projection_never_trains_and_the_blocks_do_that_are_to(blocks: TrainedBlocks) -> None:
    tagger = build(blocks)
    trained = {name.partition(".")[0] for name, p in tagger.named_parameters() if p.requires_grad}
    assert trained == ({"heads", "trunk"} if blocks else {"heads"})


def test_equal_seeds_give_equal_heads() -> None:
    one, same, other = (build(seed=seed).heads[1].weight for seed in (4, 4, 5))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_photos_pass_the_trained_stages_alone_and_any_can_be_chosen() -> None:
    tagger = build("all")
    looks = torch.randint(0, 256, (5, 3, 72, 96), dtype=torch.uint8)
    whole = pass_trunk(tagger, looks)
    assert tagger.preprocessing is not None
    expected = tagger.trunk(tagger.preprocessing.normalise(looks))
    torch.testing.assert_close(whole, expected)
    chosen = pass_trunk(tagger, looks, torch.tensor([3, 0]))
    torch.testing.assert_close(chosen, whole[[3, 0]], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("heads", "size", "complaint"),
    [
        ((), 4, "needs heads"),
        ((TagHead("front", ("front",)),), 4, "at least two labels"),
        ((TagHead("x", tuple(map(str, range(10_001)))),), 4, "10,001 labels"),
        (HEADS, 4096, "an embedding of 4,096 channels of"),
    ],
)
def test_what_no_tagger_can_have_is_refused(
    heads: tuple[TagHead, ...], size: int, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        build(heads=heads, size=size)

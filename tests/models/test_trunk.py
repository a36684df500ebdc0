import pytest
import torch
from plain_stages import embed_looks
from torch import nn

from seentwice.errors import UserError
from seentwice.models.backbones import build_trunk
from seentwice.models.preprocessing import Preprocessing
from seentwice.models.trunk import (
    Trunk,
    find_cut,
    fingerprint_frozen,
    freeze,
    resize_input,
    restore_modes,
    shape_after,
)

SMALL = Preprocessing(8, 8, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


def make_stages():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)),
        nn.ReLU(),
        nn.Conv2d(4, 6, 3),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


@pytest.mark.parametrize(("trained", "cut"), [(0, 5), (1, 2), (2, 0), ("all", 0)])
def test_the_cut_is_before_the_blocks_that_train(trained, cut):
    stages = make_stages()
    freeze(stages, trained, "eval")
    assert find_cut(stages) == cut
    for number, stage in enumerate(stages):
        assert all(parameter.requires_grad == (number >= cut) for parameter in stage.parameters())
        assert stage.training == (number >= cut)


def test_one_parameter_that_takes_a_gradient_moves_the_cut():
    stages = make_stages()
    freeze(stages, 0, "eval")
    stages[2].bias.requires_grad_(True)
    assert find_cut(stages) == 2
    stages[0][1].weight.requires_grad_(True)
    assert find_cut(stages) == 0


def test_one_module_in_training_mode_moves_the_cut_whether_it_has_parameters_or_not():
    stages = make_stages()
    freeze(stages, 0, "eval")
    stages[3].train()
    assert find_cut(stages) == 3


def test_batchnorm_left_in_training_mode_moves_the_cut_before_the_first():
    stages = make_stages()
    freeze(stages, 0, "train")
    assert find_cut(stages) == 0
    assert not any(parameter.requires_grad for parameter in stages.parameters())
    assert [m.training for m in stages.modules() if isinstance(m, nn.BatchNorm2d)] == [True]
    assert not stages[2].training


@pytest.mark.parametrize("batchnorm", ["eval", "train"])
@pytest.mark.parametrize("trained", [0, 1, 2, "all"])
def test_modes_come_back_after_scoring(trained, batchnorm):
    stages = make_stages()
    freeze(stages, trained, batchnorm)
    after = stages[find_cut(stages) :]
    modes = [module.training for module in after.modules()]
    after.eval()
    restore_modes(after)
    # The container itself has none that counts.
    assert [module.training for module in after.modules()][1:] == modes[1:]


def test_more_blocks_than_there_are_is_an_error_that_counts_them():
    with pytest.raises(UserError, match=r"backbone\.trained_blocks=3: choose 0 to 2, .* or all"):
        freeze(make_stages(), 3, "eval")


@pytest.mark.parametrize(("trained", "shape"), [(0, (6,)), (1, (4, 6, 6))])
def test_the_shape_at_the_cut_is_found(trained, shape):
    stages = make_stages()
    freeze(stages, trained, "eval")
    assert shape_after(stages[: find_cut(stages)], SMALL) == shape


def test_mobilenets_map_before_its_last_block_is_8_by_8_by_160_at_256_px():
    trunk = build_trunk("mobilenet_v3_large", "none", "average", 1, "eval", seed=0)
    assert shape_after(trunk.frozen, trunk.preprocessing) == (160, 8, 8)
    assert (len(trunk.frozen), len(trunk.trained)) == (16, 2)


def test_frozen_and_trained_stages_are_the_whole_trunk():
    trunk = build_trunk("compact", "none", "gem", 2, "eval", seed=0)
    looks = torch.randint(256, (3, 3, 72, 96), dtype=torch.uint8)
    maps = embed_looks(trunk.frozen, trunk.preprocessing, looks)
    trunk.stages.eval()
    with torch.inference_mode():
        expected = embed_looks(trunk.stages, trunk.preprocessing, looks)
        torch.testing.assert_close(trunk.trained(maps), expected)


def test_scoring_does_not_move_the_cut():
    """A stage without parameters is all that can be in eval mode of a trunk that trains."""
    trunk = build_trunk("compact", "none", "average", "all", "eval", seed=0)
    trunk.stages.eval()
    assert trunk.cut == 0
    assert list(trunk.trained) == list(trunk.stages)


def test_rows_do_not_depend_on_the_batch():
    trunk = build_trunk("mobilenet_v3_large", "none", "average", 0, "eval", seed=0)
    with torch.no_grad():  # statistics of a trunk that has seen photos: outputs of usual size
        trunk.stages.train()
        for _ in range(3):
            trunk.stages(torch.randn(8, 3, 64, 64))
        trunk.stages.eval()
    looks = torch.randint(256, (5, 3, 96, 96), dtype=torch.uint8)
    together = embed_looks(trunk.frozen, trunk.preprocessing, looks)
    for size in (1, 2):
        apart = [embed_looks(trunk.frozen, trunk.preprocessing, part) for part in looks.split(size)]
        torch.testing.assert_close(torch.cat(apart), together, rtol=0, atol=1e-5)


def test_the_fingerprint_is_of_what_is_frozen():
    def fingerprint(pooling="average", trained=0, seed=0):
        return fingerprint_frozen(build_trunk("compact", "none", pooling, trained, "eval", seed))

    assert fingerprint() == fingerprint()
    assert (
        len({fingerprint(), fingerprint("gem"), fingerprint(seed=1), fingerprint(trained=1)}) == 4
    )
    assert fingerprint(trained="all") == ""
    trunk = build_trunk("compact", "none", "average", 1, "eval", seed=0)
    before = fingerprint_frozen(trunk)
    with torch.no_grad():
        trunk.trained[0][0].weight.add_(1)
        assert fingerprint_frozen(trunk) == before
        trunk.frozen[1][0].weight.add_(1)
        assert fingerprint_frozen(trunk) != before


def test_a_trunk_takes_photos_of_another_size_with_the_same_weights() -> None:
    stages = make_stages()
    freeze(stages, 0, "eval")
    trunk = Trunk("plain", "average", "none", stages, len(stages), 6, SMALL)
    larger = resize_input(trunk, 32)
    assert (larger.preprocessing.height_px, larger.preprocessing.width_px) == (32, 32)
    assert fingerprint_frozen(larger) == fingerprint_frozen(trunk)
    assert shape_after(larger.stages, larger.preprocessing) == (6,)


@pytest.mark.parametrize("counts", [nn.Linear(4 * 6 * 6, 6), nn.Identity()])
def test_a_trunk_that_counts_pixels_keeps_its_size(counts: nn.Module) -> None:
    stages = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), counts)
    freeze(stages, 0, "eval")
    (size,) = shape_after(stages, SMALL)
    trunk = Trunk("plain", "average", "none", stages, len(stages), size, SMALL)
    with pytest.raises(UserError, match=r"side_px=32: plain takes no photos .* null for 8 x 8 px$"):
        resize_input(trunk, 32)

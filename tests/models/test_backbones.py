import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from plain_stages import embed_looks
from safetensors.torch import save_file
from torch import nn
from torchvision import models

from seentwice.errors import UserError
from seentwice.models import backbones
from seentwice.models.backbones import BACKBONES, build_trunk
from seentwice.models.entry import measure_features
from seentwice.models.pooling import build_pooling
from seentwice.models.trunk import (
    find_cut,
    fingerprint_frozen,
    freeze,
    shape_after,
)

VGG = {"vgg16", "vgg16_pool5"}  # 138 million parameters


@pytest.mark.parametrize("name", sorted(set(BACKBONES) - VGG))
@pytest.mark.parametrize("pooling", ["average", "gem"])
def test_every_backbone_gives_its_feature_size(name, pooling):
    trunk = build_trunk(name, "none", pooling, 0, "eval", seed=0)
    look = trunk.preprocessing.look(Image.new("RGB", (64, 48), (200, 30, 30)))
    looks = torch.from_numpy(np.stack([look, look]))
    features = embed_looks(trunk.stages, trunk.preprocessing, looks)
    assert features.shape == (2, trunk.feature_size)
    assert features.isfinite().all()
    assert torch.allclose(features[0], features[1], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), [("vgg16", 4096), ("vgg16_pool5", 25088)])
def test_vgg16_is_cut_at_fc7_or_pool5_and_pools_in_its_own_way(name, size):
    trunk = build_trunk(name, "none", "average", 0, "eval", seed=0)
    look = trunk.preprocessing.look(Image.new("RGB", (64, 48)))
    looks = torch.from_numpy(look[None])
    assert embed_looks(trunk.stages, trunk.preprocessing, looks).shape == (1, size)
    with pytest.raises(UserError, match=f"pooling=gem: {name} pools in its own way; choose averag"):
        build_trunk(name, "none", "gem", 0, "eval", seed=0)


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_a_feature_size_is_what_zeros_give(name):
    entry = BACKBONES[name]
    assert measure_features(entry.build, entry.cut, entry.preprocessing) == entry.feature_size


@pytest.mark.parametrize("name", sorted(set(BACKBONES) - {"compact"}))
def test_the_mean_and_deviation_are_those_of_the_weights(name):
    entry = BACKBONES[name]
    preset = entry.imagenet.transforms()
    look = torch.randint(256, (1, 3, 8, 8), dtype=torch.uint8)
    published = (look / 255 - torch.tensor(preset.mean).view(3, 1, 1)) / torch.tensor(
        preset.std
    ).view(3, 1, 1)
    if name == "googlenet":
        with torch.device("meta"):
            network = models.googlenet(transform_input=True, init_weights=False)
        published = network._transform_input(published)
    torch.testing.assert_close(entry.preprocessing.normalise(look), published)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("googlenet", (832, 7, 7)),
        ("resnet50", (1024, 14, 14)),
        ("efficientnet_b0", (320, 7, 7)),
        ("mobilenet_v3_small", (96, 8, 8)),
        ("vgg16", (4096,)),
        ("vgg16_pool5", (512, 14, 14)),
    ],
)
def test_the_map_before_the_last_block(name, shape):
    entry = BACKBONES[name]
    with torch.device("meta"):
        stages = nn.Sequential(*entry.cut(entry.build(), build_pooling("average")))
        freeze(stages, 1, "eval")
        assert shape_after(stages[: find_cut(stages)], entry.preprocessing) == shape


def test_each_backbone_has_its_own_fingerprint():
    names = sorted(set(BACKBONES) - VGG)
    trunks = [build_trunk(name, "none", "average", 1, "eval", seed=0) for name in names]
    assert len({fingerprint_frozen(trunk) for trunk in trunks}) == len(names)


def test_the_seed_decides_untrained_weights_and_leaves_torchs_own_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one = build_trunk("compact", "none", "average", 0, "eval", seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert fingerprint_frozen(one) == fingerprint_frozen(
        build_trunk("compact", "none", "average", 0, "eval", seed=1)
    )
    assert fingerprint_frozen(one) != fingerprint_frozen(
        build_trunk("compact", "none", "average", 0, "eval", seed=2)
    )
    assert fingerprint_frozen(one) != fingerprint_frozen(
        build_trunk("compact", "none", "gem", 0, "eval", seed=1)
    )


def test_weights_from_a_file_are_those_of_the_file(tmp_path):
    network = models.mobilenet_v2()
    file = tmp_path / "weights.safetensors"
    save_file(network.state_dict(), file)
    trunk = build_trunk("mobilenet_v2", str(file), "average", 0, "eval", seed=0)
    photos = torch.randn(1, 3, 64, 64)
    network.eval()
    with torch.inference_mode():
        expected = network.features(photos).mean(dim=(2, 3))
        assert torch.allclose(trunk.stages(photos), expected, atol=1e-6)


CONV = "features.0.0.weight"
SHAPES = "(3, 3) instead of (32, 3, 3, 3)"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            lambda state: {"a\x1b": state[CONV]},
            f"314 of its 314 tensors are missing ({CONV}), 1 are of no use to it (a\\x1b)",
        ),
        (lambda state: state | {"b": torch.zeros(1)}, "1 are of no use to it (b)"),
        (
            lambda state: state | {CONV: torch.zeros(3, 3)},
            f"1 have another shape ({CONV}: {SHAPES})",
        ),
        (
            lambda state: {name: state[name] for name in state if name != "classifier.1.bias"},
            "1 of its 314 tensors are missing (classifier.1.bias)",
        ),
    ],
)
def test_the_weights_of_another_network_are_refused_in_one_line(tmp_path, change, found):
    file = tmp_path / "weights.safetensors"
    save_file(change(models.mobilenet_v2().state_dict()), file)
    with pytest.raises(UserError) as error:
        build_trunk("mobilenet_v2", str(file), "average", 0, "eval", seed=0)
    assert str(error.value) == (
        f"backbone.weights={file}: not the weights of mobilenet_v2, its classifier included: "
        f"{found}; choose the backbone that they are of, or weights of mobilenet_v2"
    )


def test_a_damaged_file_is_refused(tmp_path):
    file = tmp_path / "weights.safetensors"
    file.write_bytes(b"not safetensors")
    with pytest.raises(UserError, match=r"weights\.safetensors: not a whole safetensors file"):
        build_trunk("mobilenet_v2", str(file), "average", 0, "eval", seed=0)


@pytest.mark.parametrize(
    ("name", "weights", "pooling", "message"),
    [
        ("resnet", "none", "average", "choose one of compact, efficientnet_b0, googlenet"),
        ("resnet", "none", "average", "vgg16_pool5, or torchvision or timm with backbone.name=NE"),
        ("keras/resnet50", "none", "average", "backbone 'keras/resnet50': choose one of"),
        ("compact", "none", "max", "choose one of average, gem"),
        ("compact", "imagenet", "average", "no published weights"),
        ("mobilenet_v2", "weights.pth", "average", "choose none, imagenet or a .safetensors file"),
        ("mobilenet_v2", "gone.safetensors", "average", "no such file"),
        ("compact", None, "average", "weights=None: choose none, imagenet or the path of a .safe"),
    ],
)
def test_wrong_names_name_the_choices(name, weights, pooling, message):
    with pytest.raises(UserError, match=message):
        build_trunk(name, weights, pooling, 0, "eval", seed=0)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"frozen_batchnorm": "on"}, "backbone.frozen_batchnorm='on': choose one of eval, train"),
        ({"normalisation": "x"}, "backbone.normalisation='x': choose one of usual, samespace"),
    ],
)
def test_a_wrong_mode_is_not_taken_for_another(wrong, complaint):
    right = {"frozen_batchnorm": "eval", "normalisation": "usual"}
    with pytest.raises(UserError) as error:
        build_trunk("compact", "none", "average", 0, seed=0, **(right | wrong))
    assert str(error.value) == complaint


def test_a_failed_download_names_the_alternatives(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    closed = "http://127.0.0.1:9/weights-12345678.pth"
    entry = BACKBONES["mobilenet_v2"]

    class Closed:
        url = closed

        def get_state_dict(self, progress, check_hash, weights_only):
            assert weights_only
            return torch.hub.load_state_dict_from_url(closed, progress=progress)

    replaced = backbones.Backbone(
        entry.feature_size, entry.preprocessing, entry.build, entry.cut, Closed()
    )
    monkeypatch.setattr(backbones, "BACKBONES", {"mobilenet_v2": replaced})
    with pytest.raises(UserError, match=r"cannot download .*put that file at .*backbone.weights="):
        build_trunk("mobilenet_v2", "imagenet", "average", 0, "eval", seed=0)


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_cached_file_that_was_not_published_is_never_opened(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    name = BACKBONES["mobilenet_v2"].imagenet.url.rpartition("/")[2]
    cache = tmp_path / "hub" / "checkpoints" / name
    cache.parent.mkdir(parents=True)
    torch.save({"net": Bomb(tmp_path / "exploded")}, cache)
    with pytest.raises(UserError, match=rf"{cache} is not the file that was published .*delete it"):
        build_trunk("mobilenet_v2", "imagenet", "average", 0, "eval", seed=0)
    assert not (tmp_path / "exploded").exists()


def test_a_pickle_is_refused_even_under_its_right_hash(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save({"net": Bomb(tmp_path / "exploded")}, folder / "a")
    digest = hashlib.sha256((folder / "a").read_bytes()).hexdigest()[:8]
    (folder / "a").rename(folder / f"net-{digest}.pth")
    entry = BACKBONES["mobilenet_v2"]

    class Cached:
        url = f"http://127.0.0.1:9/net-{digest}.pth"

        def get_state_dict(self, **settings):
            return torch.hub.load_state_dict_from_url(self.url, **settings)

    monkeypatch.setattr(backbones, "BACKBONES", {"mobilenet_v2": replace(entry, imagenet=Cached())})
    with pytest.raises(UserError, match="cannot be read"):
        build_trunk("mobilenet_v2", "imagenet", "average", 0, "eval", seed=0)
    assert not (tmp_path / "exploded").exists()


def test_a_compact_trunk_does_not_see_the_light():
    trunk = build_trunk("compact", "none", "gem", 0, "eval", seed=0)
    photos = torch.rand(2, 3, 72, 96)
    lit = photos * torch.tensor([0.5, 0.8, 1.2]).view(1, 3, 1, 1) + 0.1
    with torch.inference_mode():
        assert torch.allclose(trunk.stages(photos), trunk.stages(lit), rtol=1e-2, atol=1e-3)


def test_looks_are_squashed_to_the_input_size():
    preprocessing = BACKBONES["mobilenet_v2"].preprocessing
    look = preprocessing.look(Image.new("RGB", (31, 77), (10, 20, 30)))
    assert look.shape == (3, 257, 257)
    assert look.dtype == np.uint8
    assert look[:, 100, 100].tolist() == [10, 20, 30]
    normal = preprocessing.normalise(torch.from_numpy(look[None]))
    assert normal[0, 0, 0, 0] == pytest.approx((10 / 255 - 0.485) / 0.229, abs=1e-6)

import sys

import pytest
import torch
from plain_stages import embed_looks
from safetensors.torch import save_file

from seentwice.errors import UserError
from seentwice.models.backbones import build_trunk, find_backbone
from seentwice.models.timm_networks import find_timm
from seentwice.models.weights import HubFile

timm = pytest.importorskip("timm", reason="needs the extra timm")

SMALL = ["test_resnet", "test_vit"]  # timm's own, for tests


@pytest.mark.parametrize("name", SMALL)
def test_the_features_are_timms_own(tmp_path, name):
    network = timm.create_model(name).eval()
    file = tmp_path / "weights.safetensors"
    save_file(network.state_dict(), file)
    trunk = build_trunk(f"timm/{name}", str(file), "average", 0, "eval", seed=0)
    assert trunk.backbone == f"timm/{name}"
    preset = timm.data.resolve_model_data_config(network)
    assert (3, trunk.preprocessing.height_px, trunk.preprocessing.width_px) == preset["input_size"]
    assert (trunk.preprocessing.mean, trunk.preprocessing.std) == (preset["mean"], preset["std"])
    looks = torch.randint(256, (2, 3, *preset["input_size"][1:]), dtype=torch.uint8)
    features = embed_looks(trunk.stages, trunk.preprocessing, looks)
    assert features.shape == (2, trunk.feature_size)
    with torch.no_grad():
        maps = network.forward_features(trunk.preprocessing.normalise(looks))
        expected = network.forward_head(maps, pre_logits=True)
    torch.testing.assert_close(features, expected)
    assert not torch.allclose(features[0], features[1])


def test_a_network_is_one_block_and_pools_in_its_own_way():
    trunk = build_trunk("timm/test_resnet", "none", "average", "all", "eval", seed=0)
    assert (len(trunk.stages), trunk.cut) == (1, 0)
    with pytest.raises(UserError, match="pooling=gem: timm/test_resnet pools in its own way"):
        build_trunk("timm/test_resnet", "none", "gem", 0, "eval", seed=0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet5o", "'resnet5o' is no network of timm's: choose one, such as .*resnet50"),
        ("hf-hub:timm/resnet18.a1_in1k", "is no network of timm's"),
        ("local-dir:/tmp", "is no network of timm's"),
        ("resnet18.best", "weights that timm does not know: choose one of resnet18, resnet18.a1_"),
    ],
)
def test_an_unknown_name_names_near_ones(name, message):
    with pytest.raises(UserError, match=message) as raised:
        find_backbone(f"timm/{name}")
    assert "\n" not in str(raised.value)


def test_without_timm_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    find_timm.cache_clear()
    with pytest.raises(UserError, match=r"pip install 'seentwice\[timm\]'"):
        find_backbone("timm/test_resnet")


def test_published_weights_are_the_hubs_safetensors_file(monkeypatch, tmp_path):
    constants = pytest.importorskip("huggingface_hub").constants
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert find_timm("test_resnet").imagenet == HubFile("timm/test_resnet.r160_in1k")
    with pytest.raises(
        UserError, match=r"cannot download model.safetensors of timm/test_resnet"
    ) as e:
        build_trunk("timm/test_resnet", "imagenet", "average", 0, "eval", seed=0)
    assert "give backbone.weights=FILE.safetensors" in str(e.value)
    assert "\n" not in str(e.value)


def test_a_downloaded_file_is_loaded_whole(monkeypatch, tmp_path):
    import huggingface_hub

    network = timm.create_model("test_resnet").eval()
    file = tmp_path / "model.safetensors"
    save_file(network.state_dict(), file)
    asked = []
    monkeypatch.setattr(
        huggingface_hub, "hf_hub_download", lambda *words: asked.append(words) or str(file)
    )
    trunk = build_trunk("timm/test_resnet", "imagenet", "average", 0, "eval", seed=0)
    assert asked == [("timm/test_resnet.r160_in1k", "model.safetensors")]
    photos = torch.randn(1, 3, 96, 96)
    with torch.no_grad():
        network.reset_classifier(0)
        torch.testing.assert_close(trunk.stages(photos), network(photos))

import re
from dataclasses import replace

import pytest
import torch
from plain_stages import embed_looks
from torch import nn

from seentwice.errors import UserError
from seentwice.models.backbones import build_trunk
from seentwice.models.engines import Passing, open_engine
from seentwice.models.pooling import WindowPooling
from seentwice.models.windowed_trunk import add_windows


def looks_for(trunk, count=3):
    size = (count, 3, trunk.preprocessing.height_px, trunk.preprocessing.width_px)
    return torch.randint(256, size, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@pytest.mark.parametrize("pooling", ["average", "gem"])
@pytest.mark.parametrize(("name", "windows"), [("compact", 20), ("mobilenet_v3_small", 16)])
def test_the_features_stay_as_they_are_and_windows_come_below(name, windows, pooling):
    trunk = build_trunk(name, "none", pooling, 0, "eval", seed=0)
    looks = looks_for(trunk)
    windowed = add_windows(trunk)
    rows = embed_looks(windowed.frozen, trunk.preprocessing, looks)
    assert rows.shape == (3, 1 + windows, trunk.feature_size)
    assert torch.equal(rows[:, 0], embed_looks(trunk.stages, trunk.preprocessing, looks))
    maps = embed_looks(trunk.stages[:-1], trunk.preprocessing, looks)
    assert torch.equal(rows[:, 1:], WindowPooling()(maps))
    assert len(trunk.stages) == trunk.cut  # the trunk itself has its features alone
    assert not hasattr(trunk.stages[-1], "windows")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_an_engine_gives_the_same_features_with_windows_and_without(precision):
    trunk = build_trunk("compact", "none", "average", 0, "eval", seed=0)
    looks = looks_for(trunk).numpy()
    alone, both = (
        open_engine(one.frozen, one.preprocessing, Passing("torch", precision)).embed(looks)
        for one in (trunk, add_windows(trunk))
    )
    assert (both[:, 0] == alone).all()


def test_openvino_gives_windows_too():
    pytest.importorskip("openvino", reason="needs the extra fast")
    trunk = add_windows(build_trunk("compact", "none", "average", 0, "eval", seed=0))
    looks = looks_for(trunk)
    rows = open_engine(trunk.frozen, trunk.preprocessing, Passing("openvino")).embed(looks.numpy())
    expected = embed_looks(trunk.frozen, trunk.preprocessing, looks)
    torch.testing.assert_close(torch.from_numpy(rows), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet"])
def test_networks_of_timm_that_have_a_map_have_windows(name):
    timm = pytest.importorskip("timm", reason="needs the extra timm")
    trunk = build_trunk(f"timm/{name}", "none", "average", 0, "eval", seed=0)
    looks = looks_for(trunk)
    rows = embed_looks(add_windows(trunk).frozen, trunk.preprocessing, looks)
    assert torch.equal(rows[:, 0], embed_looks(trunk.stages, trunk.preprocessing, looks))
    network = timm.create_model(name).eval()
    network.load_state_dict(trunk.stages[0].state_dict(), strict=False)
    maps = network.forward_features(trunk.preprocessing.normalise(looks))
    torch.testing.assert_close(rows[:, 1:], WindowPooling()(maps))


def without_a_map(name):
    if name != "compact":
        return build_trunk(name, "none", "average", 0, "eval", seed=0)
    trunk = build_trunk(name, "none", "average", 0, "eval", seed=0)
    stages = nn.Sequential(*trunk.stages, nn.Flatten())
    return replace(trunk, stages=stages, cut=len(stages))


@pytest.mark.parametrize("name", ["compact", "timm/test_vit", "timm/test_mambaout"])
def test_a_backbone_without_a_map_is_told(name):
    if name.startswith("timm/"):
        timm = pytest.importorskip("timm", reason="needs the extra timm")
        assert timm.is_model(name.removeprefix("timm/"))
    complaint = (
        "baselines: regions compares windows of the map that a backbone's features are the mean "
        f"of, and {name} has none; choose one such as mobilenet_v2 or resnet50"
    )
    with pytest.raises(UserError, match=f"^{re.escape(complaint)}") as raised:
        add_windows(without_a_map(name))
    assert "\n" not in str(raised.value)

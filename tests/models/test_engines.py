import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from plain_stages import embed_looks
from torch import nn

from seentwice.errors import UserError
from seentwice.models import engines
from seentwice.models.backbones import build_trunk
from seentwice.models.engines import Passing, embed_looks_with, open_engine, open_passing_threads
from seentwice.models.preprocessing import Preprocessing

SMALL = Preprocessing(64, 96, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


@pytest.fixture(scope="module")
def stages():
    """A trunk whose BatchNorm saw photos: one that saw none gives almost zeros."""
    stages = build_trunk("compact", "none", "average", 0, "eval", seed=0).stages
    for module in stages.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    stages.train()
    with torch.no_grad():
        stages(SMALL.normalise(torch.from_numpy(draw_looks(32, 1))))
    return stages.eval()


def draw_looks(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 4, 6, generator=generator)
    looks = nn.functional.interpolate(coarse, (64, 96), mode="bicubic").clamp(0, 1) * 255
    return looks.to(torch.uint8).numpy()


def cosines(left, right):
    return nn.functional.cosine_similarity(torch.from_numpy(left), torch.from_numpy(right)).numpy()


def plain(stages, looks):
    return embed_looks(stages, SMALL, torch.from_numpy(looks)).numpy()


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_float32_gives_the_rows_of_the_plain_stages(stages, engine):
    if engine == "openvino":
        pytest.importorskip("openvino", reason="needs the extra fast")
    looks = draw_looks(5)
    expected = plain(stages, looks)
    assert cosines(expected, np.roll(expected, 1, axis=0)).max() < 0.96  # photos differ
    opened = open_engine(stages, SMALL, Passing(engine, "float32"))
    rows = opened.embed(looks)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, expected, rtol=0, atol=2e-5)
    np.testing.assert_allclose(opened.embed(looks[3:4]), expected[3:4], rtol=0, atol=2e-5)
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(opened.embed, [looks] * 6):
            np.testing.assert_array_equal(found, rows)


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_bfloat16_gives_nearly_these_rows(stages, engine):
    if engine == "openvino":
        pytest.importorskip("openvino", reason="needs the extra fast")
    looks = draw_looks(8)
    rows = open_engine(stages, SMALL, Passing(engine, "bfloat16")).embed(looks)
    assert rows.dtype == np.float32
    assert cosines(rows, plain(stages, looks)).min() > 0.99


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_a_map_has_its_shape(stages, engine):
    if engine == "openvino":
        pytest.importorskip("openvino", reason="needs the extra fast")
    looks = draw_looks(2)
    first = stages[:2]
    rows = open_engine(first, SMALL, Passing(engine, "float32")).embed(looks)
    np.testing.assert_allclose(rows, plain(first, looks), rtol=0, atol=2e-5)


def test_many_looks_pass_in_batches_in_their_order(monkeypatch):
    sizes = []

    class Sums:
        name = "sums"

        def embed(self, looks):
            sizes.append(len(looks))
            return looks.reshape(len(looks), -1).sum(axis=1, dtype=np.float32)[:, None]

    monkeypatch.setattr(engines, "BATCH", 4)
    looks = draw_looks(11)
    with open_passing_threads(2) as pool:
        rows = embed_looks_with(Sums(), looks, pool)
    np.testing.assert_array_equal(rows[:, 0], looks.reshape(11, -1).sum(axis=1, dtype=np.float32))
    assert sorted(sizes) == [3, 4, 4]


def test_each_thread_computes_alone_and_later_ones_as_before():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        with open_passing_threads(2) as pool:
            assert set(pool.map(lambda _: torch.get_num_threads(), range(8))) == {1}
        assert torch.get_num_threads() == 3
        with ThreadPoolExecutor(1) as later:
            assert later.submit(torch.get_num_threads).result() == 3
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("passing", "complaint"),
    [
        (Passing("onnx"), "engine 'onnx': choose one of torch, openvino"),
        (Passing("torch", "float16"), "precision 'float16': choose one of float32, bfloat16"),
    ],
)
def test_wrong_names_name_the_choices(stages, passing, complaint):
    with pytest.raises(UserError) as error:
        open_engine(stages, SMALL, passing)
    assert str(error.value) == complaint


@pytest.mark.parametrize(
    ("number", "given", "complaint"),
    [
        (0, "trunk", "stages: a str; give trunk.frozen"),
        (1, None, "preprocessing: a NoneType; give trunk.preprocessing"),
        (2, "torch", 'passing: a str; give Passing("torch", "float32")'),
    ],
)
def test_arguments_of_another_kind_are_told_by_their_type(stages, number, given, complaint):
    arguments = [stages, SMALL, Passing()]
    arguments[number] = given
    with pytest.raises(UserError) as error:
        open_engine(*arguments)
    assert str(error.value) == complaint


def test_without_openvino_the_extra_is_named(stages, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(
        UserError, match=r"not installed: pip install 'seentwice\[fast\]', or choose"
    ):
        open_engine(stages, SMALL, Passing("openvino"))


def test_stages_that_openvino_does_not_know_are_told_in_one_line():
    pytest.importorskip("openvino", reason="needs the extra fast")

    class Odd(nn.Module):
        def forward(self, photos):
            return torch.linalg.eigvals(photos[..., :64]).real

    with pytest.raises(UserError, match=r"^bank\.engine=openvino: cannot convert .*choose [^\n]*$"):
        open_engine(nn.Sequential(Odd()).eval(), SMALL, Passing("openvino"))


ASK_NOBODY = """
import socket, sys

def refuse(*words, **names):
    raise SystemExit("asks the network")

socket.getaddrinfo = socket.socket.connect = refuse
import torch
from torch import nn
from seentwice.models.engines import Passing, open_engine
from seentwice.models.preprocessing import Preprocessing

stages = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
open_engine(
    stages.eval(),
    Preprocessing(32, 32, (0.5,) * 3, (0.2,) * 3),
    Passing("openvino", "float32"),
)
told = [name for name in sys.modules if name.startswith("openvino_telemetry")]
assert [name for name in told if sys.modules[name] is not None] == [], told
"""


def test_openvino_tells_nobody_that_it_is_used():
    pytest.importorskip("openvino", reason="needs the extra fast")
    subprocess.run([sys.executable, "-c", ASK_NOBODY], check=True)

"""A program gives what the checkpoint gives, or it is not left there."""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from seentwice.detectors.calibration import Calibration
from seentwice.errors import UserError
from seentwice.models import program_files
from seentwice.models.backbones import build_trunk
from seentwice.models.heads import HEADS, TWO_SPACES, build_head
from seentwice.models.nets import Architecture, build_siamese, pair_logits
from seentwice.models.pair_scorer import PairScorer
from seentwice.models.pooling import POOLINGS
from seentwice.models.program_files import SUFFIXES, TOLERANCE, write_program
from seentwice.models.towers import TOWERS, build_tower

HEIGHT, WIDTH = 32, 48
ABOUT = {"threshold": 0.5, "data_name": "Küche"}


class EveryTower(nn.Module):
    """All towers side by side."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.towers = nn.ModuleList(build_tower(name, features, 8, {}) for name in sorted(TOWERS))

    def forward(self, features):
        return torch.cat([tower(features) for tower in self.towers], dim=1)


class EveryHead(nn.Module):
    """A sum of all heads, in which none counts as much as another."""

    def __init__(self) -> None:
        super().__init__()
        size = 8 * len(TOWERS)
        cosine = build_head("concat", size, {"symmetric": True, "cosine_start": True})
        self.heads = nn.ModuleList(
            [cosine, *(build_head(name, size, {}) for name in sorted(HEADS))]
        )

    def forward(self, left, right):
        return sum(head(left, right) / (5 + at) for at, head in enumerate(self.heads))


def spread_out(scorer: PairScorer) -> PairScorer:
    """Calibrate a net that has learned nothing so that its scores are far apart."""
    pairs = program_files._pairs_to_try(HEIGHT, WIDTH)
    scorer.slope, scorer.offset = 1.0, 0.0
    with torch.no_grad():
        logits = [scorer.head(scorer.embed(left), scorer.embed(right)) for left, right in pairs]
    every = torch.cat(logits).double()
    scorer.slope = 1.0 / float(every.std())
    scorer.offset = -scorer.slope * float(every.mean())
    return scorer


def make_scorer(
    head="l2", tower="linear", trained_blocks=0, shared=True, pooling="average", settings=None
):
    trunk = build_trunk("compact", "none", pooling, trained_blocks, "eval", 3)
    architecture = Architecture(
        *("compact", pooling, trained_blocks, "eval", tower, 8, head, settings or {}),
        shared_towers=shared,
    )
    net = build_siamese(architecture, trunk, 9).eval()
    return PairScorer(trunk, net, 1.7, -0.3), net, trunk


def check_by_hand(path: Path, scorer: PairScorer) -> None:
    """Open a program as its users do, without this package, and compare."""
    generator = torch.Generator().manual_seed(1)
    left, right = (torch.randn(4, 3, HEIGHT, WIDTH, generator=generator) for _ in range(2))
    expected = scorer(left, right)
    if path.suffix == ".onnx":
        session = onnxruntime.InferenceSession(path)
        (found,) = session.run(None, {"left": left.numpy(), "right": right.numpy()})
        about = session.get_modelmeta().custom_metadata_map["seentwice"]
        (output,) = session.get_outputs()
        assert (output.name, output.type) == ("score", "tensor(float)")
        assert [one.name for one in session.get_inputs()] == ["left", "right"]
        onnx.checker.check_model(str(path))
        assert [axis for side in session.get_inputs() for axis in side.shape[:1]] == ["n", "n"]
        assert session.get_outputs()[0].shape == ["n"]
        assert (session.get_modelmeta().producer_name, session.get_modelmeta().version) == (
            "seentwice",
            1,
        )
    else:
        extra = {"seentwice": ""}
        program = torch.export.load(path, extra_files=extra)
        found, about = program.module()(left, right).numpy(), extra["seentwice"]
    assert np.abs(found - expected.numpy()).max() <= TOLERANCE
    assert json.loads(about) == ABOUT


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_every_head_and_tower_exports(tmp_path: Path, suffix: str) -> None:
    torch.manual_seed(0)
    scorer, _, trunk = make_scorer(trained_blocks=1, pooling="gem")
    scorer.tower = EveryTower(trunk.feature_size).eval().requires_grad_(False)
    scorer.head = EveryHead().eval().requires_grad_(False)
    path = tmp_path / f"net{suffix}"
    written = write_program(spread_out(scorer), HEIGHT, WIDTH, ABOUT, path)
    assert written.largest_difference <= TOLERANCE
    assert written.highest - written.lowest > 0.3
    check_by_hand(path, scorer)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_net_with_two_towers_that_trains_as_a_whole_exports(tmp_path: Path) -> None:
    scorer, _, _ = make_scorer("concat", "linear", "all", False, "average", {"hidden": [8]})
    path = tmp_path / "net.pt2"
    write_program(spread_out(scorer), HEIGHT, WIDTH, ABOUT, path)
    check_by_hand(path, scorer)


@pytest.mark.parametrize("trained_blocks", [0, 1, "all"])
@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_a_scorer_gives_what_evaluation_measures(trained_blocks, pooling) -> None:
    scorer, net, trunk = make_scorer("l1", "linear", trained_blocks, pooling=pooling)
    generator = torch.Generator().manual_seed(2)
    looks = torch.randint(256, (5, 3, HEIGHT, WIDTH), dtype=torch.uint8, generator=generator)
    photos = trunk.preprocessing.normalise(looks)
    with torch.inference_mode():
        rows = trunk.frozen(photos) if trunk.cut else looks
    left, right = torch.tensor([0, 1, 2, 3, 4]), torch.tensor([1, 2, 3, 4, 4])
    expected = Calibration(1.7, -0.3)(pair_logits(net, rows, left, right).double().numpy())
    found = scorer(photos[left], photos[right]).numpy()
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 1e-6


@pytest.mark.parametrize("head", sorted(HEADS))
def test_a_scorer_is_as_symmetric_as_its_head(head: str) -> None:
    scorer, _, _ = make_scorer(head)
    generator = torch.Generator().manual_seed(3)
    left, right = (torch.randn(3, 3, HEIGHT, WIDTH, generator=generator) for _ in range(2))
    is_symmetric = bool(torch.allclose(scorer(left, right), scorer(right, left), atol=1e-6))
    assert is_symmetric == (head not in TWO_SPACES)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda left, right: torch.full((len(left),), 2.0), "differs from the checkpoint by"),
        (lambda left, right: torch.full((len(left),), torch.nan), "differs from the .* by inf"),
        (lambda left, right: torch.zeros(7), r"gives torch.float32 \(7,\) instead of"),
        (lambda left, right: torch.zeros(len(left)).double(), "gives torch.float64"),
        (lambda left, right: left @ right, r"does not run \("),
    ],
)
def test_a_program_that_differs_is_not_kept(tmp_path, monkeypatch, wrong, message) -> None:
    path = tmp_path / "net.pt2"
    path.write_bytes(b"an older program")
    programs = {".pt2": (lambda scorer, size, about: b"new", lambda data: wrong)}
    monkeypatch.setattr(program_files, "SUFFIXES", programs)
    scorer, _, _ = make_scorer()
    with pytest.raises(UserError, match=rf"net\.pt2: the program {message}.*so it was not kept"):
        write_program(scorer, HEIGHT, WIDTH, ABOUT, path)
    assert path.read_bytes() == b"an older program"
    assert [file.name for file in tmp_path.iterdir()] == ["net.pt2"]


class Odd(nn.Module):
    """Chooses by values, which no exporter can follow."""

    def forward(self, left, right):
        return left.sum(dim=1) if float(left.sum()) > 0 else right.sum(dim=1)


def test_a_part_that_cannot_be_exported_is_named(tmp_path: Path) -> None:
    scorer, _, _ = make_scorer()
    scorer.head = Odd()
    with pytest.raises(UserError, match=r"^the head \(Odd\) cannot be exported: ") as error:
        write_program(scorer, HEIGHT, WIDTH, ABOUT, tmp_path / "net.pt2")
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    scorer, _, _ = make_scorer()
    with pytest.raises(UserError, match=r"choose a name that ends in \.onnx or \.pt2"):
        write_program(scorer, HEIGHT, WIDTH, ABOUT, tmp_path / "net.pt")


def test_without_onnx_the_extra_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    scorer, _, _ = make_scorer()
    with pytest.raises(UserError, match=r"pip install 'seentwice\[export\]'"):
        write_program(scorer, HEIGHT, WIDTH, ABOUT, tmp_path / "net.onnx")


def test_what_one_onnx_file_cannot_hold_is_told(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(program_files, "_ONNX_BYTES", 1000)
    scorer, _, _ = make_scorer()
    with pytest.raises(UserError, match=r"bytes of weights are more than one ONNX file holds"):
        write_program(scorer, HEIGHT, WIDTH, ABOUT, tmp_path / "net.onnx")


def test_what_is_checked_are_the_bytes_on_the_disk(tmp_path, monkeypatch) -> None:
    scorer, _, _ = make_scorer()
    read = []
    programs = {".pt2": (lambda *given: b"new", lambda data: read.append(data) or scorer)}
    monkeypatch.setattr(program_files, "SUFFIXES", programs)
    write_program(scorer, HEIGHT, WIDTH, ABOUT, tmp_path / "net.pt2")
    assert read == [(tmp_path / "net.pt2").read_bytes()] == [b"new"]


def test_a_checkpoint_that_gives_no_numbers_is_not_exported(tmp_path: Path) -> None:
    scorer, _, _ = make_scorer()
    scorer.offset = float("nan")
    with pytest.raises(UserError, match="gives scores that are no numbers, so it is not exported"):
        write_program(scorer, HEIGHT, WIDTH, ABOUT, tmp_path / "net.pt2")
    assert not list(tmp_path.iterdir())


class Rounding(nn.Module):
    """Leaves float32 one digit of what float64 keeps."""

    def forward(self, left, right):
        return (left - right).sum(dim=1) + 1e6 - 1e6


def test_where_float32_itself_is_inexact_a_program_may_be_too() -> None:
    scorer, _, _ = make_scorer()
    pairs = program_files._pairs_to_try(HEIGHT, WIDTH)
    assert sum(len(left) for left, _ in pairs) == 27
    assert {one.limit for one in program_files._expect(scorer, pairs)} == {TOLERANCE}
    scorer.head = Rounding()
    rounded = program_files._expect(scorer, pairs)
    assert max(one.limit for one in rounded) > TOLERANCE

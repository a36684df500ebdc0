"""A tagger comes back as it was written, or one line says why not."""

import hashlib
import json
import math
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from untrained_net import save_untrained
from untrained_tagger import HEADS, save_untrained_tagger

from seentwice.errors import UserError
from seentwice.models.checkpoint import read_record
from seentwice.models.tagger_checkpoint import (
    FORMAT,
    open_tagger_checkpoint,
    read_tagger_record,
)
from seentwice.models.trunk import TrainedBlocks


@pytest.mark.parametrize("bundled", [False, True])
@pytest.mark.parametrize("blocks", [0, 1])
def test_a_tagger_comes_back_as_it_was(
    blocks: TrainedBlocks, bundled: bool, tmp_path: Path
) -> None:
    path = tmp_path / "a.safetensors"
    tagger, trunk = save_untrained_tagger(path, blocks, bundled=bundled)
    opened = open_tagger_checkpoint(path, None, "weights=")
    state, found = tagger.state_dict(), opened.tagger.state_dict()
    assert state.keys() == found.keys()
    assert all(torch.equal(state[name], found[name]) for name in state)
    assert opened.record.architecture.heads == HEADS
    assert opened.record.learned_photos == ("0123456789abcdef",)
    assert math.isnan(opened.record.test_metrics["front/roc_auc"])
    looks = torch.zeros(2, 3, 72, 96)
    torch.testing.assert_close(opened.trunk.stages.eval()(looks), trunk.stages.eval()(looks))


def test_the_record_is_plain_json_with_its_sha256(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_untrained_tagger(path)
    with safe_open(path, framework="pt") as stream:
        metadata = stream.metadata()
        learned = stream.get_tensor("learned_photos").numpy().tobytes()
    assert metadata["format"] == FORMAT == "seentwice-tagger-1"
    assert json.loads(metadata["seentwice"])["architecture"]["heads"][0] == {
        "name": "front",
        "labels": ["front", "room"],
    }
    whole = metadata["seentwice"].encode() + learned
    assert metadata["record_sha256"] == hashlib.sha256(whole).hexdigest()


def test_a_tagger_and_a_siamese_net_are_told_apart(tmp_path: Path) -> None:
    tagger, net = tmp_path / "tagger.safetensors", tmp_path / "net.safetensors"
    save_untrained_tagger(tagger)
    save_untrained(net, 0)
    with pytest.raises(UserError, match=r"of another kind.*that seentwice train wrote"):
        read_record(tagger)
    with pytest.raises(UserError, match=r"of another kind.*that seentwice tagger wrote"):
        read_tagger_record(net)


def test_changed_weights_and_another_trunk_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_untrained_tagger(path)
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"weights do not fit its record|record is damaged"):
        open_tagger_checkpoint(path, None, "weights=")
    with pytest.raises(UserError, match=r"no such file; give the checkpoint\.safetensors that"):
        open_tagger_checkpoint(tmp_path / "b", None, "weights=")


def test_a_file_that_was_cut_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_untrained_tagger(path)
    for cut in (10, 200, len(path.read_bytes()) // 2):
        other = tmp_path / f"{cut}.safetensors"
        other.write_bytes(path.read_bytes()[:cut])
        with pytest.raises(UserError) as raised:
            open_tagger_checkpoint(other, None, "weights=")
        assert "\n" not in str(raised.value)

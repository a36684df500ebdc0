"""A checkpoint gets the trunk back that it was trained on, or says what to give."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_checkpoints import small_record
from torchvision import models

from seentwice.errors import UserError
from seentwice.models import checkpoint_trunk
from seentwice.models.backbones import build_trunk
from seentwice.models.checkpoint import (
    CheckpointRecord,
    load_checkpoint,
    read_record,
    save_checkpoint,
)
from seentwice.models.checkpoint_trunk import rebuild_trunk
from seentwice.models.nets import build_siamese
from seentwice.models.trunk import Trunk, fingerprint_frozen
from seentwice.models.weights import NoDownloadError


def save_one(path: Path, trunk: Trunk, bundled: bool, trained_blocks: int = 0) -> CheckpointRecord:
    record = replace(small_record(trunk, trained_blocks), bundled=bundled)
    net = build_siamese(record.architecture, trunk, 9)
    save_checkpoint(path, net, record, trunk.frozen if bundled else None)
    return record


@pytest.fixture
def from_file(tmp_path: Path) -> Trunk:
    """A frozen trunk with weights of a file."""
    torch.manual_seed(5)
    file = tmp_path / "own.safetensors"
    save_file(models.mobilenet_v3_small().state_dict(), file)
    return build_trunk("mobilenet_v3_small", str(file), "average", 0, "eval", 3)


@pytest.mark.parametrize("trained_blocks", [0, 1])
def test_a_bundle_needs_no_other_file(tmp_path: Path, trained_blocks: int) -> None:
    path = tmp_path / "a.safetensors"
    trunk = build_trunk("compact", "none", "average", trained_blocks, "eval", 77)
    save_one(path, trunk, True, trained_blocks)
    record = read_record(path)
    assert record.bundled
    again = rebuild_trunk(path, record, None, "weights=")  # of another seed
    assert fingerprint_frozen(again) == fingerprint_frozen(trunk)
    load_checkpoint(path, record, again)
    photos = torch.randn(2, 3, 72, 96)
    with torch.no_grad():
        assert torch.equal(again.frozen(photos), trunk.frozen(photos))


def test_a_bundle_refuses_weights_and_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    record = save_one(path, build_trunk("compact", "none", "average", 0, "eval", 3), True)
    with pytest.raises(UserError, match=r"^--weights x: has no effect, since the checkpoint holds"):
        rebuild_trunk(path, record, "x", "--weights ")
    whole = path.read_bytes()
    names = [name for name in load_file(path) if name.startswith("frozen.")]
    assert names
    for damaged in (whole[:-100], whole.replace(b"frozen.1.0", b"frozen.9.0")):
        assert damaged != whole
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"its frozen trunk is damaged \(.*\); copy it again$"):
            rebuild_trunk(path, record, None, "weights=")
    path.write_bytes(whole)
    state = load_file(path)
    changed = bytearray(whole)
    at = whole.index(state[names[0]].numpy().tobytes())
    changed[at] ^= 1
    path.write_bytes(changed)
    with pytest.raises(UserError, match=r"is damaged \(they are not those that were written\)"):
        rebuild_trunk(path, record, None, "weights=")


def test_a_trunk_that_trained_as_a_whole_refuses_weights_too(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    trunk = build_trunk("compact", "none", "average", "all", "eval", 3)
    record = replace(
        small_record(trunk),
        architecture=replace(small_record(trunk).architecture, trained_blocks="all"),
    )
    save_checkpoint(path, build_siamese(record.architecture, trunk, 9), record)
    assert rebuild_trunk(path, record, None, "weights=").cut == 0
    with pytest.raises(UserError, match=r"^weights=imagenet: has no effect, since the checkpoint"):
        rebuild_trunk(path, record, "imagenet", "weights=")


def test_weights_of_a_file_are_asked_for_in_the_words_of_the_command(
    tmp_path: Path, from_file: Trunk
) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    path = folder / "a.safetensors"
    record = save_one(path, from_file, False)
    for option in ("weights=", "--weights "):
        message = rf"its frozen trunk came from own.safetensors, .* give {option}FILE$"
        with pytest.raises(UserError, match=message):
            rebuild_trunk(path, record, None, option)
        with pytest.raises(UserError, match=rf"^{option}gone: no such file$"):
            rebuild_trunk(path, record, "gone", option)
    again = rebuild_trunk(path, record, from_file.weights, "weights=")
    assert fingerprint_frozen(again) == record.trunk_fingerprint
    other = rebuild_trunk(path, record, "none", "weights=")
    with pytest.raises(UserError, match="was trained on another mobilenet_v3_small trunk"):
        load_checkpoint(path, record, other)


def test_weights_beside_the_checkpoint_are_found_by_their_name_alone(
    tmp_path: Path, from_file: Trunk
) -> None:
    path = tmp_path / "a.safetensors"
    record = save_one(path, from_file, False)
    assert rebuild_trunk(path, record, None, "weights=").weights == from_file.weights
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    other = folder / "b.safetensors"
    elsewhere = replace(record, trunk_weights=from_file.weights)  # of a forged record
    with pytest.raises(UserError, match=r"came from own.safetensors, which is neither here nor"):
        rebuild_trunk(other, elsewhere, None, "weights=")


@pytest.mark.parametrize(
    ("remedies", "advice"),
    [
        (("put that file at CACHE",), "put that file at CACHE, or give weights=FILE.safetensors"),
        ((), "give weights=FILE.safetensors"),
    ],
)
def test_without_a_network_its_own_key_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remedies: tuple[str, ...], advice: str
) -> None:
    def build(*arguments: object) -> None:
        raise NoDownloadError("cannot download URL (no network)", remedies)

    path = tmp_path / "a.safetensors"
    trunk = build_trunk("compact", "none", "average", 0, "eval", 3)
    record = replace(save_one(path, trunk, False), trunk_weights="imagenet")
    monkeypatch.setattr(checkpoint_trunk, "build_trunk", build)
    with pytest.raises(UserError) as error:
        rebuild_trunk(path, record, None, "weights=")
    assert str(error.value) == (
        f"checkpoint {path}: its frozen trunk has published weights: cannot download URL (no "
        f"network); {advice}"
    )


def test_photos_are_preprocessed_as_in_the_training(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    trunk = build_trunk("compact", "none", "average", 0, "eval", 3)
    other = replace(trunk.preprocessing, height_px=40, normalisation="samespace")
    record = save_one(path, replace(trunk, preprocessing=other), False)
    assert rebuild_trunk(path, record, None, "weights=").preprocessing == other

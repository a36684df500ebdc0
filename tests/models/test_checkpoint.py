import json
import math
import pickle
from dataclasses import asdict, replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from seentwice.errors import UserError
from seentwice.models.backbones import build_trunk
from seentwice.models.checkpoint import (
    FORMAT,
    CheckpointRecord,
    Protocol,
    load_checkpoint,
    read_record,
    save_checkpoint,
)
from seentwice.models.engines import Passing
from seentwice.models.heads import HEADS
from seentwice.models.nets import Architecture, build_siamese, pair_logits
from seentwice.models.towers import TOWERS
from seentwice.models.trunk import fingerprint_frozen


def make_trunk(seed=3, trained_blocks=0):
    return build_trunk("compact", "none", "average", trained_blocks, "eval", seed)


def make_record(trunk, trained_blocks=0, tower="linear", head="l2", settings=None):
    architecture = Architecture(
        "compact", "average", trained_blocks, "eval", tower, 8, head, settings or {}
    )
    return CheckpointRecord(
        architecture=architecture,
        preprocessing=trunk.preprocessing,
        trunk_weights="none",
        trunk_seed=3,
        trunk_fingerprint=fingerprint_frozen(trunk),
        bundled=False,
        row_type="float32",
        passing=Passing("torch", "bfloat16"),
        calibration_slope=1 / 3,
        calibration_offset=-2e-17,
        threshold=0.1 + 0.2,
        data_name="Küche 🏠",
        data_fingerprint="f" * 64,
        learned_photos=("0123456789abcdef", "f" * 16),
        mined_by="",
        seed=0,
        protocol=Protocol({"test_share": 0.2, "seed": 0}, {"train": ["crop"]}, {"train": {}}),
        test_metrics={"average_precision": 2 / 3},
        versions={"torch": "2.12"},
        machine="a processor, 2 cores, 4 GiB",
        git_commit=None,
    )


def trained(record, trunk):
    """A net whose every weight and statistic is some number other than at its start."""
    net = build_siamese(record.architecture, trunk, seed=9)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in net.state_dict().values():
            if tensor.is_floating_point():
                tensor.add_(0.1 * torch.rand(tensor.shape, generator=generator))
            else:
                tensor.add_(17)
    return net


def inputs_of(record):
    generator = torch.Generator().manual_seed(1)
    if record.architecture.trained_blocks == "all":
        return torch.randint(256, (6, 3, 32, 48), dtype=torch.uint8, generator=generator)
    if record.architecture.trained_blocks == 1:
        return torch.randn(6, 96, 8, 12, generator=generator)
    return torch.randn(6, 128, generator=generator)


AGAIN = r"\); copy it again, or give the checkpoint\.safetensors that seentwice train wrote$"
LEFT, RIGHT = torch.tensor([0, 1, 2, 3, 4, 0]), torch.tensor([1, 2, 3, 4, 5, 0])


@pytest.fixture
def saved(tmp_path):
    """A checkpoint with a frozen trunk."""
    trunk = make_trunk()
    record = make_record(trunk)
    save_checkpoint(tmp_path / "a.safetensors", trained(record, trunk), record)
    return tmp_path / "a.safetensors"


def save_with(path, metadata):
    save_file({"a": torch.zeros(1)}, path, metadata=metadata)


@pytest.mark.parametrize("trained_blocks", [0, 1, "all"])
@pytest.mark.parametrize("tower", sorted(TOWERS))
@pytest.mark.parametrize("head", sorted(HEADS))
def test_a_net_that_is_loaded_gives_exactly_the_same_scores(tmp_path, trained_blocks, tower, head):
    path = tmp_path / "a.safetensors"
    settings = {
        "concat": {"hidden": [16], "dropout": 0.5},
        "product": {"hidden": [16, 8], "dropout": [0.5, 0.0]},
        "l1": {"start_scale": 5.0},
        "l2": {"start_scale": 5.0},
    }.get(head, {})
    record = make_record(make_trunk(3, trained_blocks), trained_blocks, tower, head, settings)
    net = trained(record, make_trunk(3, trained_blocks))
    expected = pair_logits(net, inputs_of(record), LEFT, RIGHT)
    save_checkpoint(path, net, record)
    torch.manual_seed(99)
    # A trunk that trained comes from the checkpoint, whatever the given one holds.
    given = make_trunk(4 if trained_blocks == "all" else 3, trained_blocks)
    loaded = load_checkpoint(path, read_record(path), given)
    assert not loaded.training
    assert torch.equal(pair_logits(loaded, inputs_of(record), LEFT, RIGHT), expected)


def test_the_record_comes_back_as_it_was(saved):
    assert read_record(saved) == make_record(make_trunk())


def test_a_frozen_trunk_is_not_stored(saved):
    with safe_open(saved, framework="pt") as stream:
        names = set(stream.keys())
        metadata = stream.metadata()
    assert names == {
        "tower.projection.weight",
        "tower.projection.bias",
        "head.raw_weight",
        "head.bias",
        "learned_photos",
    }
    assert set(metadata) == {"format", "seentwice", "record_sha256", "net_sha256"}
    assert "learned_photos" not in metadata["seentwice"]
    assert metadata["format"] == FORMAT


def test_another_frozen_trunk_is_refused(saved):
    record = read_record(saved)
    message = r"was trained on another compact trunk \(weights none\); give the same weights$"
    with pytest.raises(UserError, match=message):
        load_checkpoint(saved, record, make_trunk(seed=4))


def test_a_missing_file_is_named(tmp_path):
    for path in (tmp_path / "gone.safetensors", tmp_path):
        with pytest.raises(
            UserError, match=f"checkpoint {path}: no such file; give the checkpoint"
        ):
            read_record(path)


@pytest.mark.parametrize("kept", [0, 4, 100, 0.5, 0.99])
def test_a_truncated_file_is_refused(saved, kept):
    whole = saved.read_bytes()
    saved.write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    message = rf"a\.safetensors: not a whole safetensors file \(.*{AGAIN}"
    with pytest.raises(UserError, match=message):
        read_record(saved)


def test_a_file_that_is_cut_after_its_record_was_read_is_refused(saved):
    record = read_record(saved)
    saved.write_bytes(saved.read_bytes()[:-8])
    with pytest.raises(UserError, match=rf"weights do not fit its record \(.*{AGAIN}"):
        load_checkpoint(saved, record, make_trunk())


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("writer", ["pickle", "torch"])
def test_a_pickle_is_never_opened(tmp_path, writer):
    path, trace = tmp_path / "a.safetensors", tmp_path / "exploded"
    with path.open("wb") as file:
        if writer == "pickle":
            pickle.dump(Bomb(trace), file)
        else:
            torch.save({"net": Bomb(trace)}, file)
    with pytest.raises(UserError, match="not a whole safetensors file"):
        read_record(path)
    with pytest.raises(UserError, match="weights do not fit its record"):
        load_checkpoint(path, make_record(make_trunk()), make_trunk())
    assert not trace.exists()


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("siamese-0", "an older seentwice wrote it {formats}; train it again, or use the version"),
        ("siamese-5", "an older seentwice wrote it {formats}; train it again, or use the version"),
        ("siamese-7", "a newer seentwice wrote it {formats}; update seentwice"),
        ("siamese-999999999", "a newer seentwice wrote it {formats}; update seentwice"),
        ("siamese-x", "of another kind (its format is"),
        ("tagger-6", "of another kind (its format is"),
    ],
)
def test_another_format_is_named_with_the_one_that_is_read(tmp_path, written, complaint):
    written = f"seentwice-{written}"
    save_with(tmp_path / "a.safetensors", {"format": written, "seentwice": "of the future"})
    formats = f"(its format is {written!r}, this version reads {FORMAT!r})"
    with pytest.raises(UserError) as error:
        read_record(tmp_path / "a.safetensors")
    assert f"a.safetensors: {complaint.format(formats=formats)}" in str(error.value)


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}])
def test_weights_of_a_backbone_are_no_checkpoint(tmp_path, metadata):
    save_with(tmp_path / "a.safetensors", metadata)
    with pytest.raises(UserError) as error:
        read_record(tmp_path / "a.safetensors")
    assert str(error.value) == (
        f"checkpoint {tmp_path}/a.safetensors: no checkpoint of seentwice; give the one that "
        "seentwice train wrote. Weights of a backbone are given as backbone.weights=FILE to train "
        "and compare"
    )


def damage(**changes):
    """The record's JSON with some fields replaced, or left out where the value is ...."""
    fields = asdict(make_record(make_trunk())) | changes
    return json.dumps({name: value for name, value in fields.items() if value is not ...})


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{",
        "[]",
        damage(threshold=...),
        damage(threshold="high"),
        damage(seed=None),
        damage(architecture={"backbone": "compact"}),
        damage(protocol=[1]),
        damage(protocol={"split": {}, "edits": {}}),
        damage(protocol={"split": "x", "edits": {}, "sampling": {}}),
        damage(trunk_seed=-1),
        damage(calibration_slope=math.inf),
        damage(
            architecture=asdict(make_record(make_trunk()).architecture) | {"embedding_size": -1}
        ),
    ],
)
def test_a_damaged_record_is_refused(tmp_path, text):
    path = tmp_path / "a.safetensors"
    save_with(path, {"format": FORMAT} | ({} if text is None else {"seentwice": text}))
    with pytest.raises(UserError, match=rf"a\.safetensors: its record is damaged \(.*{AGAIN}"):
        read_record(path)


def test_every_error_is_one_line(tmp_path, saved):
    path = tmp_path / "b.safetensors"
    save_with(path, {"format": FORMAT, "seentwice": damage(threshold="high", seed="x")})
    with pytest.raises(UserError) as error:
        read_record(path)
    assert "\n" not in str(error.value)
    wide = read_record(saved)
    wide = replace(wide, architecture=replace(wide.architecture, embedding_size=9))
    with pytest.raises(UserError, match="weights do not fit its record") as error:
        load_checkpoint(saved, wide, make_trunk())
    assert "\n" not in str(error.value)


def test_a_record_that_names_no_such_head_is_refused(saved):
    record = read_record(saved)
    other = replace(record, architecture=replace(record.architecture, head="l3"))
    with pytest.raises(UserError, match="choose one of concat, contrastive, infonce, l1, l2"):
        load_checkpoint(saved, other, make_trunk())


@pytest.mark.parametrize(
    "changes",
    [
        {"head_settings": {"start_scale": "x"}},
        {"head_settings": {"width": 3}},
        {"head_settings": {"start_scale": 10**400}},
        {"head": "concat", "head_settings": {"hidden": [1] * 10_000}},
        {"head": "concat", "head_settings": {"hidden": [10**30]}},
        {"tower": "high"},
    ],
)
def test_a_record_that_builds_no_net_is_damaged(saved, changes):
    record = read_record(saved)
    other = replace(record, architecture=replace(record.architecture, **changes))
    message = rf"a\.safetensors: its record is damaged \(.*{AGAIN}"
    with pytest.raises(UserError, match=message) as error:
        load_checkpoint(saved, other, make_trunk())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"embedding_size": 10**15},
        {"head": "concat", "head_settings": {"hidden": [10**12]}},
        {"shared_towers": False},
    ],
)
def test_a_record_of_a_larger_net_than_its_weights_takes_no_memory(saved, changes):
    record = read_record(saved)
    other = replace(record, architecture=replace(record.architecture, **changes))
    with pytest.raises(UserError, match=rf"weights do not fit its record \(.*{AGAIN}"):
        load_checkpoint(saved, other, make_trunk())


def test_a_file_that_vanished_is_told(saved):
    record = read_record(saved)
    saved.unlink()
    with pytest.raises(UserError, match=r"a\.safetensors: weights do not fit its record"):
        load_checkpoint(saved, record, make_trunk())


def refuse_constant(name):
    raise ValueError(f"{name} is no JSON")


def test_an_undefined_metric_is_null_in_the_record_and_nan_again(tmp_path):
    trunk = make_trunk()
    record = replace(make_record(trunk), test_metrics={"precision": math.nan, "recall": 0.0})
    save_checkpoint(tmp_path / "a", trained(record, trunk), record)
    with safe_open(tmp_path / "a", framework="pt") as stream:
        text = stream.metadata()["seentwice"]
    written = json.loads(text, parse_constant=refuse_constant)
    assert written["test_metrics"] == {"precision": None, "recall": 0.0}
    read = read_record(tmp_path / "a").test_metrics
    assert math.isnan(read["precision"])
    assert read["recall"] == 0


def test_a_name_that_is_not_utf_8_can_be_stored(tmp_path):
    trunk = make_trunk()
    record = replace(make_record(trunk), data_name="caf\udce9", trunk_weights="/data/caf\udce9")
    save_checkpoint(tmp_path / "a", trained(record, trunk), record)
    read = read_record(tmp_path / "a")
    assert (read.data_name, read.trunk_weights) == ("caf?", "/data/caf?")  # JSON has no such bytes


def test_saving_leaves_the_old_checkpoint_when_it_fails(saved):
    before = saved.read_bytes()
    record = replace(make_record(make_trunk()), protocol=Protocol({"not JSON": object()}, {}, {}))
    with pytest.raises(TypeError):
        save_checkpoint(saved, trained(record, make_trunk()), record)
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == [saved.name]

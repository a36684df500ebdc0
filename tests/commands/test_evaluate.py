"""What a checkpoint claims is reproduced, or which number is not; the exit code says it, too."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from seentwice.commands.fingerprint import digest_name
from seentwice.commands.main import main
from seentwice.files import digest_file
from seentwice.models.checkpoint import CHECKPOINT_FILE, read_record, save_checkpoint
from seentwice.models.opened_checkpoint import open_checkpoint


@pytest.fixture(scope="module")
def trained(few_rooms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training whose frozen trunk is stored, too."""
    folder = tmp_path_factory.mktemp("train")
    words = [
        "data=folder",
        f"data.root={few_rooms}",
        "backbone.trained_blocks=0",
        "training=table",
        "training.epochs=2",
        "bundle=true",
        "workers=1",
    ]
    assert main(["train", *words, f"hydra.run.dir={folder}"]) == 0
    return folder


def evaluate(checkpoint: Path, root: Path, out: Path, *words: str) -> tuple[int, bytes]:
    code = main(
        [
            "evaluate",
            f"checkpoint={checkpoint}",
            "data=folder",
            f"data.root={root}",
            f"hydra.run.dir={out}",
            "workers=1",
            *words,
        ]
    )
    written = out / "metrics.json"
    return code, written.read_bytes() if written.is_file() else b""


def test_a_bundle_reproduces_itself_byte_for_byte(
    trained: Path, few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = tmp_path / "elsewhere.safetensors"
    shutil.copyfile(trained / CHECKPOINT_FILE, alone)
    assert read_record(alone).bundled
    code, first = evaluate(alone, few_rooms, tmp_path / "a")
    assert code == 0
    said = capsys.readouterr().out
    found = json.loads(first)
    assert f"Reproduced: {len(found['claimed'])} numbers to within 0.0005; the largest" in said
    assert found["reproduced"] is True
    assert found["data_is"] == "own"
    assert set(found["difference"]) == set(found["claimed"]) == set(found["measured"])
    for name, difference in found["difference"].items():
        if difference:
            assert difference == found["measured"][name] - found["claimed"][name]
    # Also where the bank has none of it.
    code, again = evaluate(alone, few_rooms, tmp_path / "b", "bank.folder=null")
    assert (code, again) == (0, first)


def test_a_bundle_refuses_weights(
    trained: Path, few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(trained, few_rooms, tmp_path / "a", "weights=x")[0] == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "weights=x: has no effect, since the checkpoint holds its whole trunk" in line


def test_a_false_claim_is_told_and_gives_exit_code_1(
    trained: Path, few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = open_checkpoint(trained, None, "weights=")
    record = opened.record
    wrong = record.test_metrics | {"average_precision": record.test_metrics["roc_auc"] - 0.7}
    false = replace(record, test_metrics=wrong, versions=record.versions | {"torch": "1.0"})
    other = tmp_path / "false.safetensors"
    save_checkpoint(other, opened.net, false, opened.trunk.frozen)
    code, written = evaluate(other, few_rooms, tmp_path / "a")
    assert code == 1
    found = json.loads(written)
    assert found["reproduced"] is False
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith("Not reproduced (tolerance=0.0005): average_precision is ")
    assert f"instead of {wrong['average_precision']:.4f}" in lines[-2]
    assert lines[-1].startswith("Since the training changed: torch 1.0, now ")
    assert lines[-1].endswith("features by torch in float32, kept as float32")
    assert evaluate(other, few_rooms, tmp_path / "b", "tolerance=1")[0] == 0
    assert evaluate(other, few_rooms, tmp_path / "c", "tolerance=2")[0] == 2
    assert "tolerance=2: Input should be less than or equal to 1" in capsys.readouterr().err


def test_its_own_data_are_asked_for_where_none_are_given(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = open_checkpoint(trained, None, "weights=")
    other = tmp_path / "other.safetensors"
    record = replace(opened.record, data_name="kitchens")
    save_checkpoint(other, opened.net, record, opened.trunk.frozen)
    words = ["evaluate", f"checkpoint={other}", f"hydra.run.dir={tmp_path / 'a'}"]
    assert main(words) == 2
    assert "learned from kitchens, and no data are given; name its" in capsys.readouterr().err


def test_other_data_are_a_transfer_that_is_said_first(
    trained: Path, spare_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, written = evaluate(trained, spare_rooms, tmp_path / "a", "edits=mls")
    found = json.loads(written)
    assert (code, found["reproduced"], found["data_is"]) == (0, None, "other")
    said = capsys.readouterr().out
    learned = len(read_record(trained / CHECKPOINT_FILE).learned_photos)
    assert f"{learned} of the {learned} photos of " in " ".join(said.split())
    assert said.index("measured is a transfer result") < said.index("Decoded ")
    assert "eproduced" not in said


def test_changed_data_are_said_first_and_measured_as_before(
    trained: Path, few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "rooms"
    shutil.copytree(few_rooms, root)
    learned = set(read_record(trained / CHECKPOINT_FILE).learned_photos)
    tested = next(
        photo
        for photo in sorted(root.rglob("*.jpg"))
        if digest_name(digest_file(photo)) not in learned
    )
    tested.write_bytes(tested.read_bytes() + b"more")
    code, written = evaluate(trained, root, tmp_path / "a", "edits=mls")
    found = json.loads(written)
    # The same pixels.
    assert (code, found["reproduced"], found["data_is"]) == (0, True, "changed")
    said = capsys.readouterr().out
    assert said.index("has changed since the training") < said.index("Decoded ")
    assert "edits=mls has no effect" in said

"""Heads that train embeddings: trained, measured, evaluated and compared as any other."""

import json
from pathlib import Path

import pytest
import torch
from mlflow import MlflowClient
from safetensors.torch import load_file

from seentwice.commands.main import main
from seentwice.learn.tracking import RUN_FILE
from seentwice.models.checkpoint import CHECKPOINT_FILE, read_record

FROZEN = [
    "backbone.trained_blocks=0",
    "training=table",
    "tower=whitened",
    "optimizer=adamw",
    "training.epochs=2",
    "workers=1",
]


@pytest.fixture(scope="module")
def photos(few_rooms: Path) -> list[str]:
    return ["data=folder", f"data.root={few_rooms}"]


def test_a_checkpoint_measures_what_training_claimed(
    photos: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["head=triplet", "head.triplet.mining=batch_hard", "training.batches_per_epoch=2"]
    words.append(f"hydra.run.dir={tmp_path / 'a'}")
    assert main(["train", *photos, *FROZEN, *words]) == 0
    said = capsys.readouterr().out
    assert "triplet trains on batches of 16 places with up to 4 views each" in said
    assert "no head trains on the table of training pairs\n" in said
    distance = float(said.partition("The same place up to a distance of ")[2].split()[0])
    metrics = MlflowClient().get_run((tmp_path / "a" / RUN_FILE).read_text().strip()).data.metrics
    assert "train/loss" in metrics
    assert "validation/loss" not in metrics  # it would be another one
    record = read_record(tmp_path / "a" / CHECKPOINT_FILE)
    assert record.architecture.head_settings == {"margin": 0.2, "mining": "batch_hard"}
    logit = 10 - 10 * distance**2
    probability = torch.tensor(record.calibration_slope * logit + record.calibration_offset)
    assert probability.sigmoid().item() == pytest.approx(record.threshold, abs=0.01)
    words = [f"checkpoint={tmp_path / 'a'}", f"hydra.run.dir={tmp_path / 'b'}", "workers=1"]
    assert main(["evaluate", *photos, *words]) == 0
    found = json.loads((tmp_path / "b" / "metrics.json").read_text())
    assert found["measured"] == pytest.approx(found["claimed"], abs=1e-6, nan_ok=True)


def test_a_training_says_why_it_ended_early(
    photos: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["head=l2", "optimizer.lr=1e-9", "training.epochs=9", "training.patience=1"]
    words += ["tower=linear", f"hydra.run.dir={tmp_path}"]
    assert main(["train", *photos, *FROZEN, *words]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Stopped after 2 of 9 epochs: 1 without a better average precision of the" in said


def test_the_tower_trains_for_a_head_that_learns_nothing(photos: list[str], tmp_path: Path) -> None:
    towers = {}
    for head in ("l2", "contrastive"):
        folder = tmp_path / head
        assert main(["train", *photos, *FROZEN, f"head={head}", f"hydra.run.dir={folder}"]) == 0
        towers[head] = load_file(folder / CHECKPOINT_FILE)["tower.projection"]
    moved = (towers["l2"] - towers["contrastive"]).abs().max()
    assert 0 < moved < 0.1  # both start at the whitening


def test_all_are_compared_with_a_head_of_pairs(
    photos: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "head=[l2,contrastive,infonce]",
        "baselines=[]",
        "edits.train=[hflip]",
        "training.batch_size=8",
        "training.batches_per_epoch=2",
        "training.epochs=1",
        "training.monitor=loss",  # for l2
        "bootstrap_resamples=5",
        f"hydra.run.dir={tmp_path}",
    ]
    assert main(["compare", *photos, *FROZEN, *words]) == 0
    said = capsys.readouterr().out
    monitor = "its monitor is average_precision"
    assert f"contrastive trains on the table of training pairs; {monitor}\n" in said
    assert "infonce trains on batches of up to 8 photos, each beside an edited copy" in said
    results = json.loads((tmp_path / "results.json").read_text())
    names = {detector["name"] for detector in results["detectors"] if detector["is_head"]}
    assert names == {"l2", "contrastive", "infonce"}

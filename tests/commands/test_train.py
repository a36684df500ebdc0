import json
from pathlib import Path

import pytest
from mlflow import MlflowClient
from safetensors.torch import load_file

from seentwice.commands.main import main
from seentwice.commands.train import CHECKPOINT_FILE, RUN_FILE
from seentwice.learn.training import EpochReport
from seentwice.models.checkpoint import read_record

FROZEN = ["backbone=mobilenet_v3_large", "backbone.weights=none", "training.epochs=3"]


@pytest.fixture(scope="module")
def quick(few_rooms: Path) -> list[str]:
    return [
        "data=folder",
        f"data.root={few_rooms}",
        "training.epochs=3",
        "training.batches_per_epoch=2",
        "training.places_per_batch=6",
        "workers=1",
    ]


@pytest.fixture(scope="module")
def trained(quick: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    assert main(["train", *quick, f"hydra.run.dir={folder}"]) == 0
    return folder


def measured(folder: Path, *arguments: str) -> dict:
    assert main(["evaluate", f"hydra.run.dir={folder}", "workers=2", *arguments]) == 0
    return json.loads((folder / "metrics.json").read_text())


def test_a_reloaded_checkpoint_measures_what_training_claimed(
    trained: Path, few_rooms: Path, tmp_path: Path
) -> None:
    checkpoint = f"checkpoint={trained / CHECKPOINT_FILE}"
    found = measured(tmp_path, checkpoint, "data=folder", f"data.root={few_rooms}", "seed=9")
    assert found["measured"] == pytest.approx(found["claimed"], abs=1e-6, nan_ok=True)


def test_a_frozen_trunk_is_asked_for_again_and_recognised(
    quick: list[str], few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *quick, *FROZEN, f"hydra.run.dir={tmp_path / 'a'}"]) == 0
    words = [
        f"checkpoint={tmp_path / 'a' / CHECKPOINT_FILE}",
        "data=folder",
        f"data.root={few_rooms}",
    ]
    found = measured(tmp_path / "b", *words)
    assert found["measured"] == pytest.approx(found["claimed"], abs=1e-6, nan_ok=True)
    weights = load_file(tmp_path / "a" / CHECKPOINT_FILE)
    assert not [name for name in weights if name.startswith("trunk")]


def test_other_data_is_said_to_be_a_transfer(
    trained: Path, spare_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = f"checkpoint={trained / CHECKPOINT_FILE}"
    found = measured(tmp_path, checkpoint, "data=folder", f"data.root={spare_rooms}")
    assert "Other data than the checkpoint's" in capsys.readouterr().out
    assert found["data_fingerprint"] != read_record(trained / CHECKPOINT_FILE).data_fingerprint


@pytest.mark.parametrize("name", ["run", "folder"])
def test_a_resumed_training_ends_as_one_that_was_never_stopped(
    name: str, quick: list[str], trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = EpochReport.on_train_epoch_end

    def stop_in_second_epoch(self, trainer, pl_module) -> None:
        if trainer.current_epoch == 1:
            raise KeyboardInterrupt
        report(self, trainer, pl_module)

    with monkeypatch.context() as patch:
        patch.setattr(EpochReport, "on_train_epoch_end", stop_in_second_epoch)
        assert main(["train", *quick, f"hydra.run.dir={tmp_path}"]) == 130
    run_id = (tmp_path / RUN_FILE).read_text().strip()
    client = MlflowClient()
    assert client.get_run(run_id).info.status == "KILLED"
    assert not (tmp_path / CHECKPOINT_FILE).exists()

    resumed = run_id if name == "run" else tmp_path
    other = tmp_path / "elsewhere"
    assert main(["train", f"resume={resumed}", f"hydra.run.dir={other}"]) == 0
    whole, stopped = (load_file(folder / CHECKPOINT_FILE) for folder in (trained, tmp_path))
    assert whole.keys() == stopped.keys()
    assert all(bool((whole[key] == stopped[key]).all()) for key in whole)
    assert client.get_run(run_id).info.status == "FINISHED"
    history = client.get_metric_history(run_id, "validation/average_precision")
    assert len({metric.step for metric in history}) == 3


def test_train_writes_every_epoch_to_mlflow(trained: Path) -> None:
    run = MlflowClient().get_run((trained / RUN_FILE).read_text().strip())
    assert run.info.status == "FINISHED"
    assert {"train/loss", "validation/loss", "test/average_precision"} <= set(run.data.metrics)

"""What makes experiments and checkpoints: which commands run, and what is kept of them."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from experiments import checkpoints, measure
from experiments.measured import read_configs, read_jobs
from experiments.plan import CheckpointPlan, Plan
from seentwice.models.checkpoint import CHECKPOINT_FILE

RUNS = {"first": ("experiment=x", "seed=0"), "second": ("experiment=x", "seed=1")}


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that were run, none of which did more than to write what it should."""
    ran: list[list[str]] = []

    def run(command: Sequence[object], **_: object) -> subprocess.CompletedProcess[str]:
        program, name, *words = map(str, command)
        assert Path(program) == Path(sys.executable).with_name("seentwice")
        ran.append([name, *words])
        options = dict(word.split("=", 1) for word in words if "=" in word)
        if name == "compare":
            job = Path(options["hydra.sweep.dir"], "0")
            job.mkdir(parents=True)
            result = {"command": f"seentwice compare {' '.join(words)}", "detectors": []}
            (job / "results.json").write_text(json.dumps(result))
            (job / "config.yaml").write_text(f"seed: {options['seed']}")
            (job / "precision_recall.png").write_bytes(options["seed"].encode())
        if name == "train":
            folder = Path(options["hydra.run.dir"])
            assert not folder.exists()
            folder.mkdir(parents=True)
            (folder / CHECKPOINT_FILE).write_bytes(b"net")
        return subprocess.CompletedProcess([], int("wrong" in words))

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(measure, "git_commit", lambda: "abc")
    monkeypatch.setattr(measure, "WORK", tmp_path / "measured")
    monkeypatch.setattr(measure, "read_plan", lambda name: Plan(name, RUNS, {}))
    monkeypatch.setattr(checkpoints, "WORK", tmp_path / "trained")
    monkeypatch.setattr(checkpoints, "ROOT", tmp_path)
    (tmp_path / "checkpoints").mkdir()
    return ran


@pytest.mark.parametrize(("commit", "times"), [("abc", 1), ("abc+", 2), (None, 2)])
def test_what_was_measured_at_this_very_commit_is_not_measured_again(
    commit: str | None,
    times: int,
    commands: list[list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measure, "git_commit", lambda: commit)
    folder = tmp_path / "x"
    folder.mkdir()
    for _ in range(2):
        measure.measure_run(folder, "first", RUNS["first"])
    assert len(commands) == times
    assert commands[0][:3] == ["compare", *RUNS["first"]]
    assert commands[0][-1] == "--multirun"


def test_each_run_is_kept_and_the_curves_of_the_first_alone(
    commands: list[list[str]], tmp_path: Path
) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    for run, words in RUNS.items():
        measure.measure_run(folder, run, words)
    assert list(read_jobs(folder)) == ["first", "second"]
    assert read_configs(folder) == {"first": {"seed": 0}, "second": {"seed": 1}}
    assert (folder / "precision_recall.png").read_bytes() == b"0"


@pytest.mark.parametrize("evaluate", [("data=rooms",), ("data=rooms", "wrong")])
def test_a_checkpoint_is_trained_anew_and_measured_in_its_place(
    evaluate: tuple[str, ...], commands: list[list[str]], tmp_path: Path
) -> None:
    left = tmp_path / "trained" / "rooms"
    left.mkdir(parents=True)  # by an earlier training
    plan = CheckpointPlan(("experiment=x", "head=l2"), evaluate)
    assert checkpoints.make_checkpoint("rooms", plan) == ("wrong" not in evaluate)
    assert commands == [
        ["train", "experiment=x", "head=l2", f"hydra.run.dir={left}"],
        ["evaluate", "checkpoint=checkpoints/rooms.safetensors", *evaluate],
    ]
    assert (tmp_path / "checkpoints" / "rooms.safetensors").read_bytes() == b"net"


@pytest.mark.parametrize("module", [measure, checkpoints])
def test_an_experiment_that_is_not_there_is_told_before_anything_is_run(
    module, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr(sys, "argv", ["x", "rooms", "nothing"])
    with pytest.raises(SystemExit, match="2"):
        module.main()
    assert "nothing: no such experiment; choose one of " in capsys.readouterr().err
    assert commands == []


def test_a_run_that_one_of_the_experiments_lacks_is_told_before_anything_is_run(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr(sys, "argv", ["x", "heads", "rooms", "--run", "linear"])
    with pytest.raises(SystemExit, match="2"):
        measure.main()
    assert "rooms has no run linear: choose one of " in capsys.readouterr().err
    assert commands == []


def test_an_experiment_with_a_program_of_its_own_is_measured_by_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[Sequence[object]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: ran.append(command))
    monkeypatch.setattr(sys, "argv", ["x", "visual_embeddings"])
    measure.main()
    assert ran == [[sys.executable, "-m", "experiments.visual_embeddings.measure"]]


def test_an_experiment_with_a_program_of_its_own_has_no_runs(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr(sys, "argv", ["x", "visual_embeddings", "--run", "first"])
    with pytest.raises(SystemExit, match="2"):
        measure.main()
    assert "visual_embeddings has no runs: leave --run out" in capsys.readouterr().err
    assert commands == []

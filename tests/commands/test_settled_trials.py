"""What workers that were killed left of their trials is put in order by the sweep."""

from pathlib import Path

import pytest
from dying_worker import begin_and_die
from mlflow import MlflowClient

from seentwice.commands import sweep
from seentwice.commands.main import main
from seentwice.commands.settled_trials import ENDED_TAG, close_settled
from seentwice.learn.resume_files import BEST, LAST
from seentwice.learn.tracking import RUN_FILE, track_run
from seentwice.models.checkpoint import CHECKPOINT_FILE
from seentwice.sweeps.trials import Status, Trial

PLAN = """\
name: one trial
entrypoint: python3 -m seentwice.commands.train data=folder
searcher: {name: single, metric: validation_loss}
hyperparameters:
  optimizer: {lr: 0.1}
max_restarts: 1
"""


def open_run(folder: Path) -> str:
    """Leave a folder as a training does that is killed, and return the id of its run."""
    with track_run("sweep", "trial 0", {}) as run:
        pass
    MlflowClient().update_run(run.run_id, status="RUNNING")
    folder.mkdir(parents=True)
    (folder / RUN_FILE).write_text(f"{run.run_id}\n")
    for name in (LAST, BEST, ".last.ckpt.partial", "log.txt"):
        (folder / name).touch()
    return run.run_id


def end_of(run_id: str) -> tuple[str, str | None]:
    run = MlflowClient().get_run(run_id)
    return run.info.status, run.data.tags.get(ENDED_TAG)


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def trial_of(folder: Path | str, status: Status, checkpoint: Path | str = "") -> Trial:
    return Trial(0, 0, status, {}, (), 0, "", str(folder), str(checkpoint), 0, "", ())


def test_a_trial_whose_worker_died_too_often_is_closed_tagged_and_tidied(
    few_rooms: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN)
    monkeypatch.setattr(sweep, "run_process", begin_and_die)
    # What the worker would have left of its trial is there before the sweep is.
    monkeypatch.setattr(sweep, "require_own_folder", lambda folder, database: None)
    trial = tmp_path / "sweep" / "trials" / "0000"
    run_id = open_run(trial)
    command = ["sweep", str(tmp_path / "plan.yaml"), f"data.root={few_rooms}"]
    for _ in range(2):  # the second time, nothing is left to do
        assert main([*command, f"folder={tmp_path / 'sweep'}"]) == 2
        complaint = "no trial was measured, the last for this: its worker ended with signal 9"
        assert complaint in capsys.readouterr().err
        assert end_of(run_id) == ("FAILED", "failed")
        assert names_in(trial) == {RUN_FILE, "log.txt"}


def test_a_worker_that_was_killed_after_its_last_word_is_made_up_for(tmp_path: Path) -> None:
    folder = tmp_path / "trial"
    run_id = open_run(folder)
    MlflowClient().set_terminated(run_id, "FINISHED")  # as the training does before that word
    checkpoint = folder / CHECKPOINT_FILE
    checkpoint.touch()
    for _ in range(2):
        close_settled([trial_of(folder, "stopped", checkpoint)])
        assert end_of(run_id) == ("FINISHED", "stopped at rung 1")
        assert names_in(folder) == {RUN_FILE, "log.txt", CHECKPOINT_FILE}


def test_what_is_not_settled_or_not_here_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "trial"
    run_id = open_run(folder)
    before = names_in(folder)
    monkeypatch.chdir(folder)
    close_settled(
        [
            trial_of(folder, "running"),
            trial_of(folder, "stopped"),  # decided, and not done
            trial_of("", "impossible"),  # which never began
            trial_of(folder, "finished", folder / "elsewhere.safetensors"),  # on another machine
            trial_of(tmp_path / "gone", "failed"),
        ]
    )
    assert end_of(run_id) == ("RUNNING", None)
    assert names_in(folder) == before

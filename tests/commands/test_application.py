"""How a command ends: what it leaves behind, and what it says of folders it cannot use."""

import os
import signal
from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from seentwice.commands.application import run_application
from seentwice.commands.stopping import TERMINATED
from seentwice.errors import UserError
from seentwice.learn.tracking import track_run


def fail(config: DictConfig) -> None:
    raise UserError("wrong")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_run_that_wrote_nothing_leaves_no_folder() -> None:
    assert run_application("prepare", fail, []) == 2
    assert run_application("prepare", fail, ["--multirun", "max_pixels=1,2"]) == 2
    assert list(Path().iterdir()) == []


def test_a_run_decides_its_exit_code_and_of_several_the_highest_counts() -> None:
    def end(config: DictConfig) -> int | None:
        return {1: None, 2: 1, 3: 0}[config.max_pixels]

    for number, code in ((1, 0), (2, 1), (3, 0)):
        assert run_application("prepare", end, [f"max_pixels={number}"]) == code
    assert run_application("prepare", end, ["--multirun", "max_pixels=1,2,3"]) == 1
    assert run_application("prepare", end, ["--multirun", "max_pixels=1,3"]) == 0


def test_the_folders_of_other_runs_are_kept() -> None:
    Path("outputs/prepare/mine").mkdir(parents=True)
    Path("multirun/train").mkdir(parents=True)
    assert run_application("prepare", fail, []) == 2
    assert run_application("prepare", fail, ["--multirun", "max_pixels=1,2"]) == 2
    assert [*map(str, sorted(Path().rglob("*")))] == [
        "multirun",
        "multirun/train",
        "outputs",
        "outputs/prepare",
        "outputs/prepare/mine",
    ]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["data=rooms,nothing"], "Could not find 'data/nothing'"),
        (["data=nothing,rooms", "max_pixels=1,2"], "Could not find 'data/nothing'"),
        (["max_pixel=1,2"], "no key 'max_pixel' (did you mean max_pixels?)"),
        (["max_pixels=1,2", "word"], "'word' is not an override"),
    ],
)
def test_a_sweep_that_cannot_be_composed_runs_no_job_and_leaves_nothing(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = []
    for given in (["--multirun", *words], [*words, "-m"]):
        assert run_application("prepare", jobs.append, given) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert complaint in line
    assert jobs == []
    assert list(Path().iterdir()) == []


def test_what_a_failed_run_wrote_is_kept() -> None:
    def write_and_fail(config: DictConfig) -> None:
        (folder,) = Path("outputs/prepare").iterdir()
        (folder / "leaks.csv").touch()
        fail(config)

    assert run_application("prepare", write_and_fail, []) == 2
    assert len(list(Path("outputs/prepare").glob("*/leaks.csv"))) == 1


@pytest.mark.parametrize("plus", ["", "+", "++"])
def test_a_folder_that_the_user_named_is_kept(plus: str) -> None:
    Path("mine").mkdir()
    assert run_application("prepare", fail, [f"{plus}hydra.run.dir=mine"]) == 2
    assert Path("mine").is_dir()
    words = ["--multirun", "max_pixels=1", f"{plus}hydra.sweep.dir=mine"]
    assert run_application("prepare", fail, words) == 2
    assert Path("mine").is_dir()


def test_a_sweep_keeps_what_one_of_its_jobs_wrote() -> None:
    def write_or_fail(config: DictConfig) -> None:
        if config.max_pixels == 2:
            fail(config)
        (Path(HydraConfig.get().runtime.output_dir) / "card.json").touch()

    assert run_application("prepare", write_or_fail, ["--multirun", "max_pixels=1,2"]) == 2
    (sweep,) = Path("multirun/prepare").iterdir()
    assert {path.name for path in sweep.iterdir()} == {"0", "multirun.yaml"}


def test_sigterm_ends_a_run_as_ctrl_c_does(capsys: pytest.CaptureFixture[str]) -> None:
    runs = []

    def be_terminated(config: DictConfig) -> None:
        with track_run("application", "terminated", {}) as run:
            runs.append(run)
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    assert run_application("prepare", be_terminated, []) == TERMINATED == 143
    assert runs[0].client.get_run(runs[0].run_id).info.status == "KILLED"
    assert signal.getsignal(signal.SIGTERM) == before
    assert capsys.readouterr().err == "seentwice prepare: stopped\n"


def test_a_results_folder_that_cannot_be_made_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("outputs").touch()
    assert run_application("prepare", fail, []) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "outputs/prepare" in line
    assert "Not a directory; work in a folder that you may write to" in line
    assert line.endswith("hydra.run.dir=FOLDER")

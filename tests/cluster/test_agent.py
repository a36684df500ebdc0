"""Determined from its command line to the end of a trial, with the real client on both sides.

`det experiment create` posts an experiment to a stand-in for the master; a stand-in for an agent
unpacks what was posted into an empty folder, as a container has it, and starts the entrypoint there
with a Python in which seentwice is not installed.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from determined_master import (
    DeterminedMaster,
    Report,
    open_master,
    trial_environment,
    unpack,
)

from seentwice.models.checkpoint import CHECKPOINT_FILE

ROOT = Path(__file__).resolve().parents[2]
CLIENT = Path(sys.executable).with_name("det")
TOP_FILES = ("constraints.txt", "pyproject.toml", "startup-hook.sh")
MAX_BYTES = 95 * 10**6
NEAR = {"NO_PROXY": "127.0.0.1"}
DECOYS = (
    *("data/raw/airbnb/bedroom/berlin_1_1.jpg", "data/prepared/bank/rows.npy"),
    *(".venv/lib/module.py", "checkpoints/net.safetensors", "outputs/train/last.ckpt"),
    *("mlruns/0/meta.yaml", "mlflow.db", "kaggle.json", ".kaggle/kaggle.json", ".env"),
    *("my photos/bedroom/berlin_1_1.jpg", "photos.zip", "notes/kaggle.json"),
    *("src/seentwice/__pycache__/errors.cpython-311.pyc", "src/seentwice.egg-info/PKG-INFO"),
)

SMALL = ("training.batches_per_epoch=2", "training.places_per_batch=6", "workers=1")

AGENT_FILES = """\
# What a container's files in /run/determined would say, said by the environment.
import sys
from importlib.util import find_spec


class AfterImport:
    def find_spec(self, name, path=None, target=None):
        if name != "determined._info":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        execute = spec.loader.exec_module

        def execute_and_tell(module):
            execute(module)
            info = module.ClusterInfo._from_env()
            info._trial_info = module.TrialInfo._from_env()
            info._rendezvous_info = module.RendezvousInfo(["127.0.0.1"], 0, [1])
            module._info = info

        spec.loader.exec_module = execute_and_tell
        return spec


sys.meta_path.insert(0, AfterImport())
"""


@pytest.fixture(scope="module")
def python_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a `python3` that has all that is installed here but seentwice."""
    folder = tmp_path_factory.mktemp("python")
    venv.EnvBuilder(symlinks=True).create(folder)
    (site,) = folder.glob("lib/python*/site-packages")
    # What it names is not looked through for .pth files, by which seentwice is installed.
    (site / "others.pth").write_text(f"{sysconfig.get_path('purelib')}\nimport agent_files\n")
    (site / "agent_files.py").write_text(AGENT_FILES)
    return folder / "bin"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout with all that must not leave it; read it, never write it."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("src", "configs"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in (*TOP_FILES, ".detignore", "adaptive.yaml", "README.md"):
        shutil.copy(ROOT / name, folder)
    for name in DECOYS:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.truncate(MAX_BYTES)  # takes no room on the disk
    return folder


@pytest.fixture(scope="module")
def posted(
    checkout: Path, few_rooms: Path, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Any]:
    """An experiment of small trainings on a folder that containers see, as the client posts it."""
    if not CLIENT.is_file():
        pytest.skip("the client is not installed as det")
    words = ["python3", "-m", "seentwice.commands.train", "data=folder", f"data.root={few_rooms}"]
    entrypoint = " ".join([*words, *SMALL])
    variables = ["PYTHONPATH=src", "MORE=1"]
    options = (
        f"entrypoint={entrypoint}",
        "hyperparameters.training.patience=7",
        f"environment.environment_variables={json.dumps(variables)}",
    )
    home = str(tmp_path_factory.mktemp("home"))
    with open_master() as master:
        command = [CLIENT, "-m", master.url, "experiment", "create", "adaptive.yaml", "."]
        done = subprocess.run(
            [*command, *(word for option in options for word in ("--config", option))],
            cwd=checkout,
            env={**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, **NEAR},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    assert done.returncode == 0, done.stderr
    assert "Created experiment 1" in done.stdout
    (experiment,) = master.experiments
    expected = yaml.safe_load((ROOT / "adaptive.yaml").read_text())
    expected["entrypoint"] = entrypoint
    expected["hyperparameters"]["training"] = {"patience": 7}  # beside the others
    expected["environment"]["environment_variables"] = variables  # in the place of the others
    assert yaml.safe_load(experiment["config"]) == expected
    return experiment


@dataclass(frozen=True, slots=True)
class Agent:
    """What starts trials."""

    master: DeterminedMaster
    experiment: Mapping[str, Any]  # as it was posted
    storage: Path  # of all checkpoints
    folder: Path  # of its containers
    python_folder: Path
    tracking_uri: str

    def start(
        self, trial: int, run: int, hyperparameters: Mapping[str, object], checkpoint: str | None
    ) -> "Started":
        """Start a trial in a folder that holds what was posted, and nothing else."""
        container = self.folder / f"trial{trial}"  # containers of a trial see the same paths
        shutil.rmtree(container, ignore_errors=True)
        container.mkdir(parents=True)
        unpack(self.experiment["modelDefinition"], container)
        config = yaml.safe_load(self.experiment["config"])
        given = dict(pair.split("=") for pair in config["environment"]["environment_variables"])
        own = trial_environment(self.master, self.storage, hyperparameters, trial, run, checkpoint)
        environment = {
            "PATH": f"{self.python_folder}:{os.environ['PATH']}",
            "HOME": str(container),
            "OMP_NUM_THREADS": "1",
            "MLFLOW_TRACKING_URI": self.tracking_uri,
            **given,
            **own,
        }
        log = self.folder / f"trial{trial}.{run}.txt"
        with log.open("w") as file:
            command = ["sh", "-c", config["entrypoint"]]
            process = subprocess.Popen(
                command, cwd=container, env=environment, stdout=file, stderr=subprocess.STDOUT
            )
        return Started(process, log)

    def run(
        self, trial: int, run: int, hyperparameters: Mapping[str, object], checkpoint: str | None
    ) -> str:
        """Run a trial to its end and return what it said."""
        return self.start(trial, run, hyperparameters, checkpoint).end()


@dataclass(frozen=True, slots=True)
class Started:
    """A trial in its container."""

    process: subprocess.Popen[bytes]
    log: Path

    def end(self) -> str:
        """Wait until it has ended well and return what it said."""
        self.process.wait(timeout=600)
        said = self.log.read_text()
        assert self.process.returncode == 0, said
        return said


@pytest.fixture
def agent(
    master: DeterminedMaster,
    posted: Mapping[str, Any],
    tmp_path: Path,
    python_folder: Path,
    tracking_store: str,
) -> Agent:
    """An agent that knows the experiment."""
    return Agent(master, posted, tmp_path / "kept", tmp_path, python_folder, tracking_store)


def files_below(*folders: Path) -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and ".egg-info" not in path.parent.name
    }


def epochs_of(reports: Sequence[Report]) -> list[float]:
    return [report.metrics["epochs"] for report in reports]


def test_a_trial_of_what_was_posted_trains_and_reports(
    master: DeterminedMaster, agent: Agent
) -> None:
    posted = agent.experiment["modelDefinition"]
    files = {entry["path"] for entry in posted if entry["content"]}
    empty = {entry["path"] for entry in posted if not entry["content"]}
    expected = files_below(ROOT / "src", ROOT / "configs") | set(TOP_FILES)
    assert expected <= files | empty
    assert files <= expected
    assert len(json.dumps(posted)) < MAX_BYTES / 10

    agent.run(1, 1, {"optimizer": {"lr": 0.002}, "training": {"epochs": 2}}, None)
    reports = master.trials[1].of("validation")
    assert [(report.run, report.steps) for report in reports] == [(1, 2), (1, 4)]
    assert epochs_of(reports) == epochs_of(master.trials[1].of("training")) == [1, 2]
    assert master.trials[1].progress == [0.5, 1]
    (kept,) = master.checkpoints
    assert kept["metadata"] == {"steps_completed": 4}
    assert (agent.storage / kept["uuid"] / CHECKPOINT_FILE).is_file()
    assert not master.acknowledged


@pytest.mark.slow
def test_a_trial_of_what_was_posted_is_stopped_and_goes_on(
    master: DeterminedMaster, agent: Agent
) -> None:
    """As `test_trial` has it in one process."""
    small = {"optimizer": {"lr": 0.002}, "training": {"epochs": 3}}
    master.stop("1.1")
    agent.run(1, 1, small, None)
    assert master.acknowledged == ["1.1"]
    (stopped,) = master.checkpoints
    assert stopped["metadata"] == {"steps_completed": 2}
    said = agent.run(1, 2, small, stopped["uuid"])
    assert f"Goes on from checkpoint {stopped['uuid']}" in said
    reports = master.trials[1].of("validation")
    assert [(report.run, report.steps) for report in reports] == [(1, 2), (2, 4), (2, 6)]
    assert epochs_of(reports) == epochs_of(master.trials[1].of("training")) == [1, 2, 3]
    assert master.trials[1].progress[-1] == 1
    assert master.checkpoints[1]["metadata"] == {"steps_completed": 6}
    assert (agent.storage / master.checkpoints[1]["uuid"] / CHECKPOINT_FILE).is_file()
    assert {body["allocationId"] for body in master.checkpoints} == {"1.1", "1.2"}


@pytest.mark.filterwarnings("ignore")  # of the client's
def test_the_file_is_posted_as_it_is_and_what_the_master_refuses_is_told(
    master: DeterminedMaster,
    checkout: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from determined.cli.cli import main  # takes a second

    monkeypatch.chdir(checkout)
    own = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), **NEAR}
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    master.refusal = "invalid experiment configuration"
    with pytest.raises(SystemExit) as end:
        main(["-m", master.url, "experiment", "create", "adaptive.yaml", "."])
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert "Failed to create experiment: invalid experiment configuration" in said
    assert master.experiments[0]["config"] == (ROOT / "adaptive.yaml").read_text()


@pytest.mark.slow
def test_a_sweep_of_several_trials_at_once(master: DeterminedMaster, agent: Agent) -> None:
    """Replay what a searcher may decide: one ends, one stops, one pauses, one is withdrawn."""
    stop_after = {2: 2, 3: 1}  # epochs, by trial, in its first allocation

    def decide(trial: int, report: Report) -> None:
        if report.run == 1 and report.metrics["epochs"] >= stop_after.get(trial, 1000):
            master.stop(f"{trial}.1")

    master.on_report = decide
    master.stop("3.1")
    values: dict[int, dict[str, object]] = {
        1: {"optimizer": {"lr": 0.001}, "training": {"epochs": 4}},
        2: {"optimizer": {"lr": 0.01}, "training": {"epochs": 300}},
        3: {"optimizer": {"lr": 0.002}, "training": {"epochs": 4}},
        4: {"optimizer": {"lr": -1.0}, "training": {"epochs": 4}},
    }
    for started in [agent.start(trial, 1, values[trial], None) for trial in values]:
        started.end()
    (paused,) = (body for body in master.checkpoints if body["allocationId"] == "3.1")
    agent.run(3, 2, values[3], paused["uuid"])

    epochs = {trial: epochs_of(master.trials[trial].of("validation")) for trial in values}
    assert epochs[1] == epochs[3] == [1, 2, 3, 4]
    assert epochs[2] == list(range(1, len(epochs[2]) + 1))
    assert 2 <= len(epochs[2]) < 300
    assert epochs[4] == []
    assert master.trials[4].early_exits == ["EXITED_REASON_INVALID_HP"]
    assert sorted(master.acknowledged) == ["2.1", "3.1"]
    kept = {
        body["allocationId"]: body["metadata"]["steps_completed"] for body in master.checkpoints
    }
    assert kept == {"1.1": 8, "2.1": 2 * len(epochs[2]), "3.1": 2, "3.2": 8}

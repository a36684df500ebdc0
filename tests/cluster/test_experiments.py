"""The experiments at the top: Hydra takes what they try, and agents install what they need."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from seentwice.commands.application import compose_words
from seentwice.commands.training_job import check_settings
from seentwice.commands.trial_words import words_of_trials, words_of_values
from seentwice.sweeps.plan import AdaptiveAsha, Single, read_plan
from seentwice.sweeps.space import Categorical

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENTS = sorted(path.name for path in ROOT.glob("*.yaml") if not path.name.startswith("."))
UNTRAINED = "backbone.weights=none"  # nothing is downloaded


def test_all_of_them_are_tested() -> None:
    assert EXPERIMENTS == [
        "adaptive.yaml",
        "adaptive_heads.yaml",
        "adaptive_rooms.yaml",
        "const.yaml",
    ]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_value_of_an_experiment_makes_a_training(name: str) -> None:
    plan = read_plan(ROOT / name)
    words = words_of_trials(plan, [UNTRAINED])
    choices = {
        key: parameter.vals
        for key, parameter in plan.space.items()
        if isinstance(parameter, Categorical)
    }
    first = plan.values_of(0, plan.seed) | {key: values[0] for key, values in choices.items()}
    # Each beside the first of the others.
    others = [{**first, key: value} for key, values in choices.items() for value in values[1:]]
    for chosen in [first, *others]:
        overrides = [*words, *words_of_values(chosen)]
        config = compose_words("train", overrides)
        check_settings(config, overrides)
        monitor = str(config.training.monitor)
        assert plan.watched.metric == f"validation_{monitor}"
        assert plan.watched.smaller_is_better == (monitor == "loss")
        if isinstance(plan.searcher, AdaptiveAsha):
            assert plan.searcher.time_metric == "epochs"
            assert config.training.epochs == config.training.patience == plan.searcher.max_time


def test_adaptive_is_the_search_of_samespace_and_const_its_best_trial() -> None:
    adaptive, const = (read_plan(ROOT / name) for name in ("adaptive.yaml", "const.yaml"))
    assert isinstance(adaptive.searcher, AdaptiveAsha)
    assert isinstance(const.searcher, Single)
    assert (adaptive.searcher.max_trials, adaptive.searcher.max_time) == (16, 30)
    assert adaptive.seed == const.seed == 0
    assert adaptive.space.keys() == const.space.keys()
    best = const.values_of(0, 0)
    overrides = [*words_of_trials(const, []), *words_of_values(best)]
    config = compose_words("train", overrides)
    assert config == compose_words("train", ["experiment=samespace"])
    values = adaptive.values_of(1, 0)
    config = compose_words("train", ["experiment=samespace", *words_of_values(values)])
    assert config.optimizer.lr == values["optimizer.lr"]
    drawn = [values[f"head.samespace.dropout.{layer}"] for layer in range(3)]
    assert config.head.samespace.dropout == [*drawn, 0]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_container_of_the_experiments_runs_the_package_from_its_folder(name: str) -> None:
    values = yaml.safe_load((ROOT / name).read_text())
    assert values["environment"]["environment_variables"] == ["PYTHONPATH=src"]
    assert values["resources"]["slots_per_trial"] == 1
    assert "kaggle" not in json.dumps(values["environment"]).lower()  # credentials are not posted


PYTHON = """\
#!/bin/bash
# Writes down what pip is to do.
if [ "$1" = -m ]; then
    shift
    echo "$@" > asked.txt
    for word in "$@"; do
        case "$word" in *.txt) cp "$word" .;; esac
    done
else
    exec {python} "$@"
fi
"""


def run_hook(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    """Read the hook as Determined's script does, in a folder with what it needs."""
    for name in ("startup-hook.sh", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    (folder / "python3").write_text(PYTHON.format(python=python))
    (folder / "python3").chmod(0o755)
    script = "set -e; test -f startup-hook.sh && source startup-hook.sh; echo $UNSET-goes on"
    return subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={"PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_hook_pins_what_the_image_lacks_and_nothing_that_it_brings(tmp_path: Path) -> None:
    done = run_hook(tmp_path, sys.executable)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "-goes on\n"
    asked = (tmp_path / "asked.txt").read_text()
    assert asked.startswith("pip install --quiet")
    needed = (tmp_path / "needed.txt").read_text().splitlines()
    assert {"torch>=2.11,!=2.13.0", "hydra-core>=1.3.2", "kaggle>=2.2.4"} <= set(needed)
    assert not any(word.startswith(("pytest", "determined")) for word in needed)
    pinned = (tmp_path / "pinned.txt").read_text()
    assert "torch==" not in pinned  # the Python of these tests brings it


def test_the_hook_pins_everything_where_there_is_nothing(tmp_path: Path) -> None:
    done = run_hook(tmp_path, f"{sys.executable} -S")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "pinned.txt").read_text() == (ROOT / "constraints.txt").read_text().rstrip()


def test_a_trial_does_not_start_where_the_hook_fails(tmp_path: Path) -> None:
    done = run_hook(tmp_path, "false")
    assert done.returncode == 1
    assert done.stdout == ""

"""Every question has its folder, and what was measured is what would be measured today."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from experiments.measured import read_configs, read_jobs
from experiments.plan import COMPARE, FOLDER, list_plans, read_plan

ROOT = FOLDER.parent
QUESTIONS = sorted(path.stem for path in (ROOT / "configs" / "experiment").glob("*.yaml"))
# The photos of the first two need a Kaggle token.
UNMEASURED = {"samespace", "samespace_better"}

# What says where things lie, how fast they go and who is told: no number depends on it.
WITHOUT_EFFECT = ("workers", "max_pixels", "bank", "tracking", "data.root")
# A file or folder of this machine: that there is one counts, not where.
PLACES = ("unlabelled", "backbone.weights", "mining.checkpoint", "weights")
# Keys that came after something was measured, at the value that changes nothing.
LATER: Mapping[str, object] = {
    "split.all_pairs": False,
    "combine": None,
    "backbone.side_px": None,
    "retrieval_pairs": 200000,  # what it measures is beside the pairs
}


def flatten(config: Any, key: str = "") -> dict[str, Any]:
    """Return a configuration as one level, by dotted keys."""
    if not isinstance(config, dict) or not config:
        return {key: config}
    found: dict[str, Any] = {}
    for name, value in config.items():
        found |= flatten(value, f"{key}.{name}" if key else str(name))
    return found


def bearing(config: Any) -> dict[str, Any]:
    """Return the keys that a result depends on."""
    found = {}
    for key, value in flatten(config).items():
        if any(key == other or key.startswith(f"{other}.") for other in WITHOUT_EFFECT):
            continue
        is_file = key in PLACES and value not in (None, "none", "imagenet")
        found[key] = "a file" if is_file else value
    if "combine" in found and "combined" not in config["baselines"]:
        found["combine"] = None  # nobody chooses
    return found


def differences(
    measured: Mapping[str, Any], today: Mapping[str, Any], later: Mapping[str, object]
) -> dict[str, Any]:
    """Return what a result depends on and is not as it was measured."""
    then = {**later, **bearing(measured)}
    now = bearing(today)
    return {
        key: (then.get(key, "absent"), now.get(key, "absent"))
        for key in then.keys() | now.keys()
        if then.get(key, "absent") != now.get(key, "absent")
    }


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_has_its_answer(question: str) -> None:
    if question in UNMEASURED:
        assert f"| {question} |" in (FOLDER / "README.md").read_text()
        assert not read_jobs(FOLDER / question)
        return
    assert (FOLDER / question / "README.md").is_file()
    assert f"({question}/README.md)" in (FOLDER / "README.md").read_text()
    assert list(read_jobs(FOLDER / question)) == sorted(read_plan(question).runs)


@pytest.mark.parametrize("name", list_plans())
def test_what_was_measured_is_what_would_be_measured_today(name: str) -> None:
    configs = read_configs(FOLDER / name)
    plan = read_plan(name)
    for run, jobs in read_jobs(FOLDER / name).items():
        assert {word.split("=")[0] for word in plan.runs[run]} <= {
            word.split("=")[0] for word in jobs[0].words
        }
        with initialize_config_dir(str(ROOT / "configs"), version_base=None):
            config = compose(plan.command, overrides=list(jobs[0].words))
        today = OmegaConf.to_container(config, resolve=True)
        later = LATER if plan.command == COMPARE else {}
        assert not differences(configs[run], today, later), run


@pytest.mark.parametrize("name", list_plans())
def test_every_number_says_where_it_came_from(name: str) -> None:
    plan = read_plan(name)
    for run, jobs in read_jobs(FOLDER / name).items():
        for job in jobs:
            assert f"experiment={name}" in job.words or plan.command != COMPARE
            assert job.results["machine"]
            assert job.results["versions"]
            commit = job.results["git_commit"]
            assert commit
            assert not commit.endswith("+"), f"{run}: files had changed since the commit"


def test_a_changed_key_is_seen_and_a_place_is_not() -> None:
    measured = {"seed": 0, "data": {"root": "a"}, "unlabelled": "x", "workers": 2}
    today = {"seed": 0, "data": {"root": "b"}, "unlabelled": "y", "workers": None}
    assert not differences(measured, today, {})
    assert differences(measured, today | {"seed": 1}, {}) == {"seed": (0, 1)}
    no_file = differences(measured, today | {"unlabelled": None}, {})
    assert no_file == {"unlabelled": ("a file", None)}
    assert differences(measured, {"seed": 0}, {}) == {"unlabelled": ("a file", "absent")}


def test_a_new_key_passes_at_its_old_behaviour_alone() -> None:
    assert differences({"seed": 0}, {"seed": 0, "new": 1}, {}) == {"new": ("absent", 1)}
    assert not differences({"seed": 0}, {"seed": 0, "new": 1}, {"new": 1})
    assert differences({"seed": 0}, {"seed": 0, "new": 2}, {"new": 1}) == {"new": (1, 2)}


def test_a_plan_that_is_not_there_or_wrong_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such experiment; choose one of"):
        read_plan("nothing")
    (tmp_path / "x").mkdir()
    for text, message in (
        ("run: {main: []}\n", "takes command, words, runs, checkpoints"),
        ("", "needs runs"),
        ("command: train\nruns: {main: []}\n", "command is 'train'; choose compare or tagger"),
        ("runs: {main: []}\ncheckpoints: {a: [head=l2]}\n", "a needs train and evaluate"),
    ):
        (tmp_path / "x" / "runs.yaml").write_text(text)
        with pytest.raises(ValueError, match=rf"runs\.yaml: .*{message}"):
            read_plan("x", tmp_path)

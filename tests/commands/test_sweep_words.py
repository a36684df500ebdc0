"""What `seentwice sweep` is given, and what it refuses before any trial starts."""

from pathlib import Path

import pytest

from seentwice.commands.application import compose_words
from seentwice.commands.main import main
from seentwice.commands.sweep import spell_settings
from seentwice.commands.sweep_words import read_words
from seentwice.commands.training_job import check_settings
from seentwice.commands.trial_words import check_plan, words_of_trials, words_of_values
from seentwice.errors import UserError
from seentwice.sweeps.plan import read_plan

ROOT = Path(__file__).resolve().parents[2]
PLAN = """\
name: two rates
entrypoint: python3 -m seentwice.commands.train training=table head=l2 {more}
searcher: {{name: random, metric: validation_loss, max_trials: 2}}
hyperparameters:
  {space}
"""


def write(folder: Path, space: str = "optimizer: {lr: 0.1}", more: str = "") -> Path:
    path = folder / "plan.yaml"
    path.write_text(PLAN.format(space=space, more=more))
    return path


def test_a_file_its_own_keys_and_overrides_are_told_apart() -> None:
    words = ["data=rooms", "plan.yaml", "workers=2", "~edits", "folder=here", "data.seed=1"]
    given = read_words([*words, "storage=sqlite:///a=b.db"])
    assert given.file == Path("plan.yaml")
    assert (given.workers, given.sampler, given.name) == (2, "searcher", None)
    assert (given.folder, given.storage) == (Path("here"), "sqlite:///a=b.db")
    assert given.overrides == ("data=rooms", "~edits", "data.seed=1")


def test_overrides_take_the_place_of_the_entrypoints(tmp_path: Path) -> None:
    plan = read_plan(write(tmp_path))
    assert words_of_trials(plan, ["head=l1", "seed=3"]) == ["training=table", "head=l1", "seed=3"]


def test_the_name_follows_from_the_file_the_sampler_and_the_overrides(tmp_path: Path) -> None:
    plan = read_plan(write(tmp_path))
    other = read_plan(write(tmp_path, "optimizer: {lr: 0.2}"))
    told = [
        spell_settings(plan, ["seed=1"], "searcher"),
        spell_settings(plan, ["seed=2"], "searcher"),
        spell_settings(plan, ["seed=1"], "tpe"),
        spell_settings(other, ["seed=1"], "searcher"),
    ]
    assert len(set(told)) == 4
    assert spell_settings(plan, ["seed=1"], "searcher") == told[0]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "give the file of an experiment configuration, as in seentwice sweep adaptive.yaml"),
        (["a.yaml", "b.yaml"], "'b.yaml' is not an override: write key=value"),
        (["a.yaml", "--multirun"], "--multirun: no such flag; see seentwice sweep --help"),
        (["a.yaml", "workers=0"], "workers=0: give a whole number of processes, 1 or more"),
        (["a.yaml", "workers=2", "workers=1"], "workers is given twice"),
        (["a.yaml", "seed=1", "seed=2"], "seed is given twice"),
        (["a.yaml", "storage=study.db"], "storage: give a URL, such as sqlite:///study.db"),
        (["a.yaml", "name=../up"], "name=../up: up to 100 letters, digits, '.', '_' and '-'"),
        (["a.yaml", "folder="], "folder: give a folder, or leave it out for outputs/sweep/NAME"),
        (["a.yaml", "folder= "], "folder: give a folder, or leave it out for outputs/sweep/NAME"),
        (["a.yaml", "resume=x"], "resume: a sweep goes on by itself; give the command again"),
        (["no.yaml"], "no.yaml: No such file or directory"),
    ],
)
def test_wrong_words_are_one_line(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"seentwice sweep: {complaint}")


@pytest.mark.parametrize(
    ("space", "words", "complaint"),
    [
        (
            "optimizer: {lrr: 0.1}",
            [],
            "plan.yaml: hyperparameters.optimizer.lrr: no key 'optimizer.lrr' (did you mean lr?)",
        ),
        (
            "headd: l2",
            [],
            "plan.yaml: hyperparameters.headd: no key 'headd' (did you mean head?)",
        ),
        (
            "backbone: {type: categorical, vals: [compact, vgg61]}",
            [],
            "plan.yaml: hyperparameters.backbone: In 'train': Could not find 'backbone/vgg61'",
        ),
        (
            "tracking: {register: {type: categorical, vals: [null, homes]}}",
            [],
            "plan.yaml: hyperparameters.tracking.register: a sweep registers none of its trials",
        ),
        ("optimizer: {lr: 0.1}", ["optimizer.lr=1"], "optimizer.lr=1: the sweep chooses it for"),
        ("seed: 1", ["tracking.register=homes"], "sweep: tracking.register=homes: a sweep regi"),
        # Not the plan's.
        ("optimizer: {lr: 0.1}", ["nothing=1"], "seentwice sweep: no key 'nothing'"),
        ("optimizer: {lr: 0.1}", ["data=folder"], "data.root needs a value: give data.root=VALUE"),
        (
            "optimizer: {lr: 0.1}",
            ["sampler=best"],
            "sampler=best: choose one of searcher, tpe",
        ),
        ("optimizer: {lr: 0.1}", ["storage=mysql://a/b"], "storage=mysql://...: give sqlite:///"),
    ],
)
def test_what_no_trial_could_be_trained_with_is_told_before_any_starts(
    space: str,
    words: list[str],
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", str(write(tmp_path, space)), *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line
    assert not list(tmp_path.rglob("trials"))


def test_values_that_do_not_fit_together_are_told_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Each by itself is trained with: the words' experiment has that head, the other one another.
    path = write(tmp_path, "experiment: same_place\n  head: {samespace: {dropout: {'0': 0.3}}}")
    path.write_text(path.read_text().replace("head=l2", "experiment=samespace"))
    assert main(["sweep", str(path), f"folder={tmp_path / 'none'}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("plan.yaml: hyperparameters: no key 'head.samespace': choose one of l2")


def test_the_search_of_samespace_takes_the_rooms_and_a_small_backbone() -> None:
    plan = read_plan(ROOT / "adaptive.yaml")
    words = words_of_trials(plan, ["data=rooms", "backbone=compact"])
    config, remarks = check_plan(plan, words)
    assert (config.backbone.name, config.training.epochs, remarks) == ("compact", 30, [])
    for trial in range(4):
        own = [*words, *words_of_values(plan.values_of(trial, plan.seed))]
        check_settings(compose_words("train", own), own)


def test_another_entrypoint_runs_on_a_cluster_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path)
    path.write_text(path.read_text().replace("seentwice.commands.train", "mine.train"))
    assert main(["sweep", str(path)]) == 2
    said = capsys.readouterr().err
    assert f"sweep: {path}: entrypoint: " in said
    assert "cannot be swept on this machine: give python3 -m seent" in said


def asha(folder: Path, more: str, words: str = "") -> Path:
    path = write(folder, more=words)
    searcher = "{name: adaptive_asha, metric: validation_loss, max_trials: 4, max_time: 9, "
    drawn = "{name: random, metric: validation_loss, max_trials: 2"
    path.write_text(path.read_text().replace(drawn, searcher + more))
    return path


def test_a_training_is_counted_by_epochs_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", str(asha(tmp_path, "time_metric: batches"))]) == 2
    assert "plan.yaml: searcher.time_metric=batches: choose epochs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("searcher", "complaint"),
    [
        (
            "metric: validation_f2",
            "plan.yaml: searcher.metric=validation_f2: choose one of validation_loss, ",
        ),
        (
            "metric: train_loss",  # which a cluster's searcher does not read
            "plan.yaml: searcher.metric=train_loss: choose one of validation_loss, ",
        ),
        (
            "metric: validation_average_precision",
            "plan.yaml: searcher.smaller_is_better: give false with searcher.metric=validation_av",
        ),
    ],
)
def test_a_metric_that_no_training_has_or_that_is_taken_the_wrong_way(
    searcher: str, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path)
    path.write_text(path.read_text().replace("metric: validation_loss", searcher))
    assert main(["sweep", str(path), f"folder={tmp_path / 'none'}"]) == 2
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_a_folder_whose_database_is_gone_stays_as_it_is(
    few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "sweep"
    folder.mkdir()
    (folder / "sweep_id.txt").write_text("one\n")
    words = ["data=folder", f"data.root={few_rooms}", f"folder={folder}"]
    assert main(["sweep", str(write(tmp_path)), *words]) == 2
    assert f"{folder}: its study.db is gone" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["sweep_id.txt"]


def test_a_folder_of_something_else_stays_as_it_is(
    few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "compared"
    folder.mkdir()
    (folder / "report.html").touch()
    words = ["data=folder", f"data.root={few_rooms}"]
    for place, complaint in (
        (folder, "it holds 'report.html' and is no sweep's; give folder=ANOTHER"),
        (folder / "report.html", "Not a directory; give folder=ANOTHER"),
    ):
        assert main(["sweep", str(write(tmp_path)), *words, f"folder={place}"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert f"{place}: {complaint}" in line
    assert [path.name for path in folder.iterdir()] == ["report.html"]


def test_a_sweep_without_photos_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert main(["sweep", str(path), "data=folder", "data.root=nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_plan_and_its_training_do_not_agree_on_is_told(tmp_path: Path) -> None:
    plan = read_plan(asha(tmp_path, "time_metric: epochs", "training.epochs=5"))
    _, remarks = check_plan(plan, words_of_trials(plan, []))
    assert remarks == [
        "searcher.metric=validation_loss, but training.monitor=average_precision: a trial's "
        "checkpoint is that of its best epoch by the latter",
        "training.epochs=5 are fewer than searcher.max_time=9: no trial comes to the last rung",
    ]
    given = ["training.monitor=loss", "training.epochs=9"]
    assert check_plan(plan, words_of_trials(plan, given))[1] == []


@pytest.mark.parametrize(
    ("space", "complaint"),
    [
        ("optimizer: {lr: fast}", "plan.yaml: hyperparameters.optimizer.lr: optimizer.lr"),
        (
            "seed: {type: int, minval: 1, maxval: 9}\n  optimizer: {lr: -1.0}",
            "plan.yaml: hyperparameters.optimizer.lr: optimizer.lr",
        ),
    ],
)
def test_a_constant_that_no_trial_can_be_trained_with(
    space: str, complaint: str, few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "sweep"
    words = ["data=folder", f"data.root={few_rooms}", f"folder={folder}"]
    assert main(["sweep", str(write(tmp_path, space)), *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line
    assert not folder.exists()


def test_flags_of_an_entrypoint_are_of_no_use_here(tmp_path: Path) -> None:
    plan = read_plan(write(tmp_path, more="--config-dir=mine"))
    with pytest.raises(UserError, match="--config-dir=mine is of no use on this machine"):
        words_of_trials(plan, [])


def test_a_folder_holds_one_sweep(
    few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sweep_id.txt").write_text("another\n")
    (tmp_path / "study.db").touch()
    words = ["data=folder", f"data.root={few_rooms}", f"folder={tmp_path}"]
    assert main(["sweep", str(write(tmp_path)), *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{tmp_path}: it holds the files of another sweep" in line


def test_help_needs_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "--help"]) == 0
    assert "Usage: seentwice sweep FILE [key=value ...]" in capsys.readouterr().out

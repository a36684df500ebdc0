"""Experiment configurations as Determined 0.38 takes them."""

from pathlib import Path

import pytest

from seentwice.errors import UserError
from seentwice.sweeps.asha import Asha
from seentwice.sweeps.brackets import AshaSettings
from seentwice.sweeps.plan import (
    AdaptiveAsha,
    Grid,
    PlanError,
    Random,
    Single,
    Watched,
    name_file,
    read_plan,
)
from seentwice.sweeps.searcher import Create, Unstopped
from seentwice.sweeps.space import Const, Log

ASHA = """
name: adaptive_asha
metric: validation_loss
time_metric: epochs
max_time: 30
max_trials: 16
"""
TOP = """name: a sweep
entrypoint: python3 -m seentwice.commands.train experiment=samespace
resources: {slots_per_trial: 1}
"""
LR = "hyperparameters: {optimizer: {lr: {type: log, minval: -4, maxval: -2, base: 10}}, seed: 1}\n"


def write(folder, searcher, top=TOP, space=LR):
    """Write a configuration; return its path."""
    inside = "".join(f"  {line}\n" for line in searcher.strip().splitlines())
    path = folder / "adaptive.yaml"
    path.write_text(f"{top}{space}searcher:\n{inside}", encoding="utf-8")
    return path


def test_reads_searcher_budget_space_and_command(tmp_path):
    plan = read_plan(write(tmp_path, ASHA))
    assert plan.name == "a sweep"
    assert plan.entrypoint[:3] == ("python3", "-m", "seentwice.commands.train")
    assert plan.watched == Watched("validation_loss")
    assert plan.searcher == AdaptiveAsha(max_trials=16, max_time=30, time_metric="epochs")
    assert plan.space == {"optimizer.lr": Log(-4, -2, 10), "seed": Const(1)}
    searcher = plan.open_searcher()
    assert isinstance(searcher, Asha)
    assert searcher.brackets == Asha(AshaSettings(16, 30), True).brackets
    assert plan.values_of(3, seed=0)["optimizer.lr"] == plan.values_of(3, 0)["optimizer.lr"]
    assert plan.values_of(3, seed=0) != plan.values_of(4, seed=0)


def test_every_setting_of_adaptive_asha_is_read(tmp_path):
    more = "mode: aggressive\ndivisor: 3\nmax_rungs: 2\nbracket_rungs: [2, 1]\n"
    more += "max_concurrent_trials: 4\nsmaller_is_better: false\nsource_trial_id: 7\n"
    plan = read_plan(write(tmp_path, ASHA + more))
    searcher = plan.searcher
    assert isinstance(searcher, AdaptiveAsha)
    assert (searcher.mode, searcher.divisor, searcher.max_rungs) == ("aggressive", 3, 2)
    assert (searcher.bracket_rungs, searcher.max_concurrent_trials) == ((2, 1), 4)
    assert plan.watched == Watched("validation_loss", False, 7)


@pytest.mark.parametrize(
    ("searcher", "kind", "trials"),
    [
        ("name: single\nmetric: loss", Single, 1),
        ("name: random\nmetric: loss\nmax_trials: 5\nmax_concurrent_trials: 2", Random, 2),
        ("name: grid\nmetric: loss", Grid, 3),
    ],
)
def test_the_other_searchers_stop_nothing(tmp_path, searcher, kind, trials):
    space = "hyperparameters: {lr: {type: double, minval: 0, maxval: 1, count: 3}}\n"
    plan = read_plan(write(tmp_path, searcher, space=space))
    assert isinstance(plan.searcher, kind)
    opened = plan.open_searcher()
    assert isinstance(opened, Unstopped)
    assert opened.start() == [Create(trial, 0) for trial in range(trials)]
    if kind is Grid:
        assert [plan.values_of(trial, seed=9)["lr"] for trial in range(3)] == [0, 0.5, 1]


@pytest.mark.parametrize(
    ("searcher", "message"),
    [
        ("metric: loss", "searcher.name=None: choose one of single, random, grid, adaptive_asha"),
        ("name: pbt", "searcher.name='pbt': choose one of single"),
        ("name: [single]", "searcher.name=['single']: choose one of single"),
        ("name: random\nmetric: loss", "searcher: random needs max_trials"),
        (ASHA + "max_length: 3", "searcher.max_length: give max_time and time_metric instead"),
        (
            "name: single\nmetric: loss\nmax_length: {epochs: 3}",
            "searcher.max_length: leave it out; training.epochs says how long a trial trains",
        ),
        ("name: random\nmetric: loss\nmax_length: 3", "searcher.max_length: leave it out; "),
        ("name: grid\nmetric: loss\nmax_length: 3", "searcher.max_length: leave it out; "),
        (ASHA + "stop_once: false", "searcher.stop_once: leave it out; a trial that is stopped "),
        ("name: grid\nmetric: loss\nstop_once: true", "searcher.stop_once: no such key; grid has"),
        (ASHA + "steps: 3", "searcher.steps: no such key; adaptive_asha has metric, "),
        (
            ASHA.replace("max_trials", "max_trial"),
            "searcher.max_trial: no such key (did you mean max_trials?); adaptive_asha has ",
        ),
        (
            ASHA.replace("metric: v", "metrik: v"),
            "searcher.metrik: no such key (did you mean metric?); ",
        ),
        (ASHA.replace("16", "100001"), "searcher.max_trials=100001: at most 100,000"),
        ("name: random\nmetric: loss\nmax_trials: 9999999", "searcher.max_trials=9999999: at most"),
        (ASHA + "divisor: 1", "searcher.divisor=1: "),
        (ASHA.replace("16", "0"), "searcher.max_trials=0: "),
        (ASHA.replace("16", "many"), "searcher.max_trials='many': "),
        (ASHA.replace("16", "'16'"), "searcher.max_trials='16': "),
        (ASHA.replace("16", "true"), "searcher.max_trials=True: "),
        (ASHA.replace("30", "30.0"), "searcher.max_time=30.0: "),
        (ASHA + "divisor: '4'", "searcher.divisor='4': "),
        (ASHA + "max_concurrent_trials: true", "searcher.max_concurrent_trials=True: "),
        (ASHA + "bracket_rungs: [2, 5000]", "searcher.bracket_rungs.1=5000: "),
        ("name: random\nmetric: loss\nmax_trials: '5'", "searcher.max_trials='5': "),
    ],
)
def test_a_wrong_searcher_is_told_by_its_key(tmp_path, searcher, message):
    path = write(tmp_path, searcher)
    with pytest.raises(UserError) as error:
        read_plan(path)
    assert str(error.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", "line 1: no YAML: "),
        ("name: 2025-02-30", "no YAML: day is out of range"),
        ("- 1", "give keys with values"),
        ("", "give keys with values"),
        (TOP, "searcher is missing"),
        (
            TOP + "hyperparams: 1",
            "hyperparams: no such key (did you mean hyperparameters?); an experiment has bind_",
        ),
        (TOP + "1: 2", "1: no such key; an experiment has bind_mounts, "),
        (TOP + "name: again", "line 4: name is given twice, first in line 1; leave one out"),
        (
            TOP + LR + 'searcher: {name: grid, "name": single}',
            "line 5: searcher.name is given twice",
        ),
        (
            TOP + "hyperparameters:\n  b: &b {c: 1}\n  a: [{<<: *b, d: 1, e: 2, d: 3}]\n",
            "line 6: hyperparameters.a.d is given twice, first in line 6; leave one out",
        ),
        ("a: " + "[" * 5000, "no YAML: nested too deeply"),
        ("name: \0", "no YAML: unacceptable character"),
    ],
)
def test_a_wrong_file_is_told_by_its_line_or_key(tmp_path, text, message):
    path = tmp_path / "adaptive.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_plan(path)
    told = str(error.value)
    assert told.startswith(f"{path}: {message}")
    assert "\n" not in told


def test_hyperparameters_that_contain_themselves_are_refused(tmp_path):
    path = write(tmp_path, ASHA, space="hyperparameters: &all {a: *all}\n")
    with pytest.raises(UserError, match=r"adaptive\.yaml: hyperparameters: nested too deeply"):
        read_plan(path)


def test_a_key_of_an_anchor_may_be_replaced(tmp_path):
    shared = "hyperparameters:\n  a: &a {b: 1, c: 2}\n  d: {<<: *a, b: 3}\n"
    space = read_plan(write(tmp_path, ASHA, space=shared)).space
    assert space == {"a.b": Const(1), "a.c": Const(2), "d.b": Const(3), "d.c": Const(2)}


def test_a_grid_of_too_many_trials_is_refused(tmp_path):
    lr = "lr: {type: double, minval: 0, maxval: 1, count: "
    grid = "name: grid\nmetric: loss"
    path = write(tmp_path, grid, space=f"hyperparameters: {{{lr}100000}}}}\n")
    assert read_plan(path).open_searcher().start()
    assert read_plan(path).values_of(99_999, 0) == {"lr": 1.0}
    path = write(tmp_path, grid, space=f"hyperparameters: {{{lr}1000000000000}}}}\n")
    with pytest.raises(UserError) as error:
        read_plan(path)
    assert str(error.value) == (
        f"{path}: hyperparameters: a grid of 1,000,000,000,000 trials, of at most 100,000; "
        "give fewer values, or let searcher.name=random draw some"
    )
    path = write(tmp_path, grid, space="hyperparameters: {lr: {type: int, minval: 0, maxval: 1}}\n")
    with pytest.raises(UserError, match=r"adaptive\.yaml: hyperparameters\.lr: a grid needs count"):
        read_plan(path)


def test_errors_of_a_plan_that_others_find_begin_with_its_file_too(tmp_path):
    with (
        pytest.raises(UserError, match=r"^a\.yaml: entrypoint: not ours$"),
        name_file(Path("a.yaml")),
    ):
        raise PlanError("entrypoint: not ours")
    with pytest.raises(UserError, match=r"^seed: of the command line$"), name_file(tmp_path):
        raise UserError("seed: of the command line")


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path):
    with pytest.raises(UserError, match=r"adaptive\.yaml: No such file"):
        read_plan(tmp_path / "adaptive.yaml")
    (tmp_path / "adaptive.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"adaptive\.yaml: not UTF-8"):
        read_plan(tmp_path / "adaptive.yaml")


def test_a_wrong_hyperparameter_is_told_by_its_path(tmp_path):
    space = "hyperparameters: {optimizer: {lr: {type: log, minval: -4, maxval: -2}}}\n"
    path = write(tmp_path, ASHA, space=space)
    with pytest.raises(UserError) as error:
        read_plan(path)
    assert str(error.value) == f"{path}: hyperparameters.optimizer.lr: log needs base"


def test_an_entrypoint_may_be_a_list(tmp_path):
    top = "name: a\nentrypoint: [python3, train.py]\n"
    assert read_plan(write(tmp_path, ASHA, top)).entrypoint == ("python3", "train.py")
    with pytest.raises(UserError, match="entrypoint: give a command"):
        read_plan(write(tmp_path, ASHA, "name: a\nentrypoint: {a: 1}\n"))


def test_a_quotation_without_its_end_is_told(tmp_path):
    with pytest.raises(UserError, match=r"adaptive\.yaml: entrypoint: No closing quotation"):
        read_plan(write(tmp_path, ASHA, "name: a\nentrypoint: python3 'x\n"))


def test_restarts_and_seed_are_read_and_default_to_those_of_the_master_and_zero(tmp_path):
    plan = read_plan(write(tmp_path, ASHA))
    assert (plan.max_restarts, plan.seed) == (5, 0)
    given = "max_restarts: 0\nreproducibility: {experiment_seed: 7}\n"
    plan = read_plan(write(tmp_path, ASHA, TOP + given))
    assert (plan.max_restarts, plan.seed) == (0, 7)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("max_restarts: -1", "max_restarts=-1: "),
        ("max_restarts: often", "max_restarts='often': "),
        ("reproducibility: {experiment_seed: 4294967296}", "reproducibility.experiment_seed=4294"),
        (
            "reproducibility: {seed: 1}",
            "reproducibility.seed: no such key; it has experiment_seed",
        ),
        ("reproducibility: 1", "reproducibility=1: "),
    ],
)
def test_a_wrong_number_of_restarts_or_seed_is_told_by_its_key(tmp_path, given, message):
    path = write(tmp_path, ASHA, f"{TOP}{given}\n")
    with pytest.raises(UserError) as error:
        read_plan(path)
    assert str(error.value).startswith(f"{path}: {message}")

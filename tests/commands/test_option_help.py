"""What --help says of a command is what its configs say."""

import subprocess
import sys
from pathlib import Path

import pytest

from seentwice.commands.application import find_configs
from seentwice.commands.main import COMMANDS, main
from seentwice.commands.option_help import describe_command, read_option_file

CONFIGS = find_configs()
TINY = {
    "bake.yaml": """\
# Bake a cake.
# The oven must be hot.
#   seentwice bake                 a small one
#   seentwice bake size=large      a large one
defaults:
  - _self_
  - flour: wheat
  - topping: [sugar]
  - optional mood: null
  - override hydra/job_logging: none

size: small # or "large", # and no other
# Above its key,
# in two lines.
oven: {degrees: 180, minutes: 40} # degrees
layers:
  - cream
  - "jam"
names: null

hydra:
  run: {dir: "x"}
""",
    "flour/wheat.yaml": """\
# White
_target_: kitchen.Wheat
grams: 500 # of 1,000 at most; a comment so long that the line has no room for the whole of it
sieve:
  mesh: 1
  separator: "#" # a value that looks like a comment
""",
    "mood/good.yaml": "# Not chosen\n",
    "flour/rye.yaml": "# Dark\ngrams: 1\n",
    "topping/sugar.yaml": """\
# @package _global_
# Sweet
topping:
  sugar: # of any kind
    g: 3
""",
}

HELP = """\
Usage: seentwice bake [key=value ...]
Bake a cake. The oven must be hot.

Groups (group=option):
  flour: rye, wheat
  mood: good
  topping: sugar

Keys (key=value):
  size=small                                    or "large", # and no other
  oven={degrees: 180, minutes: 40}              Above its key, in two lines. degrees
  layers=[cream, "jam"]
  names=null

flour=wheat: White
  flour.grams=500                               of 1,000 at most; a comment so long that the line
                                                has no room for the whole of it
  flour.sieve.mesh=1
  flour.sieve.separator="#"                     a value that looks like a comment

topping=sugar: Sweet
  topping.sugar                                 of any kind
  topping.sugar.g=3

The keys of another choice: seentwice bake --help group=option. Hydra's own flags: --hydra-help

Examples:
  seentwice bake                 a small one
  seentwice bake size=large      a large one
"""


def test_the_help_of_a_tiny_command(tmp_path: Path) -> None:
    for name, text in TINY.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    chosen = {"flour": ["wheat"], "topping": ["sugar"], "mood": []}
    assert describe_command([tmp_path], "bake", chosen) == HELP


@pytest.mark.parametrize(
    "path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_every_key_that_has_a_value_is_explained(path: Path) -> None:
    group = "" if path.parent == CONFIGS else path.parent.name
    file = read_option_file(path.read_text(encoding="utf-8"), group)
    assert file.what
    unexplained = [o.key for o in file.options if o.value is not None and not o.comment]
    assert unexplained == []


def test_what_a_file_is_ends_before_the_comment_of_its_first_key() -> None:
    file = read_option_file((CONFIGS / "split" / "shares.yaml").read_text(), "split")
    assert file.what == "One split; folds=5 instead tests every photo once, by the same rule"
    by = file.options[0]
    assert by.key == "split.by"
    assert by.comment.endswith("place, city; none is ever in two splits")


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_help_shows_groups_keys_and_examples(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    names = (
        "airbnb, catalogue, folder, fronts, house_fronts, houses, listings, rooms, tags_csv, "
        "text_pairs"
    )
    assert f" data: {names} " in " ".join(text.split())
    assert (
        "  data.workers=null                             rendering processes; null is one" in text
    )
    assert f"  seentwice {command}" in text.split("Examples:\n")[1]
    assert max(map(len, text.splitlines())) <= 100


def test_the_help_shows_what_the_arguments_choose(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "backbone=vgg16", "head=[l2,concat]", "seed=3", "--help"]) == 0
    text = capsys.readouterr().out
    assert "backbone=vgg16: VGG-16, cut after fc7" in text
    assert "training=table: " in text
    assert "head=concat: " in text
    assert "head=l1: " not in text


def test_the_help_says_what_an_experiment_replaces(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "experiment=same_place", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "properties or places (now 5, by experiment=same_place)" in text
    assert "as in SameSpace (now balanced, by experiment=same_place)" in text
    assert "sift, combined], by experiment=same_place)" in text
    assert "is all others (now [whitened_cosine, regions, histogram, sift], by exp" in text
    assert text.count("(now ") == 4


@pytest.mark.parametrize("is_one_word", [False, True])
def test_the_help_explains_configs_of_the_users_own(
    is_one_word: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own, 'configs'" / "data").mkdir(parents=True)
    (tmp_path / "own, 'configs'" / "data" / "flats.yaml").write_text(
        "# Flats\nroot: here # of mine\n"
    )
    folder = str(tmp_path / "own, 'configs'")
    words = [f"--config-dir={folder}"] if is_one_word else ["--config-dir", folder]
    assert main(["compare", *words, "data=flats", "--help"]) == 0
    text = capsys.readouterr().out
    assert "  data: airbnb, catalogue, flats, folder," in text
    assert f"data=flats: Flats\n  {'data.root=here':<44}  of mine\n" in text


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("bananas", "'bananas' is not an override: write key=value"),
        ("sed=1", "no key 'sed' (did you mean seed?)"),
        ("--cfg job", "--cfg: is of no use beside --help; leave it out"),
        ("--config-dir nowhere", "--config-dir: 'nowhere' is no folder; name that of your configs"),
    ],
)
def test_nonsense_beside_help_is_refused(
    words: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", "--help", *words.split()]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line


def test_the_help_leaves_out_what_has_no_effect(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "sampling.evaluation.max_positives" in shown
    assert "sampling.train" not in shown
    assert "edits.train" not in shown
    for command in ("evaluate", "pairs", "card", "prepare"):
        assert main([command, "--help"]) == 0
        shown = capsys.readouterr().out
        assert "bank.folder" in shown
        assert "bank.dtype" not in shown
        assert "bank.engine" not in shown


def test_the_help_of_a_choice_that_does_not_exist_is_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["compare", "--help", "backbone=vgg"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "compact efficientnet_b0 googlenet" in line


def test_the_help_of_a_command_loads_none_of_the_slow_libraries() -> None:
    code = (
        "import sys; from seentwice.commands.main import main; main(['compare', '--help']);"
        "print(sorted({'torch', 'mlflow', 'numpy', 'PIL', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"

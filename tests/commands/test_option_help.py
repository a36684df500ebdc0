"""What --help says of a command is what its configs say."""

import subprocess
import sys
from pathlib import Path

import pytest

from seentwice.commands.main import COMMANDS, main
from seentwice.commands.option_help import describe_command

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
    assert describe_command(tmp_path, "bake", chosen) == HELP


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_help_shows_groups_keys_and_examples(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert "  data: airbnb, catalogue, folder, houses, listings, rooms, text_pairs\n" in text
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


def test_the_help_leaves_out_what_has_no_effect(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "sampling.evaluation.max_positives" in shown
    assert "sampling.train" not in shown
    assert "edits.train" not in shown


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

"""What an experiment measures: `experiments/<name>/runs.yaml`.

command: compare                             # or tagger, which has no experiment=<name>
words: [data.root=data/raw/property_rooms]   # of every run, beside experiment=<name>
runs:
  whitened: ["seed=0,1,2,3,4"]               # further words; several values make several jobs
  linear: ["seed=0,1,2,3,4", tower=linear]
checkpoints:                                 # for `make checkpoints`, by the name of the file
  heads_l2:
    train: [head=l2]                         # further words of `seentwice train`, or tagger
    evaluate: [data=folder]                  # words of `seentwice evaluate`, or tagger
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

FOLDER = Path(__file__).resolve().parent
PLAN = "runs.yaml"
PROGRAM = "measure.py"
_KEYS = ("command", "words", "runs", "checkpoints")
COMPARE, TAGGER = "compare", "tagger"
_OF_CHECKPOINT = ("train", "evaluate")


@dataclass(frozen=True, slots=True)
class CheckpointPlan:
    """The words of the commands that make a checkpoint and measure it again."""

    train: tuple[str, ...]
    evaluate: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The runs of one experiment: by name, the words of each command."""

    name: str
    runs: Mapping[str, tuple[str, ...]]
    checkpoints: Mapping[str, CheckpointPlan]
    command: str = COMPARE  # that measures the runs

    @property
    def makers(self) -> tuple[str, str]:
        """The commands that train a checkpoint and measure it."""
        return (TAGGER, TAGGER) if self.command == TAGGER else ("train", "evaluate")


def list_plans() -> list[str]:
    """Return the names of the experiments that `seentwice compare` measures."""
    return sorted(path.parent.name for path in FOLDER.glob(f"*/{PLAN}"))


def list_programs() -> list[str]:
    """Return the names of the experiments that a program of their own measures."""
    return sorted(path.parent.name for path in FOLDER.glob(f"*/{PROGRAM}"))


def read_plans(names: Sequence[str]) -> list[Plan]:
    """Read the plans of experiments; of all, where none is named.

    Raises:
        ValueError: see `read_plan`.
    """
    return [read_plan(name) for name in names or list_plans()]


def read_plan(name: str, folder: Path = FOLDER) -> Plan:
    """Read the plan of an experiment.

    Raises:
        ValueError: no such experiment, or a file of another shape.
    """
    path = folder / name / PLAN
    if not path.is_file():
        raise ValueError(f"{name}: no such experiment; choose one of {', '.join(list_plans())}")
    found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    unknown = set(found) - set(_KEYS)
    if unknown or not found.get("runs"):
        raise ValueError(f"{path}: needs runs, and takes {', '.join(_KEYS)}, not {sorted(unknown)}")
    checkpoints = found.get("checkpoints", {})
    for file, words in checkpoints.items():
        if set(words) != set(_OF_CHECKPOINT):
            raise ValueError(f"{path}: checkpoints.{file} needs {' and '.join(_OF_CHECKPOINT)}")
    command = found.get("command", COMPARE)
    if command not in (COMPARE, TAGGER):
        raise ValueError(f"{path}: command is {command!r}; choose {COMPARE} or {TAGGER}")
    question = (f"experiment={name}",) if command == COMPARE else ()
    shared = (*question, *found.get("words", ()))
    return Plan(
        name,
        {run: (*shared, *(words or ())) for run, words in found["runs"].items()},
        {
            file: CheckpointPlan((*question, *words["train"]), tuple(words["evaluate"]))
            for file, words in checkpoints.items()
        },
        command,
    )

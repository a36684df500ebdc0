"""What an experiment measured: `experiments/<name>/metrics.json` and `config.yaml`.

`metrics.json` holds, by run, the `results.json` of each of its jobs, numbers to six digits;
`config.yaml` the resolved configuration of the first job of each run.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from seentwice.files import write_atomically

METRICS = "metrics.json"
CONFIG = "config.yaml"
_DIGITS = 6
_LINE = 100  # characters; what is shorter stands on one line, so that a diff can be read


@dataclass(frozen=True, slots=True)
class Job:
    """One comparison, as its results.json holds it."""

    results: Mapping[str, Any]

    @property
    def words(self) -> tuple[str, ...]:
        """The overrides of the command that made it."""
        return tuple(shlex.split(str(self.results["command"]))[2:])

    @property
    def detectors(self) -> Sequence[Mapping[str, Any]]:
        """Of each detector what was measured."""
        found: Sequence[Mapping[str, Any]] = self.results["detectors"]
        return found


def read_jobs(folder: Path) -> dict[str, list[Job]]:
    """Return the jobs of an experiment by run; none where nothing was measured."""
    path = folder / METRICS
    if not path.is_file():
        return {}
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"]
    return {run: [Job(results) for results in jobs] for run, jobs in runs.items()}


def keep_run(folder: Path, run: str, jobs: Sequence[Mapping[str, Any]], config: str) -> None:
    """Put the results of a run in the place of those that it had.

    Args:
        folder: of the experiment.
        run: its name.
        jobs: the results.json of each job.
        config: the resolved configuration of the first job, YAML.
    """
    kept = {name: [job.results for job in old] for name, old in read_jobs(folder).items()}
    kept[run] = list(jobs)
    write_atomically(folder / METRICS, spell_rounded({"runs": dict(sorted(kept.items()))}))
    configs = read_configs(folder) | {run: yaml.safe_load(config)}
    write_atomically(folder / CONFIG, yaml.safe_dump(dict(sorted(configs.items())), width=100))


def read_configs(folder: Path) -> dict[str, Any]:
    """Return the resolved configuration of each run."""
    path = folder / CONFIG
    if not path.is_file():
        return {}
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def spell_rounded(value: Any) -> str:
    """Return JSON of numbers to six digits, in which what fits a line stands on one."""
    return _spell(_rounded(value)) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def _spell(value: Any, depth: int = 0) -> str:
    """Return JSON in which what fits a line stands on one."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + 2 * depth <= _LINE or not isinstance(value, dict | list):
        return line
    inner = "  " * (depth + 1)
    if isinstance(value, dict):
        items = [f"{json.dumps(key)}: {_spell(item, depth + 1)}" for key, item in value.items()]
        brackets = "{}"
    else:
        items, brackets = [_spell(item, depth + 1) for item in value], "[]"
    body = f",\n{inner}".join(items)
    return f"{brackets[0]}\n{inner}{body}\n{'  ' * depth}{brackets[1]}"

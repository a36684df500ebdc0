"""Measure experiments again: `make experiments NAMES="heads losses"`.

    python -m experiments.measure heads losses
    python -m experiments.measure heads --run linear

Runs what `experiments/<name>/runs.yaml` lists, puts what comes out into `metrics.json` and
`config.yaml`, and renews the tables of the pages. Photos and weights are looked for where the
words of the runs say (data/raw, checkpoints). What was measured at this commit already, and was
stopped in between, is not measured again.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

from experiments.measured import keep_run
from experiments.plan import FOLDER, list_plans, read_plan
from experiments.tables import renew_tables
from seentwice.commands.provenance import git_commit

ROOT = FOLDER.parent
WORK = ROOT / "outputs" / "experiments"
PICTURE = "precision_recall.png"
PAGES = (ROOT / "README.md", FOLDER / "README.md")


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"experiments; all: {', '.join(list_plans())}")
    parser.add_argument("--run", help="one run of theirs alone")
    chosen = parser.parse_args()
    for name in chosen.names or list_plans():
        plan = read_plan(name)
        runs = {run: w for run, w in plan.runs.items() if chosen.run in (None, run)}
        if not runs:
            parser.error(f"{name} has no run {chosen.run}: choose one of {', '.join(plan.runs)}")
        for number, (run, words) in enumerate(runs.items(), 1):
            print(f"{name}: {run} ({number} of {len(runs)})", flush=True)
            measure_run(FOLDER / name, run, words)
        renew_tables([*PAGES, FOLDER / name / "README.md"])


def measure_run(folder: Path, run: str, words: tuple[str, ...]) -> None:
    """Run one comparison, of one job or several, and keep its results."""
    commit = git_commit()
    work = WORK / folder.name / run / str(commit).removesuffix("+")
    done = work / "done"
    if commit is None or commit.endswith("+") or not done.is_file():
        shutil.rmtree(work, ignore_errors=True)
        program = Path(sys.executable).with_name("seentwice")
        where = [f"hydra.sweep.dir={work}", "--multirun"]
        subprocess.run([program, "compare", *words, *where], cwd=ROOT, check=True)
        done.touch()
    found = sorted(work.rglob("results.json"))
    jobs = [json.loads(path.read_text(encoding="utf-8")) for path in found]
    config = (found[0].parent / "config.yaml").read_text(encoding="utf-8")
    keep_run(folder, run, jobs, config)
    # The page shows the curves of the first run.
    if len(jobs) == 1 and run == next(iter(read_plan(folder.name).runs)):
        shutil.copyfile(found[0].parent / PICTURE, folder / PICTURE)


if __name__ == "__main__":
    main()

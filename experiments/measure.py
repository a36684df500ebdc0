"""Measure experiments again: `make experiments NAMES="heads rooms"`.

    python -m experiments.measure heads rooms
    python -m experiments.measure heads --run linear

Runs what `experiments/<name>/runs.yaml` lists, puts what comes out into `metrics.json` and
`config.yaml`, and renews the tables of the pages. Photos and weights are looked for where the
words of the runs say (data/raw, checkpoints). What was measured at this commit already, and was
stopped in between, is not measured again. An experiment that has a `measure.py` instead is measured
by that program.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

from experiments.measured import keep_run
from experiments.plan import (
    COMPARE,
    FOLDER,
    PROGRAM,
    TAGGER,
    list_plans,
    list_programs,
    read_plan,
    read_plans,
)
from experiments.tables import renew_tables
from seentwice.commands.provenance import git_commit
from seentwice.files import write_atomically

ROOT = FOLDER.parent
WORK = ROOT / "outputs" / "experiments"
PICTURE = "precision_recall.png"
PAGES = (ROOT / "README.md", FOLDER / "README.md")


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = [*list_plans(), *list_programs()]
    parser.add_argument("names", nargs="*", help=f"experiments; all: {', '.join(known)}")
    parser.add_argument("--run", help="one run of theirs alone")
    chosen = parser.parse_args()
    names = chosen.names or known
    for name in names:
        if name not in known:
            parser.error(f"{name}: no such experiment; choose one of {', '.join(known)}")
    programs = [name for name in names if name in list_programs()]
    compared = [name for name in names if name not in programs]
    try:
        plans = read_plans(compared) if compared else []
    except ValueError as error:
        parser.error(str(error))
    if chosen.run is not None and programs:
        parser.error(f"{programs[0]} has no runs: leave --run out")
    # All before the first, which may take hours.
    for plan in plans:
        if chosen.run is not None and chosen.run not in plan.runs:
            known = ", ".join(plan.runs)
            parser.error(f"{plan.name} has no run {chosen.run}: choose one of {known}")
    for plan in plans:
        runs = {run: w for run, w in plan.runs.items() if chosen.run in (None, run)}
        for number, (run, words) in enumerate(runs.items(), 1):
            print(f"{plan.name}: {run} ({number} of {len(runs)})", flush=True)
            measure_run(FOLDER / plan.name, run, words, plan.command)
        renew_tables([*PAGES, FOLDER / plan.name / "README.md"])
    for name in programs:
        module = f"experiments.{name}.{Path(PROGRAM).stem}"
        subprocess.run([sys.executable, "-m", module], cwd=ROOT, check=True)


def measure_run(folder: Path, run: str, words: tuple[str, ...], command: str = COMPARE) -> None:
    """Run one comparison, or one tagger, of one job or several, and keep its results."""
    commit = git_commit()
    work = WORK / folder.name / run / str(commit).removesuffix("+")
    done = work / "done"
    if commit is None or commit.endswith("+") or not done.is_file():
        shutil.rmtree(work, ignore_errors=True)
        program = Path(sys.executable).with_name("seentwice")
        where = [f"hydra.sweep.dir={work}", "--multirun"]
        subprocess.run([program, command, *words, *where], cwd=ROOT, check=True)
        done.touch()
    found = sorted(work.rglob("results.json"))
    jobs = [json.loads(path.read_text(encoding="utf-8")) for path in found]
    config = (found[0].parent / "config.yaml").read_text(encoding="utf-8")
    keep_run(folder, run, jobs, config)
    if command == TAGGER:
        for picture in found[0].parent.glob("confusion_*.png"):
            write_atomically(folder / f"{run}_{picture.name}", picture.read_bytes())
    # The page shows the curves of the first run.
    elif len(jobs) == 1 and run == next(iter(read_plan(folder.name).runs)):
        write_atomically(folder / PICTURE, (found[0].parent / PICTURE).read_bytes())


if __name__ == "__main__":
    main()

"""What a sweep costs on this machine: adaptive.yaml's trials and rungs on a small SameSpace.

    python benchmarks/sweep.py

Sweeps SameSpace's own search, 16 trials of up to 30 epochs, over 56 rendered photos in 8 edits,
which make 10,192 training pairs, first with one worker, then with two, each from an empty bank.
Tells the seconds in all, the epochs that stopping saved, and what a trial takes beside its epochs.
Then computes, from the epoch that feature_bank.py measured, what the search costs on all of
SameSpace. Two cores, 26 minutes.

Writes benchmarks/results/sweep.json.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter

from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.commands.sweep import spell_settings
from seentwice.commands.sweep_trial import LOG_FILE
from seentwice.commands.trial_words import words_of_trials
from seentwice.data.rooms import write_rooms
from seentwice.files import write_atomically
from seentwice.sweeps.events import Claimed, Concluded, Reported
from seentwice.sweeps.log import EventLog, open_log
from seentwice.sweeps.plan import read_plan
from seentwice.sweeps.report.page import RESULTS
from seentwice.sweeps.store import open_storage

FOLDER = Path(__file__).resolve().parent
PLAN = FOLDER.parent / "adaptive.yaml"
PLACES, TEST_PLACES, VIEWS = 28, 10, 2
PAIRS = 10_192  # 112 ordered pairs of a place in 64 ways, and all others; checked
NAME = "benchmark"


def main() -> None:
    """Measure, print and write."""
    runs = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rooms(folder / "photos", 0, PLACES, TEST_PLACES, VIEWS)
        for workers in (1, 2):
            runs[f"{workers} worker{'s' * (workers > 1)}"] = sweep(folder, workers)
            print(json.dumps(runs, indent=2), flush=True)
    one, two = runs.values()
    result = {
        "command": "python benchmarks/sweep.py",
        "machine": describe_machine(),
        "versions": library_versions(),
        "git_commit": git_commit(),
        "pairs": PAIRS,
        "runs": runs,
        "times_faster_with_two_workers": round(one["seconds"] / two["seconds"], 2),
        "computed_for_199552_pairs": compute_whole(one),
    }
    path = FOLDER / "results" / "sweep.json"
    write_atomically(path, json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def sweep(folder: Path, workers: int) -> dict[str, float]:
    """Run the command and return what it took."""
    own = folder / f"sweep_{workers}"
    words = [f"data.root={folder / 'photos'}", "backbone.weights=none"]
    places = {
        "SEENTWICE_BANK": str(folder / f"bank_{workers}"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / f'mlflow_{workers}.db'}",
    }
    program = Path(sys.executable).with_name("seentwice")
    command = [program, "sweep", PLAN, *words, f"workers={workers}"]
    began = perf_counter()
    subprocess.run(
        [*command, f"name={NAME}", f"folder={own}"],
        env={**os.environ, **places},
        cwd=folder,
        check=True,
    )
    seconds = perf_counter() - began
    plan = read_plan(PLAN)
    settings = spell_settings(plan, words_of_trials(plan, words), "searcher")
    log = open_log(open_storage(f"sqlite:///{own}/study.db"), NAME, settings)
    results = json.loads((own / RESULTS).read_text())
    told = (own / "trials" / "0000" / LOG_FILE).read_text()
    (line,) = set(re.findall("train: .*", told))
    counts = re.findall(r"([\d,]+) (?:edited|same place|hash weighted)", line)
    assert sum(int(count.replace(",", "")) for count in counts) == PAIRS
    return {
        "seconds": round(seconds, 1),
        "trials": len(results["trials"]),
        "epochs": results["spent"],
        "share_of_epochs_saved": round(results["share_saved"], 3),
        **list_seconds_beside(log),
    }


def list_seconds_beside(log: EventLog) -> dict[str, float]:
    """Return what trials took beside their epochs, after the first of each worker.

    Of a trial's seconds from claim to checkpoint, as many epochs are taken off as it trained; an
    epoch is the median of all from one report to the next.
    """
    claimed: dict[int, tuple[float, str]] = {}
    reported: dict[int, list[float]] = {}
    took: list[tuple[str, float, int]] = []
    for logged in log.read():
        event = logged.event
        if isinstance(event, Claimed):
            claimed[event.trial] = logged.at, event.worker
        elif isinstance(event, Reported):
            reported.setdefault(event.trial, []).append(logged.at)
        elif isinstance(event, Concluded):
            at, worker = claimed[event.trial]
            took.append((worker, logged.at - at, len(reported[event.trial])))
    gaps = [later - at for times in reported.values() for at, later in pairwise(times)]
    epoch = median(gaps)
    workers = {worker for worker, _, _ in took}
    later = []
    for worker in workers:
        own = [(seconds, epochs) for name, seconds, epochs in took if name == worker]
        later += [seconds - epochs * epoch for seconds, epochs in own[1:]]
    return {
        "seconds_of_an_epoch": round(epoch, 2),
        "seconds_beside_epochs_of_a_trial": round(median(later), 2),
        "most_seconds_beside_epochs_of_a_trial": round(max(later), 2),
    }


def compute_whole(run: dict[str, float]) -> dict[str, float]:
    """Return what as many epochs take on SameSpace's 199,552 pairs, computed, not measured."""
    measured = json.loads((FOLDER / "results" / "feature_bank.json").read_text())
    of_bank = measured["heads"]["samespace"]["bank_epoch_seconds"]
    return {
        "seconds_of_an_epoch_in_feature_bank.json": of_bank,
        "hours_with_one_worker": round(run["epochs"] * of_bank / 3600, 2),
    }


if __name__ == "__main__":
    main()

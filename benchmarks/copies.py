"""Which edited copies are found among all pairs of a copy and an original, at one threshold.

    pip install imagededup 'seentwice[fast]'
    python benchmarks/copies.py PHOTOS WEIGHTS [HOMES]

PHOTOS is data/raw/houses, WEIGHTS those of MobileNetV2 as a safetensors file. Half of the homes of
the Houses-dataset are tested, or the first HOMES of them; 15 % validate, the others teach. Of each
strength (`seentwice.edits.STRENGTHS`) every edited copy of every test photo is a query, and every
test photo as it is a reference. All pairs of a query and a reference are scored, but those of two
places of one zone; one is true where both show one place. Recall is the highest of any threshold
for all pairs whose precision is at least 99.9 %; equal scores are found together or not at all.

Beside ours stand imagededup's hash, and its CNN with the weights of the same backbone, which
prepares photos in its own way and compares encodings by their cosine. Nothing is chosen on test
photos. All photos of the learning homes teach as they are, and copies of 200 of them.

One core, with 100 homes: 20 minutes to look at 22,000 views, which are kept in data/prepared/bank,
and 5 to fit and to measure. Expected: ours first on each strength.

Writes benchmarks/results/copies.json.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from copy_detectors import DETECTORS, PEER_CNN, Lesson, Views, make_scorers, score_all
from copy_measures import CrossPairs, Found, measure_copies, measure_gain, pair_views
from houses_split import split_houses
from imagededup_rows import CnnDescriptor, PhashDescriptor
from rich.console import Console
from rich.table import Table

from seentwice.bank.bank import Bank, open_bank
from seentwice.commands.fingerprint import digest_files
from seentwice.commands.progress import open_console, show_progress
from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.data.houses import read_houses
from seentwice.data.splits import Split, groups_of
from seentwice.data.views import EditChoice, ViewPlan, plan_views
from seentwice.detectors.describe import describe_views
from seentwice.detectors.descriptor import Descriptor, Rows
from seentwice.detectors.hashes import HashDescriptor
from seentwice.detectors.histogram import HistogramDescriptor
from seentwice.detectors.trunk import TrunkDescriptor
from seentwice.edits import STRENGTHS
from seentwice.files import write_atomically
from seentwice.models.backbones import build_trunk
from seentwice.models.engines import Passing
from seentwice.models.trunk import Trunk
from seentwice.records import Interval, Photo

RESULT = Path(__file__).resolve().parent / "results" / "copies.json"
BANK, MAX_GB = Path("data/prepared/bank"), 20
MAX_PIXELS = 100_000_000
COPIED_PHOTOS = 200  # of the learning homes: those whose copies teach
RESAMPLES = 300
PASSING = Passing("openvino", "float32")
NONE = np.empty(0, np.int64)
"""No photos: a part of a split that is not looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """What is the same for every strength."""

    photos: Sequence[Photo]
    digests: Sequence[bytes]
    homes: Sequence[str]
    split: Split
    trunk: Trunk
    weights: str
    bank: Bank
    console: Console


def main() -> None:
    """Measure, print and write."""
    if len(sys.argv) not in (3, 4):
        raise SystemExit("give the folder of photos, weights of MobileNetV2 and at most a number")
    root, weights = sys.argv[1:3]
    console = open_console()
    photos = read_houses(Path(root)).photos
    homes = groups_of(photos)
    setting = Setting(
        photos,
        digest_files([photo.path for photo in photos], "Fingerprinting photos", console),
        homes,
        choose_photos(photos, homes, int(sys.argv[3]) if len(sys.argv) > 3 else len(photos)),
        build_trunk("mobilenet_v2", weights, "average", 0, "eval", seed=0),
        weights,
        open_bank(BANK, MAX_GB),
        console,
    )
    strengths = {}
    for strength in STRENGTHS:
        pairs, found = measure_strength(setting, strength)
        strengths[strength] = {
            "queries": len(pairs.query),
            "references": len(pairs.reference),
            "pairs": int(pairs.counts.sum()),
            "true_pairs": int(pairs.is_true.sum()),
            "detectors": {
                name: describe_found(one, found[PEER_CNN]) for name, one in found.items()
            },
        }
        print_found(strength, found, console)
    result = {
        "command": " ".join(["python benchmarks/copies.py", *sys.argv[1:]]),
        "machine": describe_machine(),
        "git_commit": git_commit(),
        "versions": library_versions()
        | {name: version(name) for name in ("imagededup", "openvino", "pillow")},
        "photos": {
            name: len(getattr(setting.split, name)) for name in ("train", "validation", "test")
        },
        "copied_photos": COPIED_PHOTOS,
        "test_homes": len({homes[number] for number in setting.split.test}),
        "resamples": RESAMPLES,
        "detectors": dict(DETECTORS),
        "strengths": strengths,
    }
    RESULT.parent.mkdir(exist_ok=True)
    write_atomically(RESULT, json.dumps(result, indent=2) + "\n")


def choose_photos(photos: Sequence[Photo], homes: Sequence[str], most: int) -> Split:
    """Split the photos by home, and test those of the first homes alone, at most so many."""
    split = split_houses(photos)
    tested = set(list(dict.fromkeys(homes[number] for number in split.test))[:most])
    return replace(split, test=np.array([n for n in split.test if homes[n] in tested]))


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some photos as they are and edited, and what was seen of them."""

    plan: ViewPlan
    rows: Rows


def measure_strength(setting: Setting, strength: str) -> tuple[CrossPairs, dict[str, Found]]:
    """Fit every detector on copies of one strength and measure it on the test photos' copies."""
    split, edits = setting.split, STRENGTHS[strength]
    seen = [HistogramDescriptor(), TrunkDescriptor(setting.trunk, "float32", PASSING)]
    hashed = [HashDescriptor(), *seen]
    every = [*hashed, CnnDescriptor(setting.trunk, PASSING), PhashDescriptor()]
    parts = (
        look(setting, split.train, (), seen),
        look(setting, split.train[:COPIED_PHOTOS], edits, seen),
        look(setting, split.validation, edits, hashed),
        look(setting, split.test, edits, every),
    )
    photos, copies, validation, test = parts
    starts = np.cumsum([0, *(len(part.plan.views) for part in parts)]).tolist()
    validated, tested = (
        pair_views(part.plan, setting.photos, setting.homes, start)
        for part, start in ((validation, starts[2]), (test, starts[3]))
    )
    lesson = Lesson(
        [view for part in parts for view in part.plan.views],
        join_rows([part.rows for part in parts], np.diff(starts).tolist()),
        np.arange(len(photos.plan.views)),
        starts[1] + np.flatnonzero(copies.plan.edit_name != ""),
        starts[1] + np.flatnonzero(copies.plan.edit_name == ""),
        validated,
    )
    found = {}
    scorers = make_scorers(lesson, setting.trunk, setting.weights)
    with show_progress(f"Measuring {strength}", setting.console) as progress:
        for done, (name, scorer) in enumerate(scorers.items(), 1):
            scores = score_all(scorer, tested.query, tested.reference)
            found[name] = measure_copies(scores, tested, RESAMPLES)
            progress(done, len(scorers))
    return tested, found


def look(
    setting: Setting, photos: Views, edits: Sequence[str], descriptors: Sequence[Descriptor]
) -> Part:
    """Look at some photos as they are and edited; the bank keeps what was seen."""
    plan = plan_views(
        setting.photos, (Split(NONE, NONE, photos),), EditChoice((), tuple(edits)), seed=0
    )
    with show_progress(f"Looking at {len(photos)} photos", setting.console) as progress:
        described = describe_views(
            plan.views,
            [setting.digests[number] for number in plan.photo],
            descriptors,
            setting.bank,
            "houses",
            os.cpu_count() or 1,
            MAX_PIXELS,
            progress,
        )
    if described.unreadable:
        raise SystemExit(f"{described.unreadable[0].name}: give a folder of whole photos")
    return Part(plan, described.rows)


def join_rows(parts: Sequence[Rows], counts: Sequence[int]) -> Rows:
    """Join the rows of parts of so many views; what was not computed of a part is 0."""
    like = parts[-1]
    return {
        name: np.concatenate(
            [
                part[name] if name in part else np.zeros((count, *rows.shape[1:]), rows.dtype)
                for part, count in zip(parts, counts, strict=True)
            ]
        )
        for name, rows in like.items()
    }


def describe_found(found: Found, peer: Found) -> dict[str, object]:
    """Return what is written of a detector."""
    return {
        "recall_at_99.9_precision": show_interval(found.recall),
        "over_imagededup_cnn": show_interval(measure_gain(found, peer)),
        "micro_average_precision": show_interval(found.micro_average_precision),
        "recall_at_1": round(found.recall_at_1, 4),
        "recall_by_edit": {name: round(share, 4) for name, share in found.by_edit.items()},
    }


def show_interval(interval: Interval) -> dict[str, float]:
    """Return an interval as it is written."""
    return {name: round(value, 4) for name, value in asdict(interval).items()}


def print_found(strength: str, found: Mapping[str, Found], console: Console) -> None:
    """Print a row a detector, the best first."""
    table = Table(strength, "R@99.9P", "micro-AP", "R@1")
    for name, one in sorted(found.items(), key=lambda item: -item[1].recall.value):
        recall, micro = one.recall, one.micro_average_precision
        table.add_row(
            name,
            f"{recall.value:.3f} [{recall.low:.3f}, {recall.high:.3f}]",
            f"{micro.value:.3f} [{micro.low:.3f}, {micro.high:.3f}]",
            f"{one.recall_at_1:.3f}",
        )
    console.print(table)


if __name__ == "__main__":
    main()

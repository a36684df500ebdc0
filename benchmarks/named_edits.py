"""Whether copies are verified by geometry and their edits named, and strangers are not.

    python benchmarks/named_edits.py [data/raw/houses]

Without a folder the photos are rendered rooms, of which other views are measured, too: they show
the same room and are not the same photo. Thresholds were chosen on the even-numbered homes; here
odd-numbered ones are measured: a copy of each of some photos for every edit of every strength, and
every photo beside those of other homes whose hashes are nearest.

One core: 4 minutes with rendered rooms, 6 with the Houses-dataset. Expected: of its copies of each
edit at least 95 % verified and 90 % named rightly; of rendered ones 90 % and 80 %; no stranger.

Writes its part of benchmarks/results/named_edits.json.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from random import Random
from statistics import median
from time import process_time

import numpy as np
from named_edit_truth import is_named_rightly
from PIL import Image
from rich.console import Console
from rich.table import Table

from seentwice.commands.provenance import describe_machine, library_versions
from seentwice.data.houses import read_houses
from seentwice.detectors.explanation import explain_copy
from seentwice.edits import STRENGTHS, apply_edit, draw_edits
from seentwice.files import write_atomically
from seentwice.hamming import hamming_bits
from seentwice.hashing import hash_photo
from seentwice.photos import read_photo
from seentwice.rendering.layouts import draw_scene
from seentwice.rendering.palettes import ROOM_TYPES
from seentwice.rendering.photo import render_view
from seentwice.rendering.views import draw_view

RESULT = Path(__file__).resolve().parent / "results" / "named_edits.json"
COPIED_PHOTOS = 40
ROOMS, VIEWS = 60, 3
SIZE_PX = (640, 480)
HASHES = ("perception", "difference")  # by which the nearest stranger is found
MAX_PIXELS = 100_000_000
EXAMPLES = 3  # of wrong names, that the result keeps for each edit


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One photo of some home."""

    key: str
    home: str
    image: Image.Image


@dataclass(frozen=True, slots=True)
class Judged:
    """One pair, explained."""

    is_verified: bool
    is_right: bool
    named: str
    made: str
    milliseconds: float  # of the process's own time


def main() -> None:
    """Measure, print and write."""
    if len(sys.argv) > 2:
        raise SystemExit("give at most the folder of the Houses-dataset")
    is_rendered = len(sys.argv) == 1
    shots = render_shots() if is_rendered else read_shots(Path(sys.argv[1]))
    chosen = sorted(shots, key=lambda shot: Random(shot.key).random())[:COPIED_PHOTOS]
    copies = {
        f"{strength}: {name}": [judge_copy(shot, name) for shot in chosen]
        for strength, names in STRENGTHS.items()
        for name in names
    }
    strangers = {"nearest strangers": [judge_others(*pair) for pair in pair_strangers(shots)]}
    if is_rendered:
        strangers["other views of one room"] = [judge_others(*pair) for pair in pair_views(shots)]
    part = {
        "command": " ".join(["python benchmarks/named_edits.py", *sys.argv[1:]]),
        "machine": describe_machine(),
        "versions": library_versions()
        | {name: version(name) for name in ("opencv-python-headless", "pillow")},
        "photos": len(shots),
        "copied_photos": len(chosen),
        "edits": {name: describe_copies(judged) for name, judged in copies.items()},
        "others": {name: describe_others(judged) for name, judged in strangers.items()},
    }
    RESULT.parent.mkdir(exist_ok=True)
    parts = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    parts["rooms" if is_rendered else "houses"] = part
    write_atomically(RESULT, json.dumps(parts, indent=2, ensure_ascii=False) + "\n")
    print_part(part)


def read_shots(root: Path) -> list[Shot]:
    """Read the photos of the odd-numbered homes."""
    return [
        Shot(photo.key, str(photo.property), read_photo(photo.path, MAX_PIXELS))
        for photo in read_houses(root).photos
        if int(str(photo.property)) % 2
    ]


def render_shots() -> list[Shot]:
    """Render views of rooms, each room a home."""
    shots = []
    for seed in range(1, 2 * ROOMS, 2):
        scene = draw_scene(seed, ROOM_TYPES[seed // 2 % len(ROOM_TYPES)])
        for number in range(VIEWS):
            pixels = render_view(scene, draw_view(scene, number), SIZE_PX)
            shots.append(Shot(f"{seed}_{number}", str(seed), Image.fromarray(pixels)))
    return shots


def judge_copy(shot: Shot, name: str) -> Judged:
    """Explain a copy with one drawn edit, or chain of edits."""
    [text] = draw_edits(shot.key, [name], 0)
    copy = apply_edit(shot.image, text)
    start = process_time()
    explained = explain_copy(shot.image, copy)
    elapsed = 1000 * (process_time() - start)
    is_right = explained.is_verified and is_named_rightly(explained.edit, text, shot.image.size)
    return Judged(explained.is_verified, is_right, explained.edit, f"{shot.key} {text}", elapsed)


def judge_others(left: Shot, right: Shot) -> Judged:
    """Explain two photos that are not one."""
    start = process_time()
    explained = explain_copy(left.image, right.image)
    elapsed = 1000 * (process_time() - start)
    made = f"{left.key} {right.key}"
    return Judged(explained.is_verified, not explained.is_verified, explained.edit, made, elapsed)


def pair_strangers(shots: Sequence[Shot]) -> Iterator[tuple[Shot, Shot]]:
    """Yield each photo with those of other homes that are nearest by each hash, a pair once."""
    hashes = np.array([hash_photo(shot.image, HASHES) for shot in shots])
    homes = np.array([shot.home for shot in shots])
    pairs = set()
    for column in hashes.T:
        for number, own in enumerate(column):
            bits = hamming_bits(own, column).astype(np.int64)
            bits[homes == homes[number]] = 65
            other = int(bits.argmin())
            pairs.add((min(number, other), max(number, other)))
    for left, right in sorted(pairs):
        yield shots[left], shots[right]


def pair_views(shots: Sequence[Shot]) -> Iterator[tuple[Shot, Shot]]:
    """Yield the pairs of different views of one room."""
    for number, left in enumerate(shots):
        for right in shots[number + 1 : number + VIEWS]:
            if left.home == right.home:
                yield left, right


def describe_copies(judged: Sequence[Judged]) -> Mapping[str, object]:
    """Return what the result holds of one edit."""
    wrong = [f"{one.made}: {one.named or 'not verified'}" for one in judged if not one.is_right]
    return {
        "verified": round(sum(one.is_verified for one in judged) / len(judged), 4),
        "named_rightly": round(sum(one.is_right for one in judged) / len(judged), 4),
        "milliseconds": round(median(one.milliseconds for one in judged), 1),
        "wrong": wrong[:EXAMPLES],
    }


def describe_others(judged: Sequence[Judged]) -> Mapping[str, object]:
    """Return what the result holds of pairs that are no copies."""
    return {
        "pairs": len(judged),
        "verified": sum(one.is_verified for one in judged),
        "milliseconds": round(median(one.milliseconds for one in judged), 1),
        "which": [f"{one.made}: {one.named}" for one in judged if one.is_verified],
    }


def print_part(part: Mapping[str, object]) -> None:
    """Print a row an edit, then what was wrongly verified."""
    console = Console(width=100)
    table = Table("edit", "verified", "named rightly", "ms")
    for name, row in dict(part["edits"]).items():
        shares = (f"{row[column]:.1%}" for column in ("verified", "named_rightly"))
        table.add_row(name, *shares, f"{row['milliseconds']:.0f}")
    console.print(table)
    for name, row in dict(part["others"]).items():
        console.print(f"{name}: {row['verified']} of {row['pairs']:,} verified", *row["which"][:9])


if __name__ == "__main__":
    main()

"""Deduplication measured part by part, beside imagededup in the same run.

    pip install imagededup
    python benchmarks/dedupe.py speed data/raw/houses
    python benchmarks/dedupe.py large data/raw/houses COPIES
    python benchmarks/dedupe.py quality data/raw/houses COPIES WEIGHTS [--homes N] [--detector FILE]
    python benchmarks/dedupe.py check data/raw/houses 1000000 10000000
    python benchmarks/dedupe.py real data/raw/houses
    python benchmarks/dedupe.py drift data/raw/houses
    python benchmarks/dedupe.py views data/raw/property_rooms WEIGHTS --detector FILE

COPIES is a folder for the edited copies of every strength, 6 GB, made by `seentwice variants` where
they are missing; WEIGHTS are those of MobileNetV2 as a safetensors file, for imagededup's CNN; FILE
is a checkpoint of ours with that trunk, measured beside the hashes alone.

- `speed`: photos hashed a second, and from a folder to its groups, with one process and two. Ten
  minutes. Expected: hashing at least 5 times as fast as imagededup's, the groups too.
- `large`: 20,000 photos, then again with nothing and with 1 % of the files changed. Five minutes.
  Expected: under 1 GB; the later runs under 3 % of the first one's time plus a second.
- `quality`: pairs and groups found in catalogues of the test homes' photos and their copies. An
  hour; a quarter of that with `--homes 50`.
- `check`: one photo against an index of the photos and made rows, up to these numbers. Ten
  minutes and 4 GB of disk for ten million. Expected: milliseconds.
- `real`: the photos that the set is known to hold twice. Half a minute. Expected: all, no others.
- `drift`: bits by which a hash moves with the way of decoding. Two minutes.
- `views`: groups among photos of the same rooms from other angles. A minute. Expected: with a
  checkpoint few more than by hashes alone.

Two cores. Each part writes benchmarks/results/dedupe_PART.json.
"""

import argparse
import json
import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"
PARTS = ("speed", "large", "quality", "check", "real", "drift", "views")
MORE = {"large": ["COPIES"], "quality": ["COPIES", "WEIGHTS"], "views": ["WEIGHTS"]}
"""Arguments after the photos that name places of the machine; a result says these words."""


def main() -> None:
    """Measure a part, write and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("photos", type=Path)
    parser.add_argument("rest", nargs="*", help="see above")
    parser.add_argument("--homes", type=int, default=200)
    parser.add_argument("--detector", action="append", default=[], type=Path)
    given = parser.parse_args()
    needed = MORE.get(given.part, given.rest if given.part == "check" else [])
    if len(given.rest) != len(needed):
        parser.error(f"after the photos, {given.part} takes {' '.join(needed) or 'nothing'}")
    found = measure(given)
    # After measuring, since processes of ours import this file, too.
    from rich.console import Console

    from seentwice.commands.provenance import describe_machine, git_commit, library_versions
    from seentwice.files import write_atomically

    words = [given.part, str(given.photos), *MORE.get(given.part, given.rest)]
    if given.part == "quality":
        words.append(f"--homes {given.homes}")
    words += [f"--detector {path.name}" for path in given.detector]
    result = {
        "command": " ".join(["python benchmarks/dedupe.py", *words]),
        "machine": describe_machine(),
        "git_commit": git_commit(),
        "versions": library_versions()
        | {name: version(name) for name in ("imagededup", "numba", "simplejpeg")},
        "load_average": round(os.getloadavg()[0], 2),
        **found,
    }
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(result, indent=2)
    write_atomically(RESULTS / f"dedupe_{given.part}.json", text + "\n")
    Console().print(found)


def measure(given: argparse.Namespace) -> Mapping[str, object]:
    """Measure one part; what it needs is imported for it alone."""
    if given.part == "speed":
        from dedupe_speed import measure_speed

        return measure_speed(given.photos)
    if given.part == "large":
        from dedupe_large import measure_large

        return measure_large(given.photos, Path(given.rest[0]))
    if given.part == "quality":
        from dedupe_quality import measure_quality

        copies, weights = given.rest
        return measure_quality(given.photos, Path(copies), weights, given.homes, given.detector)
    if given.part == "check":
        from dedupe_check import measure_check

        return measure_check(given.photos, [int(size) for size in given.rest])
    if given.part == "views":
        from dedupe_views import measure_views

        return measure_views(given.photos, given.rest[0], given.detector)
    from dedupe_real import measure_drift, measure_real

    return measure_real(given.photos) if given.part == "real" else measure_drift(given.photos)


if __name__ == "__main__":
    main()

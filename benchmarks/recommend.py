"""The 1,000 listings that look most like one, among 1,000, 100,000 and a million.

    python benchmarks/recommend.py speed

Two cores, 3 to 10 minutes, 5 GB of memory and of a temporary folder. Expected: every listing that
is found is right (`recall` 1.0). Times tell as much of what else the machine does as of the search:
look at `cpu_ms` and `load_average` beside them. At a million listings, where a scan reads 1 GB, a
question takes some 110 ms of all cores, which two that are free share; a listing is added for 12.

Listings of a table are made, a photo each: labels of three heads, embeddings of 512 numbers that
are sums of 64 directions, ever weaker, with noise, and three columns to filter by. One process
saves them, and another opens and asks: by the id of a listing, without and with filters that 10 %
and 1 % pass, 16 questions by one scan, and about a photo that is not there by what its reader saw.
Then it adds listings of a new photo each, and removes them: `add` includes what is written to the
disk, and after each it asks, with a filter and without. `ms` are median, 99th percentile and least,
`cpu_ms` the median of what they take of all cores, which other work changes less. `open_seconds` is
until the first answer, `listings_seconds` what the table takes of it, `prepare_seconds` what a
service does besides before listings are added. Right is what is among the best by a product with
all rows in float32, to the 6 decimals of a score: of equal ones any is.

Writes benchmarks/results/recommend_speed.json.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from seentwice.files import write_atomically
from seentwice.index.near_index import NearIndex
from seentwice.recommend.answering import Asked
from seentwice.recommend.changing import NewPhotos
from seentwice.recommend.filters import read_filter
from seentwice.recommend.listing_columns import keep_columns
from seentwice.recommend.listing_table import replace_listings
from seentwice.recommend.listings import ListingRecord
from seentwice.recommend.photo_reader import ReaderChoice
from seentwice.recommend.photo_table import append_photos, describe_photos, no_photos
from seentwice.recommend.recommender import Recommender, group_photos
from seentwice.recommend.scores import DECIMALS, ScoreWeights, make_queries
from seentwice.recommend.snapshot import LISTINGS, About, Snapshot, open_snapshot, save_snapshot
from seentwice.records import TagHead, TagSet

RESULT = Path(__file__).resolve().parent / "results" / "recommend_speed.json"
COUNTS = (1_000, 100_000, 1_000_000)
SIZE, FACTORS, TOP, BLOCK = 512, 64, 1_000, 50_000
QUESTIONS, TOGETHER, BATCHES, CHECKED, CHANGES = 201, 16, 21, 11, 21
TAGS = TagSet(
    (
        TagHead("front", ("front", "room")),
        TagHead("style", ("contemporary", "ranch", "traditional", "spanish")),
        TagHead("storeys", ("one", "two", "three_or_more")),
    )
)
SAVE, ASK = "save", "ask"

Ask = Callable[[int], object]
"""Asks the question of a number."""


def main() -> None:
    """Measure each size in processes of its own, print and write."""
    words = sys.argv[1:]
    if words[:1] == ["--case"]:
        way, folder, count = words[1:]
        if way == SAVE:
            save_homes(Path(folder), int(count))
            save_table(Path(folder), int(count))
        else:
            print(json.dumps(measure(Path(folder), int(count))))
        return
    if words != ["speed"]:
        raise SystemExit("give the part: python benchmarks/recommend.py speed")
    # Here, so that no measured process pays for what it imports.
    from seentwice.commands.provenance import describe_machine, git_commit, library_versions

    sizes = {}
    for count in COUNTS:
        with tempfile.TemporaryDirectory() as folder:
            for way in (SAVE, ASK):
                command = [sys.executable, __file__, "--case", way, folder, str(count)]
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            sizes[str(count)] = json.loads(done.stdout.splitlines()[-1])
    result = {
        "command": "python benchmarks/recommend.py speed",
        "machine": describe_machine(),
        "versions": library_versions(),
        "git_commit": git_commit(),
        "numbers": SIZE,
        "labels": TAGS.width,
        "top": TOP,
        "questions": QUESTIONS,
        "load_average": round(os.getloadavg()[0], 2),
        "listings": sizes,
    }
    RESULT.parent.mkdir(exist_ok=True)
    write_atomically(RESULT, json.dumps(result, indent=2) + "\n")
    show(sizes)


def make_values(count: int, start: int) -> NDArray[np.float32]:
    """Make probabilities and embeddings of photos, (count, t + e)."""
    directions = np.random.default_rng(0).normal(size=(FACTORS, SIZE)).astype(np.float32)
    rng = np.random.default_rng((1, start))
    strengths = 1 / np.sqrt(1 + np.arange(FACTORS, dtype=np.float32))
    shares = rng.normal(size=(count, FACTORS)).astype(np.float32) * strengths
    noise = rng.standard_normal((count, SIZE), dtype=np.float32)
    heads = [rng.dirichlet([0.3] * len(head.labels), count) for head in TAGS.heads]
    return np.concatenate([*heads, shares @ directions + noise], axis=1, dtype=np.float32)


def save_homes(folder: Path, count: int) -> None:
    """Save an index of made photos."""
    photos, near = no_photos(TAGS), NearIndex.create(TAGS.width + SIZE)
    for start in range(0, count, BLOCK):
        numbers = np.arange(start, min(start + BLOCK, count))
        digests = np.random.default_rng((2, start)).integers(0, 256, (len(numbers), 32), np.uint8)
        keys = [name_photo(number) for number in numbers.tolist()]
        some, rows = describe_photos(keys, digests, TAGS, make_values(len(numbers), start))
        near.add(numbers, rows)
        photos = append_photos(photos, some)
    reader = ReaderChoice("tagger", "made.safetensors", None, 1)
    about = About(0, "made", TAGS, reader, "photo", ScoreWeights())
    save_snapshot(folder, Snapshot(about, photos, near))


def name_photo(number: int) -> str:
    """Return the key of a made photo."""
    return f"{number % 1_000:03}/{number}.jpg"


def save_table(folder: Path, count: int) -> None:
    """Save listings of a photo each; a tenth in each town, a hundredth in each street."""
    records = [
        ListingRecord(str(number), (name_photo(number),), tell_facts(number))
        for number in range(count)
    ]
    replace_listings(folder / LISTINGS, records)
    keep_columns(folder / LISTINGS)


def tell_facts(number: int) -> dict[str, str]:
    """Return the columns of a listing."""
    price = str(100_000 + 7_919 * number % 900_000)
    return {"town": f"town {number % 10}", "street": f"street {number % 100}", "price": price}


def measure(folder: Path, count: int) -> dict[str, object]:
    """Open an index and ask it."""
    start = perf_counter()
    snapshot = open_snapshot(folder)
    snapshot = replace(snapshot, about=replace(snapshot.about, grouping="table"))
    before = perf_counter()
    listings = group_photos(folder, snapshot.about, snapshot.photos)
    listings_seconds = perf_counter() - before
    homes = Recommender(folder, folder, snapshot, listings)
    homes.recommend(homes.ask_about("0"), TOP)
    open_seconds = perf_counter() - start
    step = max(1, count // QUESTIONS)
    strangers = make_values(QUESTIONS, -1 + count)
    town, street = read_filter("town=town 3"), read_filter("street=street 3")

    def ask(number: int) -> Asked:
        return homes.ask_about(str(number * step % count))

    ways: dict[str, tuple[Ask, int]] = {
        "by id": (lambda n: homes.recommend(ask(n), TOP), QUESTIONS),
        "a photo that is not there": (
            lambda n: homes.recommend(homes.ask_about_values(strangers[n]), TOP),
            QUESTIONS,
        ),
        "a filter that 10 % pass": (lambda n: homes.recommend(ask(n), TOP, [town]), QUESTIONS),
        "a filter that 1 % pass": (lambda n: homes.recommend(ask(n), TOP, [street]), QUESTIONS),
        f"{TOGETHER} by id at once": (
            lambda n: homes.recommend_many(
                [ask((n * TOGETHER + one) % QUESTIONS) for one in range(TOGETHER)], TOP
            ),
            BATCHES,
        ),
    }
    recall = measure_recall(homes, snapshot, strangers)
    asked = {name: time_ways(*way) for name, way in ways.items()}
    start = perf_counter()
    homes.prepare()
    prepare_seconds = perf_counter() - start
    return {
        "open_seconds": round(open_seconds, 2),
        "listings_seconds": round(listings_seconds, 2),
        "prepare_seconds": round(prepare_seconds, 2),
        "recall": recall,
        "ways": asked | measure_changes(homes, count),
        "peak_mib": getrusage(RUSAGE_SELF).ru_maxrss // 1024,
    }


def measure_changes(homes: Recommender, count: int) -> dict[str, dict[str, float]]:
    """Add listings and remove them, and ask after each."""
    values = make_values(CHANGES, count)
    town = read_filter("town=town 3")

    def add(number: int) -> None:
        key = f"new/{number}.jpg"
        photos = NewPhotos((key,), np.full((1, 32), number, np.uint8), values[number : number + 1])
        homes.add(ListingRecord(f"new {number}", (key,), tell_facts(number)), photos)

    def remove(number: int) -> None:
        homes.remove(f"new {number}")

    told = {}
    for name, change in (("added", add), ("removed", remove)):
        steps: dict[str, Ask] = {
            f"a listing {name}": change,
            f"by id, one {name} before": lambda n: homes.recommend(homes.ask_about(str(n)), TOP),
            f"a filter, one {name} before": lambda n: homes.recommend(
                homes.ask_about(str(n)), TOP, [town]
            ),
        }
        times: dict[str, list[tuple[float, float]]] = {step: [] for step in steps}
        for number in range(CHANGES):
            for step, act in steps.items():
                times[step].append(time_once(act, number))
        told |= {step: sum_up(found) for step, found in times.items()}
    return told


def time_ways(ask: Ask, times: int) -> dict[str, float]:
    """Ask some questions, and the first once before."""
    ask(0)
    return sum_up([time_once(ask, number) for number in range(times)])


def time_once(ask: Ask, number: int) -> tuple[float, float]:
    """Return milliseconds of the clock, and of all cores."""
    start, before = perf_counter(), read_cpu_seconds()
    ask(number)
    return 1e3 * (perf_counter() - start), 1e3 * (read_cpu_seconds() - before)


def sum_up(times: list[tuple[float, float]]) -> dict[str, float]:
    """Return median, 99th percentile and least, and the median of all cores."""
    wall, cpu = zip(*times, strict=True)
    p50, p99 = np.percentile(wall, (50, 99))
    return {
        "p50_ms": round(float(p50), 2),
        "p99_ms": round(float(p99), 2),
        "least_ms": round(min(wall), 2),
        "cpu_ms": round(float(np.median(cpu)), 2),
    }


def read_cpu_seconds() -> float:
    """Return what this process took of all cores."""
    usage = getrusage(RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure_recall(homes: Recommender, snapshot: Snapshot, strangers: NDArray[np.float32]) -> float:
    """Return the share of the best by a product with all rows in float32 that are found."""
    asked = [homes.ask_about_values(values) for values in strangers[:CHECKED]]
    queries = np.concatenate(
        [make_queries(TAGS, ScoreWeights(), one.labels, one.embeddings) for one in asked]
    )
    numbers = np.arange(len(snapshot.photos))
    blocks = [
        queries @ snapshot.near.read(numbers[start : start + BLOCK]).T
        for start in range(0, len(numbers), BLOCK)
    ]
    products = np.concatenate(blocks, axis=1)
    best = min(TOP, len(numbers))
    least = np.partition(products, -best, axis=1)[:, -best] - 10.0**-DECIMALS
    place = snapshot.photos.number()
    hits = 0
    for each, of_each, enough in zip(asked, products, least, strict=True):
        found = [place[one.photo] for one in homes.recommend(each, TOP)]
        hits += np.count_nonzero(of_each[np.unique(found)] >= enough)
    return round(hits / (best * len(asked)), 5)


def show(sizes: dict[str, dict[str, object]]) -> None:
    """Print what was measured."""
    table = Table("listings", "asked", "p50 ms", "p99 ms", "least ms", "CPU ms")
    for count, found in sizes.items():
        ways = found["ways"]
        assert isinstance(ways, dict)
        for name, way in ways.items():
            table.add_row(f"{int(count):,}", name, *(f"{value:.1f}" for value in way.values()))
    Console().print(table)


if __name__ == "__main__":
    main()

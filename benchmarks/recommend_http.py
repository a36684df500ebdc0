"""The service over HTTP: how fast it answers, how much it bears, and whether it stays so.

    python benchmarks/recommend_http.py http
    python benchmarks/recommend_http.py soak

Two cores, which service and client share: 15 and 12 minutes, 5 GB of memory and of a temporary
folder for the first. Expected at a million listings of 512 numbers, top 1,000: a question a time
within 20 ms of what it takes in the library, and 16 at once by scans that they share, at a higher
rate; in ten minutes at 50 questions a second among 100,000 no error, and memory that does not grow
once the first minutes are over.

Listings are those of benchmarks/recommend.py, asked about by id. The service is that of `seentwice
serve` in a process of its own, the client threads of another one, which read every answer to its
end. `ms` are median, 99th percentile and largest. At a rate, a question's time begins when it was
due, so one that waits for others counts in full. `queries_a_scan` is how many questions a scan
answered on average.

Writes benchmarks/results/recommend_http.json and recommend_soak.json.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count as count_up
from pathlib import Path
from threading import Lock
from time import perf_counter, sleep

import numpy as np
import psutil
from recommend import SIZE, TAGS, save_homes
from rich.console import Console
from rich.table import Table

from seentwice.files import write_atomically
from seentwice.recommend.listings import list_photos
from seentwice.recommend.photo_reader import PhotoReader
from seentwice.recommend.recommender import Recommender
from seentwice.recommend.snapshot import About, open_snapshot

RESULTS = Path(__file__).resolve().parent / "results"
COUNTS = (1_000, 100_000, 1_000_000)
TOPS = (20, 1_000)
ALONE, TOGETHER, ROUNDS = 201, 16, 20
SOAKED, RATE, SOAK_SECONDS, SAMPLES = 100_000, 50, 600, 10
SATURATING, SATURATION_SECONDS = 32, 20
SERVE, ASK, PRESS, LOAD = "serve", "ask", "press", "load"


def main() -> None:
    """Measure a part, print and write."""
    words = sys.argv[1:]
    if words[:1] == ["--case"]:
        run_case(words[1], words[2:])
        return
    parts = {"http": measure_http, "soak": measure_soak}
    if len(words) != 1 or words[0] not in parts:
        raise SystemExit("give the part: python benchmarks/recommend_http.py http, or soak")
    from seentwice.commands.provenance import describe_machine, git_commit, library_versions

    found = parts[words[0]]()
    result = {
        "command": f"python benchmarks/recommend_http.py {words[0]}",
        "machine": describe_machine(),
        "versions": library_versions(),
        "git_commit": git_commit(),
        "numbers": SIZE,
        "labels": TAGS.width,
        "load_average": round(os.getloadavg()[0], 2),
        **found,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / ("recommend_http.json" if words[0] == "http" else "recommend_soak.json")
    write_atomically(path, json.dumps(result, indent=2) + "\n")


def run_case(case: str, words: list[str]) -> None:
    """Do what a process of its own does."""
    if case == "save":
        save_homes(Path(words[0]), int(words[1]))
    elif case == SERVE:
        serve_made(Path(words[0]), int(words[1]))
    elif case == ASK:
        print(json.dumps(ask_in_turn(Client(int(words[0]), int(words[1]), int(words[2])))))
    elif case == PRESS:
        client = Client(int(words[0]), int(words[1]), int(words[2]))
        print(json.dumps(press(client, int(words[3]), float(words[4]))))
    else:
        client = Client(int(words[0]), int(words[1]), int(words[2]))
        print(json.dumps(load(client, float(words[3]), float(words[4]))))


def measure_http() -> dict[str, object]:
    """Ask services of each size, one question at a time, several at once, and all they bear."""
    sizes: dict[str, dict[str, object]] = {}
    for count in COUNTS:
        with serving(count) as (process, port):
            ways: dict[str, object] = {}
            for top in TOPS:
                ways[f"top {top}"] = {
                    "one at a time": run_client(ASK, port, count, top),
                    f"{TOGETHER} at once": run_client(
                        PRESS, port, count, top, TOGETHER, ROUNDS * 0.5
                    ),
                    "all that it bears": run_client(
                        PRESS, port, count, top, SATURATING, SATURATION_SECONDS
                    ),
                }
            sizes[str(count)] = {"ways": ways, "rss_mib": read_memory(process)}
        show(str(count), ways)
    return {"listings": sizes}


def measure_soak() -> dict[str, object]:
    """Ask at a steady rate for ten minutes, and look at the service's memory meanwhile."""
    with serving(SOAKED) as (process, port), ThreadPoolExecutor(1) as pool:
        run_client(LOAD, port, SOAKED, TOPS[0], RATE, 5)
        asked = pool.submit(run_client, LOAD, port, SOAKED, TOPS[0], RATE, SOAK_SECONDS)
        memory = [read_memory(process)]
        for _ in range(SAMPLES):
            sleep(SOAK_SECONDS / SAMPLES)
            memory.append(read_memory(process))
        found = asked.result()
    Console().print(found, memory)
    return {
        "listings": SOAKED,
        "top": TOPS[0],
        "questions_a_second": RATE,
        "seconds": SOAK_SECONDS,
        "answers": found,
        "rss_mib": memory,
    }


@contextmanager
def serving(count: int) -> Iterator[tuple[psutil.Process, int]]:
    """A service of made listings in a process of its own, and its port."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--case", "save", folder, str(count)]
        subprocess.run(command, check=True)
        command = [sys.executable, __file__, "--case", SERVE, folder, str(count)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            yield psutil.Process(process.pid), int(process.stdout.readline())
        finally:
            process.terminate()
            process.wait()


def run_client(case: str, *words: float) -> dict[str, float]:
    """Return what a client measured in a process of its own."""
    command = [sys.executable, __file__, "--case", case, *map(str, words)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def read_memory(process: psutil.Process) -> int:
    """Return the MiB that a process holds in memory."""
    return int(process.memory_info().rss) // 2**20


@dataclass(frozen=True, slots=True)
class MadeSource:
    """An index of made listings, a photo each; it looks at no photo."""

    folder: Path
    count: int

    def open(self) -> Recommender:
        """Open it."""
        snapshot = open_snapshot(self.folder)
        listings = list_photos(snapshot.photos.keys, snapshot.photos.is_there)
        return Recommender(self.folder, self.folder, snapshot, listings)

    def open_reader(self, about: About) -> PhotoReader:
        """Give nothing: all questions are by id."""
        return None  # type: ignore[return-value]

    def mark(self) -> object:
        """Say that it never changes."""
        return None


def serve_made(folder: Path, count: int) -> None:
    """Serve until told to stop; print the port first."""
    from seentwice.web.limits import ServiceLimits
    from seentwice.web.live_index import LiveIndex
    from seentwice.web.metrics import ServiceMetrics
    from seentwice.web.server import listen, serve
    from seentwice.web.service import Service

    metrics = ServiceMetrics()
    live = LiveIndex(MadeSource(folder, count), metrics)
    recommender = live.current.recommender
    recommender.recommend(recommender.ask_about(name_home(0)), TOPS[-1])
    with listen("127.0.0.1", 0, None) as listening:
        print(listening.getsockname()[1], flush=True)
        serve(Service(live, None, None, ServiceLimits(), None, metrics), listening)


def name_home(number: int) -> str:
    """Return the id of a listing, as `save_homes` gives it."""
    return f"{number % 1_000:03}/{number}.jpg"


@dataclass(frozen=True, slots=True)
class Client:
    """What is asked, of which service."""

    port: int
    count: int  # of listings
    top: int

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection for many questions."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, connection: http.client.HTTPConnection, number: int) -> bool:
        """Ask the question of a number; say whether the answer is whole."""
        home = number * 7_919 % self.count
        body = json.dumps({"id": name_home(home), "k": self.top})
        try:
            connection.request("POST", "/recommend", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return False
        found = content.count(b'"rank":')
        return answer.status == 200 and found == min(self.top, self.count - 1)

    def read_scans(self) -> tuple[float, float]:
        """Return how many scans the service made, and for how many questions."""
        connection = self.connect()
        connection.request("GET", "/metrics")
        told = connection.getresponse().read().decode()
        connection.close()
        scans, queries = (
            float(re.search(rf"^seentwice_index_{name} (\S+)$", told, re.M)[1])  # type: ignore[index]
            for name in ("scans", "queries")
        )
        return scans, queries


def ask_in_turn(client: Client) -> dict[str, float]:
    """Ask one question after the other."""
    connection = client.connect()
    client.ask(connection, 0)
    times, errors = [], 0
    for number in range(1, ALONE + 1):
        start = perf_counter()
        errors += not client.ask(connection, number)
        times.append(perf_counter() - start)
    return {**describe_times(times), "errors": errors}


def press(client: Client, threads: int, seconds: float) -> dict[str, float]:
    """Ask from several threads, each its next question once the last was answered."""
    end = perf_counter() + seconds

    def work(next_number: Callable[[], int], times: list[float]) -> int:
        connection, errors = client.connect(), 0
        while (start := perf_counter()) < end:
            errors += not client.ask(connection, next_number())
            times.append(perf_counter() - start)
        return errors

    return run_threads(client, threads, work)


def load(client: Client, rate: float, seconds: float) -> dict[str, float]:
    """Ask so many questions a second, whether the service keeps up or not."""
    begin = perf_counter() + 0.5
    due = count_up()
    most = int(rate * seconds)
    turn = Lock()

    def work(next_number: Callable[[], int], times: list[float]) -> int:
        connection, errors = client.connect(), 0
        while True:
            with turn:
                number = next(due)
            if number >= most:
                return errors
            start = begin + number / rate
            sleep(max(0.0, start - perf_counter()))
            errors += not client.ask(connection, next_number())
            times.append(perf_counter() - start)

    return run_threads(client, SATURATING, work)


def run_threads(
    client: Client, threads: int, work: Callable[[Callable[[], int], list[float]], int]
) -> dict[str, float]:
    """Let threads work, and tell what all of them measured."""
    numbers = count_up(1)
    times: list[float] = []
    before = client.read_scans()
    start = perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        workers = [pool.submit(work, lambda: next(numbers), times) for _ in range(threads)]
        errors = sum(worker.result() for worker in workers)
    seconds = perf_counter() - start
    scans, queries = (after - old for after, old in zip(client.read_scans(), before, strict=True))
    return {
        **describe_times(times),
        "errors": errors,
        "answers": len(times),
        "answers_a_second": round(len(times) / seconds, 1),
        "queries_a_scan": round(queries / scans, 2),
    }


def describe_times(times: list[float]) -> dict[str, float]:
    """Return median, 99th percentile and largest of times, in ms."""
    p50, p99, most = np.percentile(times, (50, 99, 100)) * 1e3
    return {"p50_ms": round(p50, 2), "p99_ms": round(p99, 2), "most_ms": round(most, 2)}


def show(count: str, ways: dict[str, object]) -> None:
    """Print what was measured of a size."""
    table = Table("listings", "asked", "p50 ms", "p99 ms", "a second", "queries a scan", "errors")
    for top, found in ways.items():
        assert isinstance(found, dict)
        for name, way in found.items():
            names = ("p50_ms", "p99_ms", "answers_a_second", "queries_a_scan", "errors")
            values = (str(way.get(one, "")) for one in names)
            table.add_row(f"{int(count):,}", f"{top}, {name}", *values)
    Console().print(table)


if __name__ == "__main__":
    main()

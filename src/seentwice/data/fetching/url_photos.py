"""Photos from the web in a folder that keeps them: each URL is fetched once."""

import hashlib
import json
import threading
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from seentwice.data.fetching.web import DownloadError, Web, fetch
from seentwice.data.source import Progress
from seentwice.errors import UserError
from seentwice.files import open_atomically, write_atomically
from seentwice.records import Reason, Unreadable

FAILURES_FILE = "failures.json"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a URL gave no file."""

    reason: Reason
    detail: str


def path_of_url(folder: Path, url: str) -> Path:
    """Return where the folder keeps what a URL serves: under the sha256 of the URL."""
    return folder / hashlib.sha256(url.encode("utf-8")).hexdigest()


def fetch_photos(urls: Iterable[str], folder: Path, web: Web, on_progress: Progress) -> None:
    """Fetch what the folder does not hold yet, and note there which URLs gave nothing.

    Those are tried again the next time. At one host few downloads run at once, whatever the number
    of threads. What the files hold is for the decoder to say.

    Args:
        urls: to fetch.
        folder: keeps the files; made where it is missing.
        web: limits, and which addresses are allowed.
        on_progress: told of every URL that is done with.

    Raises:
        OSError: the folder cannot be written.
        UserError: the folder's list of failures is damaged.
    """
    missing = [url for url in dict.fromkeys(urls) if not path_of_url(folder, url).is_file()]
    if not missing:
        return
    folder.mkdir(parents=True, exist_ok=True)
    failures = dict(read_failures(folder))
    for url, failure in _fetch_all(missing, folder, web, on_progress).items():
        failures.pop(url, None)
        if failure is not None:
            failures[url] = failure
    stored = {
        url: {"reason": failure.reason.value, "detail": failure.detail}
        for url, failure in failures.items()
    }
    write_atomically(folder / FAILURES_FILE, json.dumps(stored, indent=1, sort_keys=True) + "\n")


def read_failures(folder: Path) -> Mapping[str, Failure]:
    """Return the URLs that gave nothing the last time.

    Raises:
        UserError: the list is damaged.
    """
    path = folder / FAILURES_FILE
    if not path.is_file():
        return {}
    try:
        return TypeAdapter(dict[str, Failure]).validate_json(path.read_bytes())
    except ValidationError as error:
        raise UserError(f"{path}: is damaged; delete it and prepare again") from error


def describe_missing(folder: Path, url: str, failures: Mapping[str, Failure]) -> Unreadable | None:
    """Return why the folder does not hold what a URL serves; None where it does."""
    path = path_of_url(folder, url)
    if path.is_file():
        return None
    failure = failures.get(url, Failure(Reason.MISSING, "not fetched yet"))
    return Unreadable(path, failure.reason, f"{url}: {failure.detail}")


def _fetch_all(
    urls: list[str], folder: Path, web: Web, on_progress: Progress
) -> dict[str, Failure | None]:
    """Fetch URLs in threads, and return what became of each."""
    waiting: dict[str, deque[str]] = {}
    for url in urls:
        waiting.setdefault(_host_of(url), deque()).append(url)
    running: dict[Future[Failure | None], str] = {}
    outcomes: dict[str, Failure | None] = {}
    stop = threading.Event()
    with ThreadPoolExecutor(web.limits.threads) as pool:
        try:
            while len(outcomes) < len(urls):
                for url in _choose(waiting, running.values(), web):
                    running[pool.submit(_fetch_one, url, folder, web, stop)] = url
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    outcomes[running.pop(future)] = future.result()
                    on_progress(len(outcomes), len(urls))
        except BaseException:
            stop.set()  # the pool waits for its threads, and they look at this
            raise
    return outcomes


def _choose(waiting: dict[str, deque[str]], running: Iterable[str], web: Web) -> list[str]:
    """Take the URLs to start now, as many hosts at once as there are."""
    at_host = Counter(map(_host_of, running))
    free = web.limits.threads - at_host.total()
    chosen: list[str] = []
    for _ in range(web.limits.threads_per_host):
        for host in list(waiting):
            if len(chosen) < free and at_host[host] < web.limits.threads_per_host:
                chosen.append(waiting[host].popleft())
                at_host[host] += 1
                if not waiting[host]:
                    del waiting[host]
    return chosen


def _fetch_one(url: str, folder: Path, web: Web, stop: threading.Event) -> Failure | None:
    try:
        with open_atomically(path_of_url(folder, url)) as file:
            fetch(url, file, web, stop)
    except DownloadError as error:
        return Failure(error.reason, error.detail)
    return None


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""

"""Photos from the web in a folder that keeps them: each URL is fetched once."""

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from seentwice.data.fetching.host_queue import HostQueue, Origin, origin_of
from seentwice.data.fetching.web import DownloadError, Web, fetch
from seentwice.data.source import Progress
from seentwice.errors import UserError
from seentwice.files import open_atomically, write_atomically
from seentwice.photos import HEAD_BYTES, is_photo_head
from seentwice.records import Reason, Unreadable

FAILURES_FILE = "failures.json"
GIVEN_UP_AFTER = 3
"""URLs in a row without a connection; then no other one of that host is tried."""


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

    Those are left out the next time, until `forget_failures`. At one host few downloads run at
    once, whatever the number of threads, and a host to which `GIVEN_UP_AFTER` URLs in a row gave
    no connection is given up. What begins like no photo is not kept; what else the files hold is
    for the decoder to say.

    Args:
        urls: to fetch.
        folder: keeps the files; made where it is missing.
        web: limits, and which addresses are allowed.
        on_progress: told of every URL that is done with.

    Raises:
        OSError: the folder cannot be written.
        UserError: the folder's list of failures is damaged.
    """
    failures = dict(read_failures(folder))
    missing = [
        url
        for url in dict.fromkeys(urls)
        if url not in failures and not path_of_url(folder, url).is_file()
    ]
    if not missing:
        return
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _fetch_all(missing, folder, web, failures, on_progress)
    finally:  # what a run that is stopped has learnt need not be learnt again
        _write_failures(folder, failures)


def forget_failures(urls: Iterable[str], folder: Path) -> None:
    """Let the next `fetch_photos` try again what gave nothing.

    Raises:
        OSError: the folder cannot be written.
        UserError: the folder's list of failures is damaged.
    """
    failures = dict(read_failures(folder))
    if forgotten := failures.keys() & set(urls):
        _write_failures(folder, {url: failures[url] for url in failures.keys() - forgotten})


def _write_failures(folder: Path, failures: Mapping[str, Failure]) -> None:
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
    return Unreadable(path, failure.reason, failure.detail, url)


def _fetch_all(
    urls: list[str], folder: Path, web: Web, failures: dict[str, Failure], on_progress: Progress
) -> None:
    """Fetch URLs in threads, and add to `failures` what gave nothing."""
    queue = HostQueue(urls, web.limits.threads_per_host)
    in_a_row: Counter[Origin] = Counter()
    running: dict[Future[DownloadError | None], str] = {}
    done = 0
    stop = threading.Event()
    with ThreadPoolExecutor(web.limits.threads) as pool:
        try:
            while done < len(urls):
                while len(running) < web.limits.threads and (url := queue.take()) is not None:
                    if in_a_row[origin_of(url)] < GIVEN_UP_AFTER:
                        running[pool.submit(_fetch_one, url, folder, web, stop)] = url
                        continue
                    detail = f"not tried: {GIVEN_UP_AFTER} others gave no connection to its host"
                    failures[url] = Failure(Reason.UNREACHABLE, detail)
                    queue.finish(url)
                    done += 1
                    on_progress(done, len(urls))
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    url = running.pop(future)
                    error = future.result()
                    origin = origin_of(url)
                    in_a_row[origin] = (
                        0 if error is None or error.is_connected else in_a_row[origin] + 1
                    )
                    if error is not None:
                        failures[url] = Failure(error.reason, error.detail)
                    queue.finish(url)
                    done += 1
                    on_progress(done, len(urls))
        except BaseException:
            stop.set()  # the pool waits for its threads, and they look at this
            raise


def _fetch_one(url: str, folder: Path, web: Web, stop: threading.Event) -> DownloadError | None:
    """Keep what a URL serves; return why there is nothing to keep."""
    try:
        with open_atomically(path_of_url(folder, url)) as file:
            fetch(url, file, web, stop)
            file.flush()
            _check_head(Path(file.name))
    except DownloadError as error:
        return error
    return None


def _check_head(path: Path) -> None:
    """Refuse what no decoder will take, such as a page that says that there is no photo."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not is_photo_head(head):
        detail = "begins like no photo" if head else "0 bytes"
        raise DownloadError(Reason.NOT_SERVED, f"HTTP 200, but {detail}")

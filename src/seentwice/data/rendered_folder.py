"""A folder of rendered photos: written whole or not at all, and only once.

A file of parameters beside the photos says what they were drawn with.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from seentwice.data.source import Progress
from seentwice.errors import UserError

Job = TypeVar("Job")


def write_rendered_folder(
    root: Path,
    what: str,
    parameters_file: str,
    parameters: Mapping[str, int],
    draw: Callable[[Path], None],
) -> None:
    """Draw into a folder that gets its name when it is whole, unless it is there already.

    Args:
        root: Folder to write; absent, empty, or written with these parameters before.
        what: The photos in a word, for errors, such as "rooms".
        parameters_file: Name of the file of the parameters.
        parameters: All that decides the pixels.
        draw: Fills the folder that it is given.

    Raises:
        UserError: `root` holds something else, or photos of other parameters.
    """
    if is_rendered(root, what, parameters_file, parameters):
        return
    root.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=root.parent))
    try:
        draw(draft)
        (draft / parameters_file).write_text(json.dumps(dict(parameters), indent=2) + "\n")
        # mkdtemp makes a folder that only its owner can read; a data set is no secret.
        draft.chmod(0o755)
        try:
            publish(draft, root)
        except OSError:
            # Another process may have finished the same data set first.
            if not is_rendered(root, what, parameters_file, parameters):
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def publish(draft: Path, root: Path) -> None:
    """Give the finished folder its name in one step."""
    if root.exists():
        root.rmdir()
    draft.rename(root)


def is_rendered(root: Path, what: str, parameters_file: str, parameters: Mapping[str, int]) -> bool:
    """Say whether root already is the data set; raise if it is something else."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    file = root / parameters_file
    if not file.is_file():
        raise UserError(
            f"{root} holds something other than rendered {what}; choose an empty or a new folder"
        )
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # no JSON, or no UTF-8
        raise UserError(
            f"{file} is not JSON ({error}); delete {root} or choose a new folder"
        ) from error
    if not isinstance(found, dict):
        raise UserError(
            f"{file} holds no parameters of {what}; delete {root} or choose a new folder"
        )
    if found != parameters:
        differing = ", ".join(
            f"{name}={found.get(name)} where {name}={value} is asked for"
            for name, value in parameters.items()
            if found.get(name) != value
        )
        raise UserError(
            f"{root} holds {what} drawn with {differing}; delete it or choose a new folder"
        )
    return True


def check_lowest(ranges: Mapping[str, tuple[int, int]]) -> None:
    """Refuse numbers below their lowest: name to (value, lowest).

    Raises:
        UserError: names the first of them.
    """
    for name, (value, lowest) in ranges.items():
        if value < lowest:
            raise UserError(f"{name} is {value}; it must be at least {lowest}")


def draw_in_processes(
    draw: Callable[[Job], int],
    jobs: list[Job],
    total: int,
    on_progress: Progress | None,
    workers: int,
) -> None:
    """Run every job, each of which returns how many photos it wrote.

    Args:
        draw: A function that other processes can import.
        jobs: Drawn up front, so that workers share no random state.
        total: Photos of all jobs.
        on_progress: Called with the photos done so far and their total.
        workers: Processes; one is this one.
    """
    done = 0
    if workers == 1:
        for job in jobs:
            done += draw(job)
            if on_progress is not None:
                on_progress(done, total)
        return
    # Spawned, not forked: the caller may run threads, and a fork of those can hang.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        running: list[Future[int]] = [pool.submit(draw, job) for job in jobs]
        try:
            for finished in as_completed(running):
                done += finished.result()
                if on_progress is not None:
                    on_progress(done, total)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise

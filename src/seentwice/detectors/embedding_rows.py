"""From photos to rows as fast as the machine allows, for whoever keeps rows of their own."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from seentwice.data.source import Progress
from seentwice.errors import UserError
from seentwice.models.engines import BATCH, Engine, open_passing_threads
from seentwice.photos import PhotoError, read_photo
from seentwice.records import Unreadable

Decoding = Literal["full", "reduced"]


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedPhotos:
    """The rows of a few files that follow each other."""

    files: tuple[Path, ...]  # r that gave a row
    rows: NDArray[np.float32]  # (r, d), or (r, c, h, w) of a trunk that is cut at a map
    unreadable: tuple[Unreadable, ...]  # the other files


def embed_photos(
    files: Sequence[Path],
    engine: Engine,
    decoding: Decoding,
    workers: int,
    max_pixels: int,
    on_progress: Progress,
) -> Iterator[EmbeddedPhotos]:
    """Return the rows of photos in the order of their files, a batch at a time.

    Each worker decodes a batch and passes it, so that no processor waits for another. Memory holds
    a few batches a worker, however many the files. A caller that stops early stops the workers.

    Args:
        files: photos.
        engine: passes them, see `open_engine`; it can be used again.
        decoding: "reduced" decodes JPEGs to little more than the trunk's input, see `read_photo`;
            rows of the two ways should not be mixed.
        workers: threads.
        max_pixels: photos with more are listed as unreadable.
        on_progress: told of the files that are done.

    Raises:
        UserError: an argument of another kind, or out of its range.
    """
    _check_files(files)
    if not isinstance(engine, Engine):  # its text may be that of a whole network
        raise UserError(f"engine: a {type(engine).__name__}; give what open_engine returns")
    if decoding not in get_args(Decoding):
        raise UserError(f"decoding={decoding!r}: choose one of {', '.join(get_args(Decoding))}")
    for name, number in (("workers", workers), ("max_pixels", max_pixels)):
        if not (type(number) is int and number >= 1):
            raise UserError(f"{name}={number!r}: give a whole number from 1 on")
    return _embed_all(files, _Worker(engine, decoding, max_pixels), workers, on_progress)


def _check_files(files: object) -> None:
    """Refuse what is no list of paths, whatever its annotation says.

    Raises:
        UserError: names the type of what is none: its text may be as long as a list of photos.
    """
    if isinstance(files, str | Path):
        found = f"find_photos(Path({str(files)!r}))[0]"
        raise UserError(f"files={str(files)!r}: give a list of paths; of a folder, {found}")
    if not isinstance(files, Sequence):
        raise UserError(f"files: a {type(files).__name__}; give a list of paths")
    for file in files:
        if isinstance(file, str):
            raise UserError(f"files: {file!r} is no path; give Path({file!r})")
        if not isinstance(file, Path):
            raise UserError(f"files: a {type(file).__name__} is among them; give a list of paths")


def _embed_all(
    files: Sequence[Path], worker: "_Worker", workers: int, on_progress: Progress
) -> Iterator[EmbeddedPhotos]:
    batches = [files[start : start + BATCH] for start in range(0, len(files), BATCH)]
    done = 0
    with open_passing_threads(workers) as pool:
        for some in _map_ahead(pool, worker.embed, batches, 2 * workers):
            done += len(some.files) + len(some.unreadable)
            on_progress(done, len(files))
            yield some


@dataclass(frozen=True, slots=True, eq=False)
class _Worker:
    """What a worker does with a batch."""

    engine: Engine
    decoding: Decoding
    max_pixels: int

    def embed(self, files: Sequence[Path]) -> EmbeddedPhotos:
        preprocessing = self.engine.preprocessing
        at_least = preprocessing.width_px, preprocessing.height_px
        size = at_least if self.decoding == "reduced" else None
        seen: list[Path] = []
        looks: list[NDArray[np.uint8]] = []
        unreadable: list[Unreadable] = []
        for file in files:
            try:
                looks.append(preprocessing.look(read_photo(file, self.max_pixels, size)))
            except PhotoError as error:
                unreadable.append(error.unreadable)
            else:
                seen.append(file)
        rows = np.empty((0, *self.engine.row_shape), np.float32)
        if looks:
            rows = self.engine.embed(np.stack(looks))
        return EmbeddedPhotos(tuple(seen), rows, tuple(unreadable))


def _map_ahead(
    pool: ThreadPoolExecutor,
    embed: Callable[[Sequence[Path]], EmbeddedPhotos],
    batches: Sequence[Sequence[Path]],
    most: int,
) -> Iterator[EmbeddedPhotos]:
    """Yield what a function makes of each batch, in order, with a bounded number of them ahead."""
    ahead: deque[Future[EmbeddedPhotos]] = deque()
    for batch in batches:
        ahead.append(pool.submit(embed, batch))
        if len(ahead) > most:
            yield ahead.popleft().result()
    while ahead:
        yield ahead.popleft().result()

"""Write the variants of photos on several processes: each photo is decoded once."""

import hashlib
import shutil
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context, resource_tracker
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from seentwice.data.variants.plan import VariantSettings, variants_of
from seentwice.edits import apply_edit, sizes_of
from seentwice.errors import UserError
from seentwice.files import open_atomically
from seentwice.photos import PhotoError, read_photo
from seentwice.processes import end_with_parent, hold_ctrl_c
from seentwice.records import Reason, Unreadable

_JPEG_SIDE_PX = 65_500
_AHEAD = 4  # photos a process that wait, so that no process does


@dataclass(frozen=True, slots=True)
class WritingJob:
    """What is the same for all photos."""

    photos: Path
    out: Path
    settings: VariantSettings
    max_pixels: int


Digests = tuple[str, ...]
"""The sha256 of each variant of a photo, itself first, in hexadecimal."""


def write_all(
    job: WritingJob, keys: Sequence[str], workers: int
) -> Iterator[tuple[str, Digests | Unreadable]]:
    """Write the variants of all photos; yield each photo's outcome in the photos' order.

    Files that are there are whole and stay; of a photo that gives no pixels there are none.
    Memory holds a few photos a process, however many there are.

    Raises:
        UserError: the memory did not suffice.
        OSError: the disk is full, the folder cannot be written, ...
    """
    if workers == 1:
        for key in keys:
            yield key, write_photo(job, key)
        return
    ahead: deque[tuple[str, Future[Digests | Unreadable]]] = deque()
    # Spawned, not forked: the caller may run threads, and a fork of those can hang.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), end_with_parent)
    resource_tracker.ensure_running()  # it would let signals through again when it starts
    try:
        for key in keys:
            with hold_ctrl_c():
                ahead.append((key, pool.submit(write_photo, job, key)))
            if len(ahead) > _AHEAD * workers:
                first, outcome = ahead.popleft()
                yield first, outcome.result()
        while ahead:
            first, outcome = ahead.popleft()
            yield first, outcome.result()
    except BrokenProcessPool as error:
        raise UserError(
            "a process ended, probably for want of memory; "
            "go on with the same command and fewer --workers or --max-pixels"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def write_photo(job: WritingJob, key: str) -> Digests | Unreadable:
    """Write those variants of one photo that are not there.

    The photo itself is copied byte for byte, with its metadata; edited copies start from its
    upright pixels and carry none. That copy is written last and removed first: it tells what the
    others were made from. Where it is missing, or the photo has changed since, all are made anew.

    Raises:
        UserError: the memory did not suffice.
        OSError: a file cannot be written.
    """
    source = job.photos / key
    variants = variants_of(key, job.settings)
    paths = [job.out / variant.file for variant in variants]
    is_same = paths[0].exists() and source.is_file() and _digest(source) == _digest(paths[0])
    if not (is_same and all(path.exists() for path in paths)):
        try:
            image = read_photo(source, job.max_pixels)
            if not is_same:
                paths[0].unlink(missing_ok=True)
            paths[0].parent.mkdir(parents=True, exist_ok=True)
            for path, variant in zip(paths[1:], variants[1:], strict=True):
                if not (is_same and path.exists()):
                    _check_size(source, image, variant.edit, job.max_pixels)
                    with open_atomically(path) as file:
                        _save(apply_edit(image, variant.edit), file, source, job.settings.format)
            if not is_same:
                with source.open("rb") as original, open_atomically(paths[0]) as file:
                    shutil.copyfileobj(original, file)
        except PhotoError as error:
            for path in paths:
                path.unlink(missing_ok=True)
            return error.unreadable
        except MemoryError as error:
            raise UserError(
                f"{key}: the memory does not suffice; "
                "go on with the same command and fewer --workers or --max-pixels"
            ) from error
    return tuple(_digest(path) for path in paths)


def _check_size(source: Path, image: Image.Image, edit: str, max_pixels: int) -> None:
    """Refuse a copy that grows too large on its way, before it does.

    Raises:
        PhotoError: one of the edit's pictures has more pixels than allowed.
    """
    width, height = max(sizes_of(image.size, edit), key=lambda size: size[0] * size[1])
    if width * height > max_pixels:
        detail = f"{edit} makes {width} x {height} pixels of it, more than {max_pixels}"
        raise PhotoError(Unreadable(source, Reason.TOO_LARGE, detail))


def _save(image: Image.Image, file: BinaryIO, source: Path, form: str) -> None:
    """Write an edited copy.

    Raises:
        PhotoError: it is longer than a JPEG can be.
    """
    if form == "png":
        image.save(file, "PNG", compress_level=3)
        return
    if max(image.size) > _JPEG_SIDE_PX:
        detail = f"a side above {_JPEG_SIDE_PX} pixels is more than a JPEG holds; --format png does"
        raise PhotoError(Unreadable(source, Reason.TOO_LARGE, detail))
    image.save(file, "JPEG", quality=95, subsampling="4:4:4")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

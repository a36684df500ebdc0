"""Adds a listing in a process of its own, and kills it after a step: python adding_process.py."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from seentwice.data.source import Progress
from seentwice.files import digest_file
from seentwice.recommend import recommender as recommenders
from seentwice.recommend.listings import ListingRecord
from seentwice.recommend.photo_reader import PhotoReader, SeenPhotos
from seentwice.recommend.recommender import Recommender
from seentwice.recommend.snapshot import About
from seentwice.records import TagSet
from seentwice.web import adding, photo_writer
from seentwice.web.live_index import LiveIndex
from seentwice.web.metrics import ServiceMetrics
from seentwice.web.uploads import UploadFolder

SIZE_PX = (64, 48)


@dataclass(frozen=True)
class ChanceReader:
    """Sees in a file what its digest says; needs no net."""

    fingerprint: str
    tags: TagSet
    size: int

    def read(self, files: Sequence[Path], on_progress: Progress) -> Iterator[SeenPhotos]:
        for file in files:
            rng = np.random.default_rng(int.from_bytes(digest_file(file)[:8]))
            row = rng.normal(size=self.size).astype(np.float32)
            yield SeenPhotos((file,), row[np.newaxis], ())


@dataclass(frozen=True)
class Source:
    """An index of a folder, and a reader that needs no net."""

    folder: Path

    def open(self) -> Recommender:
        return Recommender.open(self.folder)

    def open_reader(self, about: About) -> PhotoReader:
        size = Recommender.open(self.folder).dimensions
        return ChanceReader(about.fingerprint, about.tags, size)

    def mark(self) -> object:
        return None


def paint(number: int) -> bytes:
    rng = np.random.default_rng(number)
    photo = Image.fromarray(rng.integers(0, 256, (*SIZE_PX[::-1], 3)).astype(np.uint8))
    content = BytesIO()
    photo.save(content, "PNG")
    return content.getvalue()


def add(folder: Path, id: str, *numbers: int) -> None:
    live = LiveIndex(Source(folder), ServiceMetrics())
    writer = photo_writer.StoreWriter(folder, 10**8)
    uploads = UploadFolder()
    with uploads.keep([("photos", BytesIO(paint(number))) for number in numbers]) as sent:
        adding.add_listing(live, writer, ListingRecord(id, (), {"city": "Rome"}), sent, 10)
    writer.close()
    uploads.close()


def die(*args: object, **kwargs: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after(function: Callable[..., object]) -> Callable[..., None]:
    def work(*args: object, **kwargs: object) -> None:
        function(*args, **kwargs)
        die()

    return work


def main() -> None:
    folder, step = Path(sys.argv[1]), sys.argv[2]
    if step == "file":
        adding.write_atomically = after(adding.write_atomically)
    elif step == "row":
        photo_writer.PhotoStore.write = after(photo_writer.PhotoStore.write)  # type: ignore[method-assign]
    elif step == "embedding":
        writing = photo_writer.StoreWriter.write
        photo_writer.StoreWriter.write = after(writing)  # type: ignore[method-assign]
    elif step == "listing":
        recommenders.put_listing = after(recommenders.put_listing)
    add(folder, "K1", 1, 2)
    print("added", flush=True)
    die()


if __name__ == "__main__":
    main()

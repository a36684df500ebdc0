"""An index of a few rendered rooms, as the command makes it, and what starts a service of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from threading import Thread

from fastapi.testclient import TestClient
from uvicorn import Server

from seentwice.commands.main import main
from seentwice.recommend.photo_reader import PhotoReader, ReaderChoice
from seentwice.recommend.readers import open_reader
from seentwice.recommend.snapshot import About
from seentwice.web.folder_index import FolderSource
from seentwice.web.server import configure, listen
from seentwice.web.service import Service

CHECKPOINT = Path(__file__).resolve().parents[2] / "checkpoints" / "rooms.safetensors"
BASE = "http://127.0.0.1:8000"
Start = Callable[..., TestClient]


class SharedSource(FolderSource):
    """The index of a folder, with a net that all tests share: each would load it for a second."""

    def open_reader(self, about: About) -> PhotoReader:
        return _load(replace(about.reader, max_pixels=self.max_pixels))


@cache
def _load(choice: ReaderChoice) -> PhotoReader:
    return open_reader(choice, 1)


@dataclass(frozen=True)
class Homes:
    """Photos with their table of listings, and the index of both."""

    photos: Path
    index: Path

    @property
    def table(self) -> Path:
        return self.photos.with_name("listings.csv")

    def list_photos(self) -> list[Path]:
        return sorted(self.photos.rglob("*.jpg"))


def write_table(homes: Homes) -> None:
    """A listing for each room, every other in Paris."""
    rooms: dict[str, list[str]] = {}
    for path in homes.list_photos():
        key = path.relative_to(homes.photos).as_posix()
        rooms.setdefault(path.stem.rpartition("_")[0], []).append(key)
    lines = ["id,photos,city,price"]
    for number, keys in enumerate(rooms.values()):
        city = ("Paris", "Lyon")[number % 2]
        lines.append(f"L{number:02},{'|'.join(keys)},{city},{100_000 + number * 10_000}")
    homes.table.write_text("\n".join(lines) + "\n")


def index_homes(homes: Homes, *options: str, code: int = 0) -> None:
    """With the table, unless options are given; 1 is the code where listings have no photo."""
    words = ["index", str(homes.photos), "--index", str(homes.index), "--workers", "1"]
    words += ["--detector", str(CHECKPOINT)]
    words += options or ("--listings", str(homes.table))
    assert main(words) == code


@contextmanager
def serve_in_thread(service: Service) -> Iterator[str]:
    """A real server on a port of this machine; gives its address."""
    with listen("127.0.0.1", 0, service.keys) as listening:
        server = Server(configure(service))
        thread = Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()

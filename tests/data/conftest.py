"""A site on the loopback interface, and a zip of photos to serve from it."""

import io
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image

PHOTOS = (
    "Airbnb Data/Test Data/bedroom/boston_1_1.jpg",
    "Airbnb Data/Training Data/bedroom/boston_1_1.jpg",
    "Airbnb Data/Training Data/bedroom/boston_2_1.jpg",
    "Airbnb Data/Training Data/bedroom/boston_2_2.jpg",
    "Airbnb Data/Training Data/kitchen/boston_2_1.jpg",
    "Airbnb Data/Training Data/kitchen/seattle_3_1.jpg",
)


@dataclass
class Answer:
    """What the site says to one path."""

    body: bytes
    status: int
    headers: dict[str, str]
    sent_bytes: int | None  # then the connection breaks
    announced: bool
    released: threading.Event | None  # waits for it before it answers
    releases: threading.Event | None  # sets it


class Site(ThreadingHTTPServer):
    """Answers as it was told and remembers what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.authorizations: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away."""

    def serve(
        self,
        path: str,
        body: bytes = b"",
        status: int = 200,
        headers: dict[str, str] | None = None,
        sent_bytes: int | None = None,
        announced: bool = True,
        released: threading.Event | None = None,
        releases: threading.Event | None = None,
    ) -> None:
        self.answers[path] = Answer(
            body, status, headers or {}, sent_bytes, announced, released, releases
        )


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.server.asked.append(self.path)
        self.server.authorizations.append(self.headers.get("Authorization"))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.server.answers.get(self.path)
        if answer is None:
            self.send_error(404)
            return
        if answer.releases is not None:
            answer.releases.set()
        if answer.released is not None:
            answer.released.wait(20)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.announced:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: answer.sent_bytes])

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Site() as site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield site
        for answer in site.answers.values():
            if answer.released is not None:
                answer.released.set()
        site.shutdown()
        thread.join()


@pytest.fixture
def move_kaggle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Let the package kaggle ask another address, for a user at whom nobody knows a token."""
    home = tmp_path / "home" / ".kaggle"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home.parent))
    for name in [name for name in os.environ if name.startswith("KAGGLE_")]:
        monkeypatch.delenv(name)
    # Only now: it looks for its folder while it is imported.
    from kaggle.api.kaggle_api_extended import KaggleApi
    from kagglesdk import kaggle_env

    monkeypatch.setattr(KaggleApi, "config", str(home / "kaggle.json"))

    def move(url: str) -> None:
        monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, url)

    return move


@pytest.fixture
def key_file(move_kaggle: Callable[[str], None], tmp_path: Path) -> Path:
    """Where the package looks for a key; nothing is there."""
    return tmp_path / "home" / ".kaggle" / "kaggle.json"


@pytest.fixture
def kaggle_site(
    site: Site, move_kaggle: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> Site:
    """A Kaggle of our own, and the key of a user."""
    move_kaggle(site.url)
    monkeypatch.setenv("KAGGLE_USERNAME", "me")
    monkeypatch.setenv("KAGGLE_KEY", "secret")
    return site


def zip_files(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def draw_photo(number: int) -> bytes:
    encoded = io.BytesIO()
    Image.new("RGB", (24, 16), (number * 37 % 256, 90, 160)).save(encoded, "JPEG")
    return encoded.getvalue()


@pytest.fixture(scope="session")
def airbnb_zip() -> bytes:
    """Six photos in the shape of the Kaggle archive."""
    return zip_files({name: draw_photo(number) for number, name in enumerate(PHOTOS)})


@pytest.fixture(scope="session")
def houses_zip() -> bytes:
    """Two houses in the shape of GitHub's archive of the repository."""
    rooms = ("bathroom", "bedroom", "frontal", "kitchen")
    names = [f"{house}_{room}.jpg" for house in (501, 502) for room in rooms]
    top = "Houses-dataset-master"
    photos = {f"{top}/Houses Dataset/{name}": draw_photo(k) for k, name in enumerate(names)}
    info = {f"{top}/Houses Dataset/HousesInfo.txt": b"4 4 4053 85255 869500\n" * 2}
    return zip_files({f"{top}/": b"", f"{top}/README.md": b"# Houses", **photos, **info})

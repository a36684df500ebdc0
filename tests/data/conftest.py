"""What the tests of data sets share: sites, zips of photos, rejects, and where real files are."""

import io
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from local_site import Site
from PIL import Image
from web_server import WebServer, run_server

from seentwice.data.tabular.rejects import Rejects, collect_rejects

PHOTOS = (
    "Airbnb Data/Test Data/bedroom/boston_1_1.jpg",
    "Airbnb Data/Training Data/bedroom/boston_1_1.jpg",
    "Airbnb Data/Training Data/bedroom/boston_2_1.jpg",
    "Airbnb Data/Training Data/bedroom/boston_2_2.jpg",
    "Airbnb Data/Training Data/kitchen/boston_2_1.jpg",
    "Airbnb Data/Training Data/kitchen/seattle_3_1.jpg",
)


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


@pytest.fixture
def rejects() -> Iterator[Rejects]:
    with collect_rejects(None) as collected:
        yield collected


@pytest.fixture(scope="session")
def text_pairs_root() -> Path:
    """The folder of the three public sets of text pairs, one a folder."""
    root = Path(__file__).resolve().parents[3] / "shared" / "data" / "text_pairs"
    if not root.is_dir():
        pytest.skip("needs abt_buy, amazon_google and fodors_zagats in Ditto's format")
    return root


@pytest.fixture
def server() -> Iterator[WebServer]:
    with run_server() as running:
        yield running

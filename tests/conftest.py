"""What several test files share: a few rendered rooms, and a tracking store for the session."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from seentwice.commands.main import main
from seentwice.data.rooms import write_rooms

ROOM_SIZE_PX = (64, 48)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OpenInBrowser = Callable[[Path], tuple[str, list[str]]]


@pytest.fixture
def open_in_browser() -> OpenInBrowser:
    """Give the document of a page after its scripts have run, and what the console says."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")

    def open_page(path: Path) -> tuple[str, list[str]]:
        done = subprocess.run(
            [
                *(browser, "--headless", "--no-sandbox", "--disable-gpu"),
                *("--disable-dev-shm-usage", "--enable-logging=stderr", "--v=0"),
                *(f"--user-data-dir={path.parent / 'profile'}", "--dump-dom", path.as_uri()),
            ],
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=True,
        )
        return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    return open_page


@pytest.fixture(scope="session")
def few_rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of 20 small rendered rooms, 3 photos each; read it, never write it."""
    root = tmp_path_factory.mktemp("data") / "rooms"
    write_rooms(root, 0, 15, 5, 3, ROOM_SIZE_PX, workers=1)
    return root


@pytest.fixture(scope="session", autouse=True)
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bank that the tests of commands share: not the one of who runs them."""
    folder = tmp_path_factory.mktemp("bank")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEENTWICE_BANK", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def tracking_store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of an MLflow store that all tests share, since making one takes seconds."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        yield uri


@pytest.fixture(scope="session")
def registered_training(few_rooms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training on a frozen trunk, the first version of the model rooms-l2."""
    folder = tmp_path_factory.mktemp("registered")
    words = [
        *("data=folder", f"data.root={few_rooms}", "workers=1", "training.epochs=2"),
        *("backbone=mobilenet_v3_small", "backbone.weights=none", f"hydra.run.dir={folder}"),
        *("tracking.register=rooms-l2", "tracking.tensorboard=true"),
    ]
    assert main(["train", *words]) == 0
    return folder


@pytest.fixture(scope="session")
def spare_rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same again with other rooms: data that a model was not trained on."""
    root = tmp_path_factory.mktemp("data") / "spare"
    write_rooms(root, 1, 15, 5, 3, ROOM_SIZE_PX, workers=1)
    return root

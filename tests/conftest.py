"""What several test files share: a few rendered rooms, and a tracking store for the session."""

from pathlib import Path

import pytest

from seentwice.data.rooms import write_rooms

ROOM_SIZE_PX = (64, 48)


@pytest.fixture(scope="session")
def few_rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of 20 small rendered rooms, 3 photos each; read it, never write it."""
    root = tmp_path_factory.mktemp("data") / "rooms"
    write_rooms(root, 0, 15, 5, 3, ROOM_SIZE_PX, workers=1)
    return root


@pytest.fixture(scope="session", autouse=True)
def tracking_store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of an MLflow store that all tests share, since making one takes seconds."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        yield uri


@pytest.fixture(scope="session")
def spare_rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same again with other rooms: data that a model was not trained on."""
    root = tmp_path_factory.mktemp("data") / "spare"
    write_rooms(root, 1, 15, 5, 3, ROOM_SIZE_PX, workers=1)
    return root

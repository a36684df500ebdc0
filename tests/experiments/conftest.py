"""A net that learned nothing, to be opened by what shows one."""

from pathlib import Path

import pytest
from untrained_net import save_untrained


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its checkpoint."""
    path = tmp_path_factory.mktemp("checkpoint") / "rooms.safetensors"
    save_untrained(path)
    return path

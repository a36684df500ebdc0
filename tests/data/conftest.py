"""What the tests of tables share: rejects that are only counted, and where the real files are."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from web_server import WebServer, run_server

from seentwice.data.rejects import Rejects, collect_rejects


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

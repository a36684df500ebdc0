"""Databases for sweeps."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import run_postgresql


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'sweeps.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def storage_url(request: pytest.FixtureRequest, sqlite_url: str) -> Iterator[str]:
    if request.param == "sqlite":
        yield sqlite_url
        return
    # Not tmp_path: another account runs the server, and the path of a socket is short.
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        run_postgresql(Path(folder)) as url,
    ):
        yield url

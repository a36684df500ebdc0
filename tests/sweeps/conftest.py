"""Databases for sweeps."""

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databases import run_postgresql
from optuna.storages import RDBStorage
from sqlalchemy import create_engine, text

from seentwice.sweeps.store import close_storage, open_storage

_NUMBERS = itertools.count()


@pytest.fixture
def open_database() -> Iterator[Callable[[str], RDBStorage]]:
    """Open databases, as often as asked; they are closed after the test."""
    opened: list[RDBStorage] = []

    def open_one(url: str) -> RDBStorage:
        opened.append(open_storage(url))
        return opened[-1]

    yield open_one
    for storage in opened:
        close_storage(storage)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a database with its tables, since making them takes a second; to be copied."""
    path = tmp_path_factory.mktemp("database") / "sweeps.db"
    close_storage(open_storage(f"sqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, empty_database: Path) -> str:
    return f"sqlite:///{shutil.copy(empty_database, tmp_path / 'sweeps.db')}"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a server's first database."""
    # Not a folder of pytest's: another account runs the server, and a socket's path is short.
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        run_postgresql(Path(folder)) as url,
    ):
        yield url


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    name = f"sweeps{next(_NUMBERS)}"
    engine = create_engine(postgresql_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return postgresql_server.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def storage_url(request: pytest.FixtureRequest) -> str:
    """A database without a sweep."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    return str(request.getfixturevalue("postgresql_url"))

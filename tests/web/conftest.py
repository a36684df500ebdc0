"""What the tests of the service share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from served_homes import BASE, Homes, SharedSource, Start, index_homes, write_table

from seentwice.web.app import create_app
from seentwice.web.keys import ApiKeys
from seentwice.web.limits import ServiceLimits
from seentwice.web.server import open_service


@pytest.fixture(scope="session")
def made_homes(few_rooms: Path, tmp_path_factory: pytest.TempPathFactory) -> Homes:
    """Twenty listings of three photos; read it, never write it."""
    folder = tmp_path_factory.mktemp("homes")
    homes = Homes(folder / "photos", folder / "index")
    shutil.copytree(few_rooms, homes.photos)
    write_table(homes)
    index_homes(homes)
    return homes


@pytest.fixture(scope="session")
def pristine(few_rooms: Path, tmp_path_factory: pytest.TempPathFactory) -> Homes:
    """Four listings; an index knows its photos by their place, so that is always the same."""
    folder = tmp_path_factory.mktemp("few")
    homes = Homes(folder / "photos", folder / "index")
    shutil.copytree(few_rooms, homes.photos)
    for path in homes.list_photos()[12:]:
        path.unlink()
    write_table(homes)
    index_homes(homes)
    for part in (homes.photos, homes.index):
        shutil.copytree(part, folder / "kept" / part.name)
    return homes


@pytest.fixture
def homes(pristine: Homes) -> Homes:
    """Four listings, to be changed."""
    for part in (pristine.photos, pristine.index):
        shutil.rmtree(part)
        shutil.copytree(pristine.photos.parent / "kept" / part.name, part)
    return pristine


@pytest.fixture
def start() -> Iterator[Start]:
    """Give what starts a service of an index, to be asked without a port."""
    clients: list[TestClient] = []

    def begin(
        homes: Homes,
        limits: ServiceLimits | None = None,
        keys: ApiKeys | None = None,
        is_read_only: bool = False,
    ) -> TestClient:
        limits = limits or ServiceLimits()
        source = SharedSource(homes.index, limits.max_pixels, 1)
        service = open_service(source, limits, keys, is_read_only)
        client = TestClient(create_app(service), BASE, raise_server_exceptions=False)
        client.__enter__()
        clients.append(client)
        return client

    yield begin
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def client(made_homes: Homes, start: Start) -> TestClient:
    """A service that adds nothing."""
    return start(made_homes, is_read_only=True)

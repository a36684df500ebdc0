"""A service whose index is replaced, or made anew, behind its back."""

import shutil
from pathlib import Path
from threading import Event

import pytest
from fastapi.testclient import TestClient
from served_homes import Homes, Start, index_homes
from test_added_listings import add, paint

from seentwice.recommend.recommender import Recommender
from seentwice.web.live_index import LiveIndex


@pytest.fixture
def unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks for a newer index but what asks."""
    monkeypatch.setattr(LiveIndex, "start_watching", lambda self: None)


def wait_for(client: TestClient, path: str, status: int) -> None:
    for _ in range(6_000):
        if client.get(path).status_code == status:
            return
        Event().wait(0.01)
    raise AssertionError(f"{path} never was {status}")


def forget_row(homes: Homes, id: str) -> None:
    rows = homes.table.read_text().splitlines()
    homes.table.write_text("\n".join(row for row in rows if not row.startswith(id)) + "\n")


def rewrite_rows(homes: Homes) -> None:
    """What a run of index does, which has the same rows to keep."""
    file = homes.index / "recommend" / "rows" / "near.json"
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content)


def test_a_table_that_changed_alone_is_seen(homes: Homes, start: Start) -> None:
    client = start(homes)
    forget_row(homes, "L03")
    index_homes(homes)
    wait_for(client, "/listings/L03", 404)


@pytest.mark.usefixtures("unwatched")
def test_a_listing_goes_into_the_newest_table(homes: Homes, start: Start) -> None:
    client = start(homes)
    forget_row(homes, "L03")
    index_homes(homes)
    assert client.get("/listings/L03").status_code == 200
    assert add(client, "N1", paint(0)).status_code == 201
    assert client.delete("/listings/L03").status_code == 404
    again = start(homes)
    assert again.get("/listings/N1").status_code == 200
    assert again.get("/listings/L03").status_code == 404


@pytest.mark.usefixtures("unwatched")
def test_an_index_that_is_made_anew_in_its_folder_loses_nothing(homes: Homes, start: Start) -> None:
    client = start(homes)
    assert add(client, "N1", paint(0)).status_code == 201
    shutil.rmtree(homes.index)
    assert add(client, "N2", paint(1)).status_code == 503
    assert not homes.index.exists()
    index_homes(homes)
    assert add(client, "N2", paint(2)).status_code == 201
    assert client.post("/check", files={"photo": paint(2)}).json()["is_here"]
    stored = client.get("/listings/N2").json()
    assert start(homes).get("/listings/N2").json() == stored


@pytest.mark.usefixtures("unwatched")
def test_a_listing_whose_table_was_replaced_meanwhile_is_not_called_added(
    homes: Homes, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = start(homes)
    real = Recommender.add

    def be_replaced(self: Recommender, *args) -> None:  # type: ignore[no-untyped-def]
        monkeypatch.setattr(Recommender, "add", real)
        self.add(*args)
        rewrite_rows(homes)

    monkeypatch.setattr(Recommender, "add", be_replaced)
    answer = add(client, "N1", paint(0))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "replaced")
    assert add(client, "N1", paint(0)).status_code == 200
    assert start(homes).get("/listings/N1").status_code == 200


def test_a_listing_whose_photos_are_missing_is_there_all_the_same(
    homes: Homes, start: Start
) -> None:
    listed = homes.table.read_text()
    homes.table.write_text(f"{listed}L99,nowhere.jpg,Paris,1\n")
    index_homes(homes, code=1)
    homes.table.write_text(listed)
    client = start(homes)
    answer = add(client, "L99", paint(0))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "listing_exists")
    assert client.delete("/listings/L99").status_code == 204
    assert client.delete("/listings/L99").status_code == 404
    assert add(client, "L99", paint(0)).status_code == 201


def test_whatever_goes_wrong_while_an_index_is_opened_the_next_one_is_seen(
    homes: Homes, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = start(homes)

    def fail(folder: Path) -> Recommender:
        raise RuntimeError("unforeseen")

    with monkeypatch.context() as failing:
        failing.setattr(Recommender, "open", fail)
        rewrite_rows(homes)
        for _ in range(6_000):
            if 'reloads_total{result="failed"} 1.0' in client.get("/metrics").text:
                break
            Event().wait(0.01)
    forget_row(homes, "L03")
    index_homes(homes)
    wait_for(client, "/listings/L03", 404)

"""Listings that come and go while the index is asked."""

import shutil
from io import BytesIO
from pathlib import Path

from fastapi.testclient import TestClient
from PIL import Image
from served_homes import Homes, Start, index_homes

from seentwice.web.answers import ListingAnswer
from seentwice.web.limits import ServiceLimits


def paint(seed: int) -> bytes:
    photo = Image.effect_mandelbrot((96, 64), (-2 + seed / 10, -1.5, 1, 1.5), 40).convert("RGB")
    content = BytesIO()
    photo.save(content, "PNG")
    return content.getvalue()


def add(client: TestClient, id: str, *photos: bytes, fields: str = '{"city": "Rome"}'):
    files = [("photos", photo) for photo in photos]
    return client.post("/listings", files=files, data={"id": id, "fields": fields})


def list_files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_a_new_listing_is_found_at_once_and_after_a_restart(homes: Homes, start: Start) -> None:
    client = start(homes)
    answer = add(client, "N1", paint(0), paint(1))
    assert answer.status_code == 201
    ListingAnswer.model_validate_json(answer.content)
    stored = answer.json()
    assert stored["fields"] == {"city": "Rome"}
    for photo in stored["photos"]:
        assert photo["photo"] == f"uploads/{photo['sha256'][:2]}/{photo['sha256']}.png"
    for service in (client, start(homes)):
        assert service.get("/listings/N1").json() == stored
        asked = {"id": "L00", "where": ["city=Rome"]}
        found = service.post("/recommend", json=asked).json()["results"]
        assert [one["listing"] for one in found] == ["N1"]
        assert service.post("/check", files={"photo": paint(1)}).json()["copies"][0][
            "listings"
        ] == ["N1"]
    assert found == client.post("/recommend", json=asked).json()["results"]


def test_the_same_listing_again_changes_nothing_and_another_one_is_refused(
    homes: Homes, start: Start
) -> None:
    client = start(homes)
    first = add(client, "N1", paint(0), paint(1))
    files = list_files(homes.photos)
    again = add(client, "N1", paint(0), paint(1))
    assert (again.status_code, again.json()) == (200, first.json())
    for other in (
        add(client, "N1", paint(1), paint(0)),
        add(client, "N1", paint(0)),
        add(client, "N1", paint(0), paint(1), fields="{}"),
        add(client, "L00", paint(2)),
    ):
        assert other.status_code == 409
        assert other.json()["error"]["code"] == "listing_exists"
    assert list_files(homes.photos) == files
    assert client.get("/listings/N1").json() == first.json()


def test_photos_of_the_index_are_not_stored_again(homes: Homes, start: Start) -> None:
    client = start(homes)
    photo = homes.list_photos()[0]
    files = list_files(homes.photos)
    answer = add(client, "N1", photo.read_bytes(), photo.read_bytes())
    assert answer.status_code == 201
    assert [one["photo"] for one in answer.json()["photos"]] == [
        photo.relative_to(homes.photos).as_posix()
    ]
    assert list_files(homes.photos) == files


def test_a_listing_that_is_deleted_is_no_result(homes: Homes, start: Start) -> None:
    client = start(homes)
    add(client, "N/1 é", paint(0))
    assert client.get("/listings/N/1 é").status_code == 200
    assert client.delete("/listings/N/1 é").status_code == 204
    for answer in (client.delete("/listings/N/1 é"), client.get("/listings/N/1 é")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    found = client.post("/recommend", json={"id": "L00"}).json()["results"]
    assert sorted(one["listing"] for one in found) == ["L01", "L02", "L03"]
    assert add(client, "N/1 é", paint(1)).status_code == 201


def test_one_file_that_is_no_photo_stores_nothing(homes: Homes, start: Start) -> None:
    client = start(homes)
    files = list_files(homes.photos)
    for broken in (b"text", paint(1)[:400]):
        answer = add(client, "N1", paint(0), broken)
        assert answer.status_code == 422
        assert answer.json()["error"]["field"] == "photos.1"
    assert list_files(homes.photos) == files
    assert client.get("/listings/N1").status_code == 404


def test_wrong_fields_are_named(homes: Homes, start: Start) -> None:
    client = start(homes)
    for id, fields, field in (
        ("", "{}", "id"),
        ("a\nb", "{}", "id"),
        ("x" * 501, "{}", "id"),
        ("N1", "[]", "fields"),
        ("N1", "{", "fields"),
        ("N1", '{"a": [1]}', "fields"),
        ("N1", '{"a<b": 1}', "fields"),
    ):
        answer = add(client, id, paint(0), fields=fields)
        assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
    assert client.post("/listings", data={"id": "N1"}, files={"photo": paint(0)}).status_code == 422


def test_names_of_fields_are_limited_in_number(homes: Homes, start: Start) -> None:
    client = start(homes, ServiceLimits(columns=4))
    three = '{"city": "Rome", "rooms": 2, "floor": 3}'
    assert add(client, "N1", paint(0), fields=three).status_code == 201
    files = list_files(homes.photos)
    answer = add(client, "N2", paint(1), fields='{"other": 1}')
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "fields")
    assert list_files(homes.photos) == files
    assert add(client, "N2", paint(1), fields='{"floor": 1}').status_code == 201


def test_a_run_of_index_keeps_what_was_added(homes: Homes, start: Start) -> None:
    client = start(homes)
    stored = add(client, "N1", paint(0)).json()
    index_homes(homes, "--max-pixels", "1000000")
    assert start(homes).get("/listings/N1").json() == stored


def test_listings_that_are_folders_cannot_be_added(homes: Homes, start: Start) -> None:
    shutil.rmtree(homes.index)
    index_homes(homes, "--each", "folder")
    answer = add(start(homes), "N1", paint(0))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_listings")


def test_a_service_that_only_reads_adds_nothing(client: TestClient) -> None:
    assert add(client, "N1", paint(0)).json()["error"]["code"] == "read_only"
    assert client.delete("/listings/L00").json()["error"]["code"] == "read_only"

"""Photos are shown by their bytes, and no other file is."""

from io import BytesIO

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from served_homes import Homes, Start

from seentwice.files import digest_file


def test_shows_a_photo_of_the_index_as_it_is_and_small(
    client: TestClient, made_homes: Homes
) -> None:
    photo = made_homes.list_photos()[0]
    name = digest_file(photo).hex()
    whole = client.get(f"/photos/{name}")
    assert whole.content == photo.read_bytes()
    assert whole.headers["content-type"] == "image/jpeg"
    assert "sandbox" in whole.headers["content-security-policy"]
    small = client.get(f"/photos/{name}/thumbnail")
    assert max(Image.open(BytesIO(small.content)).size) <= 320


def test_a_file_in_the_place_of_a_photo_is_not_shown(homes: Homes, start: Start) -> None:
    client = start(homes)
    photo = homes.list_photos()[0]
    name = digest_file(photo).hex()
    secret = homes.photos.parent / "secret.txt"
    secret.write_text("secret")
    photo.unlink()
    photo.symlink_to(secret)
    assert client.get(f"/photos/{name}").status_code == 404
    assert client.get(f"/photos/{name}/thumbnail").status_code == 404
    assert client.get(f"/photos/{digest_file(secret).hex()}").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "a" * 63, "A" * 64],
)
def test_no_path_leads_to_a_file(client: TestClient, path: str) -> None:
    answer = client.get(f"/photos/{path}")
    assert answer.status_code in (404, 422)
    assert "root:" not in answer.text

"""What looks alike, and what is here already."""

from io import BytesIO

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from served_homes import Homes, Start

from seentwice.recommend.recommender import Recommender
from seentwice.web.answers import CheckAnswer, RecommendAnswer
from seentwice.web.limits import ServiceLimits


def encode(photo: Image.Image) -> bytes:
    content = BytesIO()
    photo.save(content, "PNG")
    return content.getvalue()


def error_of(answer) -> tuple[int, str, str | None]:
    told = answer.json()["error"]
    assert told["message"]
    return answer.status_code, told["code"], told.get("field")


def test_recommends_by_id_what_the_library_recommends(
    client: TestClient, made_homes: Homes
) -> None:
    answer = client.post("/recommend", json={"id": "L03", "k": 7})
    assert answer.status_code == 200
    RecommendAnswer.model_validate_json(answer.content)
    recommender = Recommender.open(made_homes.index)
    expected = recommender.recommend(recommender.ask_about("L03"), 7)
    found = answer.json()["results"]
    assert [(one["listing"], one["photo"], one["score"]) for one in found] == [
        (one.listing, one.photo, one.score) for one in expected
    ]
    for one in found:
        parts = one["class_points"] + one["tag_points"] + one["visual_similarity"]
        assert parts == one["score"]


def test_a_photo_that_is_sent_is_asked_about(client: TestClient, made_homes: Homes) -> None:
    path = made_homes.list_photos()[0]
    known = client.post("/recommend", files={"photo": path.read_bytes()}, data={"k": "3"})
    assert known.status_code == 200
    assert "L00" not in [one["listing"] for one in known.json()["results"]]  # its own listing
    sent = encode(Image.open(path).convert("RGB"))  # other bytes, the same pixels
    new = client.post("/recommend", files={"photo": sent}, data={"k": "3", "title": "any"})
    assert new.json()["results"][0]["listing"] == "L00"


def test_filters_and_candidates_come_before_the_ranking(client: TestClient) -> None:
    asked = {"id": "L00", "k": 5, "where": ["city=Lyon", "price>=200000"]}
    found = client.post("/recommend", json=asked).json()["results"]
    assert len(found) == 5
    assert {int(one["listing"][1:]) for one in found} == {11, 13, 15, 17, 19}
    asked = {"id": "L00", "candidates": ["L04", "L09", "L00"]}
    found = client.post("/recommend", json=asked).json()["results"]
    assert sorted(one["listing"] for one in found) == ["L04", "L09"]


def test_photos_that_are_sent_are_ranked_with_the_scores_of_the_index(
    client: TestClient, made_homes: Homes
) -> None:
    paths = [made_homes.list_photos()[place] for place in (3, 30, 0)]
    files = [("candidate_photos", path.read_bytes()) for path in paths]
    answer = client.post("/recommend", files=files, data={"id": "L10", "k": "2"})
    assert answer.status_code == 200
    RecommendAnswer.model_validate_json(answer.content)
    found = answer.json()["results"]
    assert found[0]["candidate"] == 1  # of listing 10 itself
    everything = client.post("/recommend", json={"id": "L10", "k": 20, "title": "first"}).json()
    scores = {one["sha256"]: one["score"] for one in everything["results"]}
    assert found[1]["score"] == pytest.approx(scores[found[1]["sha256"]], abs=2e-3)


def test_a_copy_is_here_already_and_another_photo_is_not(
    client: TestClient, made_homes: Homes
) -> None:
    path = made_homes.list_photos()[4]
    larger = Image.open(path).convert("RGB").resize((128, 96))
    answer = client.post("/check", files={"photo": encode(larger)})
    CheckAnswer.model_validate_json(answer.content)
    copies = answer.json()["copies"]
    assert copies[0]["photo"] == path.relative_to(made_homes.photos).as_posix()
    assert copies[0]["listings"] == ["L01"]
    noise = np.random.default_rng(0).integers(0, 256, (96, 128, 3)).astype(np.uint8)
    assert not client.post("/check", files={"photo": encode(Image.fromarray(noise))}).json()[
        "is_here"
    ]


@pytest.mark.parametrize(
    ("asked", "status", "code", "field"),
    [
        ({"id": "L77"}, 404, "not_found", "id"),
        ({"id": "L00", "k": 0}, 422, "invalid", "k"),
        ({"id": "L00", "k": 1001}, 422, "invalid", "k"),
        ({"id": "L00", "k": "5"}, 422, "invalid", "k"),
        ({"id": "L00", "where": ["town=Paris"]}, 422, "invalid", "where"),
        ({"id": "L00", "where": ["city"]}, 422, "invalid", "where"),
        ({"id": "L00", "where": ["price<much"]}, 422, "invalid", "where"),
        ({"id": "L00", "candidates": ["L01", "no"]}, 422, "invalid", "candidates"),
        ({"id": "L00", "candidates": ["x"] * 10_001}, 422, "invalid", "candidates"),
        ({"id": "L00", "title": "front"}, 422, "invalid", "title"),
        ({"id": "L00", "depth": 3}, 422, "invalid", "depth"),
        ({}, 422, "invalid", "id"),
        ([], 422, "invalid", "body"),
    ],
)
def test_a_wrong_question_names_what_is_wrong(
    client: TestClient, asked: object, status: int, code: str, field: str
) -> None:
    assert error_of(client.post("/recommend", json=asked)) == (status, code, field)


def test_a_wrong_form_names_what_is_wrong(client: TestClient, made_homes: Homes) -> None:
    photo = made_homes.list_photos()[0].read_bytes()

    def ask(path: str, files, data=None) -> tuple[int, str, str | None]:
        return error_of(client.post(path, files=files, data=data or {}))

    assert ask("/check", {"photo": b"no photo"}) == (422, "invalid", "photo")
    assert ask("/check", {"photo": b""}) == (422, "invalid", "photo")
    assert ask("/check", {"photo": photo[:200]}) == (422, "unreadable_photo", "photo")
    assert ask("/check", {"picture": photo}) == (422, "invalid", "picture")
    assert ask("/check", [("photo", photo)] * 2) == (422, "invalid", "photo")
    assert ask("/recommend", {"photo": photo[:200]}) == (422, "unreadable_photo", "photo")
    assert ask("/recommend", {"photo": photo}, {"id": "L00"}) == (422, "invalid", "photo")
    assert ask("/recommend", {"photo": photo}, {"k": "many"}) == (422, "invalid", "k")
    both = [("photo", photo), ("candidate_photos", photo)]
    assert ask("/recommend", both, {"where": "city=Paris"}) == (422, "invalid", "where")
    assert error_of(client.post("/check", content=b"x")) == (415, "unsupported_type", None)
    broken = {"content-type": "multipart/form-data; boundary=x"}
    assert client.post("/check", content=b"--x\r\n", headers=broken).status_code in (400, 422)


def test_photos_larger_than_the_limit_are_refused(made_homes: Homes, start: Start) -> None:
    client = start(made_homes, ServiceLimits(max_pixels=10_000), is_read_only=True)
    large = encode(Image.new("RGB", (200, 200), "red"))
    for path in ("/check", "/recommend"):
        answer = client.post(path, files={"photo": large})
        assert error_of(answer) == (422, "unreadable_photo", "photo")
        assert "too many pixels" in answer.json()["error"]["message"]
        assert "/tmp" not in answer.text

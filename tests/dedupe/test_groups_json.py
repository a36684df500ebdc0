import base64
import dataclasses
import json
import os
from pathlib import Path
from typing import get_type_hints

import jsonschema
import pytest
from file_names import file_names
from found_duplicates import EVERYTHING, NOT_UTF8, make_duplicates, make_group, make_photo
from hypothesis import HealthCheck, given, settings

from seentwice.dedupe.findings import Coverage, Duplicates, Evidence, Match
from seentwice.dedupe.report import write_json
from seentwice.dedupe.report.json_file import SCHEMA_ID, SCHEMA_VERSION, read_schema
from seentwice.files import UnwritableError
from seentwice.records import Reason

SCHEMA = read_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

GOLDEN = r"""{"schema": {"id": "urn:seentwice:groups:1", "version": 1},
"root": {"path": "/photos"},
"counts": {"searched": 10000, "without_content": 0, "groups": 1, "photos": 2, "spare_photos": 1, "spare_bytes": 2000, "links": 1, "unreadable": 0},
"coverage": {"neighbour_recall": null, "nearest_only": 0},
"groups": [
{"number": 1, "photos": [{"path": "a.jpg", "keep": true, "width": 1200, "height": 800, "bytes": 1000, "modified": "2020-09-13T12:26:40Z", "sha256": "0000000000000000000000000000000000000000000000000000000000000000", "product": null, "seller": null}, {"path": "caf\\udce9.jpg", "path_bytes": "Y2Fm6S5qcGc=", "keep": false, "width": 1200, "height": 801, "bytes": 2000, "modified": "2020-09-13T12:26:41Z", "sha256": "0000000000000000000000000000000000000000000000000000000000000001", "product": null, "seller": null}], "matches": [{"left": "a.jpg", "right": "caf\\udce9.jpg", "right_bytes": "Y2Fm6S5qcGc=", "score": 1.0, "evidence": ["same bytes"], "hash_bits": null, "similarity": null, "edit": ""}]}],
"links": [
{"left": "a.jpg", "right": "é\n.jpg", "score": 0.123457, "evidence": ["near hashes"], "hash_bits": 4, "similarity": null, "edit": "cropped"}],
"unreadable": []}
"""  # noqa: E501


def written(tmp_path: Path, duplicates: Duplicates) -> str:
    write_json(tmp_path / "groups.json", duplicates)
    return (tmp_path / "groups.json").read_text("utf-8")


def test_the_file_is_this(tmp_path: Path) -> None:
    link = Match("a.jpg", "é\n.jpg", 0.12345678, (Evidence.NEAR_HASHES,), 4, edit="cropped")
    found = make_duplicates((make_group("a.jpg", NOT_UTF8),), (link,))
    assert written(tmp_path, found) == GOLDEN


@pytest.mark.parametrize("found", [EVERYTHING, make_duplicates(())], ids=["everything", "nothing"])
def test_the_file_is_what_its_schema_says(tmp_path: Path, found: Duplicates) -> None:
    VALIDATOR.validate(json.loads(written(tmp_path, found)))


def test_what_was_not_compared_is_told(tmp_path: Path) -> None:
    coverage = Coverage(neighbour_recall=0.9912345678, nearest_only=12)
    found = dataclasses.replace(EVERYTHING, coverage=coverage)
    document = json.loads(written(tmp_path, found))
    VALIDATOR.validate(document)
    assert document["coverage"] == {"neighbour_recall": 0.991235, "nearest_only": 12}
    assert set(document["coverage"]) == set(get_type_hints(Coverage))


def test_the_schema_is_one_and_names_itself() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == SCHEMA_ID
    assert SCHEMA["properties"]["schema"]["properties"]["version"] == {"const": SCHEMA_VERSION}


def test_the_schema_knows_every_evidence_and_reason() -> None:
    evidence = SCHEMA["$defs"]["match"]["properties"]["evidence"]["items"]["enum"]
    assert evidence == [one.value for one in Evidence]
    files = SCHEMA["properties"]["unreadable"]["items"]["properties"]
    assert files["reason"]["enum"] == [reason.value for reason in Reason]


def test_the_schema_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    document = json.loads(written(tmp_path, EVERYTHING))
    document["groups"][0]["photos"][0]["owner"] = "Jane"
    assert not VALIDATOR.is_valid(document)


def test_the_schema_has_a_field_for_each_of_a_match() -> None:
    fields = set(SCHEMA["$defs"]["match"]["properties"]) - {"left_bytes", "right_bytes"}
    assert fields == set(get_type_hints(Match))


def name_of(record: dict[str, str]) -> str:
    if "path_bytes" in record:
        return os.fsdecode(base64.b64decode(record["path_bytes"]))
    return record["path"]


def test_names_that_are_not_utf_8_come_back_from_their_bytes(tmp_path: Path) -> None:
    document = json.loads(written(tmp_path, EVERYTHING))
    photos = [photo for group in document["groups"] for photo in group["photos"]]
    keys = [photo.key for group in EVERYTHING.groups for photo in group.photos]
    assert list(map(name_of, photos)) == keys
    assert sum("path_bytes" in photo for photo in photos) == 1
    assert name_of(document["unreadable"][0]) == str(EVERYTHING.unreadable[0].path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(file_names())
def test_every_name_comes_back(tmp_path: Path, name: str) -> None:
    document = json.loads(written(tmp_path, make_duplicates((make_group("a.jpg", name),))))
    VALIDATOR.validate(document)
    assert name_of(document["groups"][0]["photos"][1]) == name


@pytest.mark.parametrize(
    ("seconds", "written_as"),
    [
        (-0.5, "1969-12-31T23:59:59Z"),
        (253402300799.9, "9999-12-31T23:59:59Z"),
        (253402300800.0, None),
        (-1e18, None),
        (1e300, None),
    ],
)
def test_times_that_no_calendar_knows_are_null(
    tmp_path: Path, seconds: float, written_as: str | None
) -> None:
    group = make_group("a.jpg", "b.jpg")
    odd = dataclasses.replace(make_photo("a.jpg"), modified_seconds=seconds)
    group = dataclasses.replace(group, photos=(odd, *group.photos[1:]))
    document = json.loads(written(tmp_path, make_duplicates((group,))))
    VALIDATOR.validate(document)
    assert document["groups"][0]["photos"][0]["modified"] == written_as


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnwritableError, match="make that folder"):
        write_json(tmp_path / "gone" / "groups.json", EVERYTHING)

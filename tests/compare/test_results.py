import json
import math
from dataclasses import asdict, replace

from pydantic import TypeAdapter

from seentwice.compare.results import Comparison, RetrievalResult, UnreadableFile, to_json
from seentwice.records import Interval


def test_what_is_undefined_is_null(comparison):
    read = json.loads(to_json(comparison), parse_constant=lambda name: f"not JSON: {name}")
    perception = read["detectors"][2]
    assert perception["name"] == "perception"
    assert perception["metrics"]["precision"] == {"value": None, "low": None, "high": None}
    assert "not JSON" not in json.dumps(read)


def test_everything_else_comes_back_as_it_was(comparison):
    defined = replace(comparison, detectors=comparison.detectors[:2])
    text = to_json(defined)
    assert TypeAdapter(Comparison).validate_json(text) == defined
    assert text.endswith("}\n")
    assert json.loads(text) == json.loads(json.dumps(asdict(defined)))


def test_numbers_keep_every_digit(comparison):
    third = replace(
        comparison, seconds=1 / 3, retrieval=RetrievalResult(Interval(1e-17, 0.1, 2 / 3), 5, 9)
    )
    read = json.loads(to_json(third))
    assert read["seconds"] == 1 / 3
    assert read["retrieval"]["share"] == {"value": 1e-17, "low": 0.1, "high": 2 / 3}


def test_infinity_is_null_too(comparison):
    assert json.loads(to_json(replace(comparison, seconds=math.inf)))["seconds"] is None


def test_a_file_name_that_is_not_utf_8_comes_back(comparison):
    file = UnreadableFile("caf\udce9.jpg", "empty", "0 bytes")
    text = to_json(replace(comparison, unreadable=(file,)))
    assert text.isascii()
    assert json.loads(text)["unreadable"][0]["file"] == "caf\udce9.jpg"

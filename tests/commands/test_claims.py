import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.commands import claims
from seentwice.commands.claims import (
    Claim,
    compare_claims,
    describe_changes,
    describe_verdict,
    format_difference,
    is_reproduced,
    list_changes,
)
from seentwice.models.checkpoint import CheckpointRecord, Protocol
from seentwice.models.engines import Passing
from seentwice.models.nets import Architecture
from seentwice.models.preprocessing import IMAGENET_224

CLAIMED = {"f1": 0.75, "recall": math.nan, "roc_auc": 0.5}


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({}, True),
        ({"f1": 0.7505}, True),
        ({"f1": 0.7495}, True),
        ({"f1": 0.75051}, False),
        ({"f1": math.nan}, False),
        ({"recall": 0.5}, False),
        ({"beyond": 0.1}, True),
    ],
)
def test_a_number_is_reproduced_within_the_tolerance(changes: dict[str, float], holds: bool):
    found = compare_claims(CLAIMED, CLAIMED | changes)
    assert is_reproduced(found, 0.0005 + 1e-12) == holds
    assert describe_verdict(found, 0.0005 + 1e-12).startswith("Repro" if holds else "Not repro")


def test_what_is_not_measured_any_more_is_not_reproduced() -> None:
    found = compare_claims({"old": 0.5}, {"new": 0.5})
    assert found == [Claim("new", None, 0.5), Claim("old", 0.5, None)]
    assert describe_verdict(found, 1) == "Not reproduced (tolerance=1): old is – instead of 0.5000"


def test_a_verdict_names_what_is_missed_and_by_how_much() -> None:
    found = compare_claims(CLAIMED, {"f1": 0.7, "recall": 0.25, "roc_auc": 0.5})
    assert describe_verdict(found, 0.0005) == (
        "Not reproduced (tolerance=0.0005): f1 is 0.7000 instead of 0.7500 (-0.0500); recall is "
        "0.2500 instead of nan"
    )


def test_a_verdict_tells_the_largest_difference() -> None:
    found = compare_claims(CLAIMED, {"f1": 0.7501, "recall": math.nan, "roc_auc": 0.5})
    assert describe_verdict(found, 0.0005) == (
        "Reproduced: 3 numbers to within 0.0005; the largest difference is 0.0001 (f1)"
    )


def test_where_nothing_is_claimed_nothing_is_reproduced() -> None:
    found = compare_claims({}, {"f1": 1.0})
    assert is_reproduced(found, 0) is None
    assert describe_verdict(found, 0) == "Nothing is claimed, so nothing is reproduced"


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 1))
def test_differences_are_symmetric_and_zero_reproduces(one: float, other: float, tolerance: float):
    there, back = Claim("f1", one, other), Claim("f1", other, one)
    assert there.difference == -back.difference
    assert there.holds(tolerance) == back.holds(tolerance) == (abs(other - one) <= tolerance)
    assert Claim("f1", one, one).holds(0)


def test_a_verdict_leaves_rounding_out() -> None:
    claims = compare_claims({"f1": 0.5}, {"f1": 0.5 + 1e-15})
    assert describe_verdict(claims, 0.0005).endswith("the largest difference is 0 (f1)")


@pytest.mark.parametrize(
    ("claimed", "measured", "text"),
    [
        (0.5, 0.5, "0"),
        (0.5, 0.4, "-0.1000"),
        (0.5, 0.5 + 2e-9, "+2e-09"),
        (0.5, 0.5 - 5e-10, "0"),
        (math.nan, math.nan, "0"),
        (math.nan, 0.5, "–"),
        (None, 0.5, "–"),
    ],
)
def test_differences_have_a_sign(claimed: float | None, measured: float, text: str) -> None:
    assert format_difference(Claim("f1", claimed, measured)) == text


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch) -> CheckpointRecord:
    monkeypatch.setattr(claims, "library_versions", lambda: {"torch": "3", "numpy": "2"})
    monkeypatch.setattr(claims, "describe_machine", lambda: "this one")
    monkeypatch.setattr(claims, "git_commit", lambda: None)
    return CheckpointRecord(
        architecture=Architecture("vgg16", "average", 0, "eval", "linear", 4, "l2", {}),
        preprocessing=IMAGENET_224,
        trunk_weights="imagenet",
        trunk_seed=0,
        trunk_fingerprint="f",
        bundled=False,
        row_type="float16",
        passing=Passing("openvino", "bfloat16"),
        calibration_slope=1,
        calibration_offset=0,
        threshold=0.5,
        data_name="rooms",
        data_fingerprint="",
        mined_by="",
        seed=0,
        protocol=Protocol({}, {}, {}),
        test_metrics={},
        versions={"torch": "2", "numpy": "2", "faiss": "1"},
        machine="another",
        git_commit="abc",
    )


def test_what_changed_since_the_training_is_listed(record: CheckpointRecord) -> None:
    changes = [
        "torch 2, now 3",
        "faiss 1, now unknown",
        "machine another, now this one",
        "commit abc, now unknown",
    ]
    assert list_changes(record) == changes
    assert describe_changes(record) == (
        f"Since the training changed: {'; '.join(changes)}; features by openvino in bfloat16, kept "
        "as float16"
    )


def test_that_nothing_changed_is_told(record: CheckpointRecord) -> None:
    same = replace(
        record,
        versions={"torch": "3", "numpy": "2"},
        machine="this one",
        git_commit=None,
        trunk_fingerprint="",
    )
    assert describe_changes(same) == (
        "Versions, machine and commit are those of the training; nothing of the backbone is frozen"
    )

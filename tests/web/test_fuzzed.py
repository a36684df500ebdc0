"""Requests made from the service's own document are answered as it says."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import positive_data_acceptance
from served_homes import Homes, SharedSource, serve_in_thread

from seentwice.web.app import create_app
from seentwice.web.keys import ApiKeys
from seentwice.web.limits import ServiceLimits
from seentwice.web.live_index import LiveIndex
from seentwice.web.metrics import ServiceMetrics
from seentwice.web.server import open_service
from seentwice.web.service import Service

KEY = "k" * 16
KEYS = ApiKeys((sha256(KEY.encode()).digest(),))
HEALTH = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much)


def describe() -> dict[str, Any]:
    """The document, which is the same whatever the index."""
    nothing = cast(LiveIndex, None)
    service = Service(nothing, None, None, ServiceLimits(), KEYS, ServiceMetrics())
    service.uploads.close()
    return create_app(service).app.openapi()


@pytest.fixture(scope="module")
def address(pristine: Homes) -> Iterator[str]:
    source = SharedSource(pristine.index, 10**6, 1)
    with serve_in_thread(open_service(source, ServiceLimits(), KEYS, False)) as address:
        yield address


schema = schemathesis.openapi.from_dict(describe())


def call(case: Case, address: str) -> None:
    # Bytes of chance are no photo, and ids of chance are not there, as the document cannot say.
    case.call_and_validate(
        address, headers={"X-API-Key": KEY}, excluded_checks=[positive_data_acceptance]
    )


@schema.parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=HEALTH, derandomize=True)
def test_answers_as_described(case: Case, address: str) -> None:
    call(case, address)


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=400, deadline=None, suppress_health_check=HEALTH)
def test_answers_as_described_whatever_is_asked(case: Case, address: str) -> None:
    call(case, address)


def test_every_operation_is_described_with_examples_and_failures() -> None:
    document = describe()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) == 9
    for operation in operations:
        assert operation["summary"]
        assert {"400", "401", "403", "503"} <= set(operation["responses"])
        for status, answer in operation["responses"].items():
            assert answer["description"]
            if int(status) >= 400:
                shape = answer["content"]["application/json"]["schema"]["$ref"]
                assert shape.endswith("/FailureAnswer")
    assert document["components"]["securitySchemes"]["APIKeyHeader"]["name"] == "X-API-Key"

"""A master that answers, for each test anew."""

from collections.abc import Iterator

import pytest
from determined_master import DeterminedMaster, open_master


@pytest.fixture
def master() -> Iterator[DeterminedMaster]:
    with open_master() as opened:
        yield opened

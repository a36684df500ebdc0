"""Events as JSON objects."""

import json
import math

import pytest

from seentwice.errors import UserError
from seentwice.sweeps.event_text import KINDS, read_event, spell_event
from seentwice.sweeps.events import Began, Claimed, Reported

CLAIMED = {"kind": "claimed", "trial": 1, "worker": "a"}


def test_every_kind_reads_back():
    for name, kind in KINDS.items():
        texts = dict.fromkeys(kind.__dataclass_fields__, "x")
        known = {"trial": 3, "time": 2, "metric": 0.1, "values": {"lr": 1e-300, "on": True}}
        event = kind(**{key: known.get(key, text) for key, text in texts.items()})
        spelled = spell_event(event)
        assert spelled["kind"] == name
        assert read_event(json.loads(json.dumps(spelled))) == event


def test_numbers_keep_their_types_and_last_bits():
    values = {"sum": 0.1 + 0.2, "one": 1, "same": 1.0, "on": True, "all": math.inf, "none": None}
    event = Began(0, "a", values, "/folder")
    read = read_event(json.loads(json.dumps(spell_event(event))))
    assert list(map(repr, read.values.values())) == list(map(repr, values.values()))


def test_an_object_by_hand():
    assert spell_event(Claimed(1, "a")) == CLAIMED
    assert read_event(CLAIMED) == Claimed(1, "a")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kind": "paused"}, r"^no event is 'paused', only claimed, began, .*use that one$"),
        ({"mood": "good"}, r"^the event claimed has no 'mood'; if a newer seentwice wrote it"),
        ({"trial": "first"}, r"^the event claimed has a wrong trial: .* valid integer"),
        ({"after": "b"}, r"^the event claimed has no 'after'"),
    ],
)
def test_what_is_no_event_is_told(changed, message):
    with pytest.raises(UserError, match=message):
        read_event(CLAIMED | changed)


@pytest.mark.parametrize("metric", [math.nan, math.inf])
def test_a_metric_is_finite(metric):
    event = Reported(0, "a", 1, metric)
    with pytest.raises(ValueError, match="is no metric; log that it failed"):
        spell_event(event)
    with pytest.raises(UserError, match="the event reported has a wrong metric"):
        read_event({"kind": "reported", "trial": 0, "worker": "a", "time": 1, "metric": metric})

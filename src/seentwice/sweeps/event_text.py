"""Events of a sweep as JSON objects, which read back as the very same."""

from collections.abc import Mapping
from dataclasses import asdict
from math import isfinite

from pydantic import TypeAdapter, ValidationError

from seentwice.errors import UserError
from seentwice.sweeps.events import (
    Began,
    Claimed,
    Concluded,
    Crashed,
    Event,
    Failed,
    Released,
    Reported,
    Withdrawn,
)

KINDS: Mapping[str, type[Event]] = {
    kind.__name__.lower(): kind
    for kind in (Claimed, Began, Reported, Concluded, Crashed, Failed, Withdrawn, Released)
}

_NEWER = "if a newer seentwice wrote it, use that one"


def spell_event(event: Event) -> dict[str, object]:
    """Return an event as a JSON object: its kind, then its fields.

    Raises:
        ValueError: a metric is no finite number; such a trial has failed.
    """
    if isinstance(event, Reported) and not isfinite(event.metric):
        raise ValueError(f"trial {event.trial}: {event.metric} is no metric; log that it failed")
    return {"kind": type(event).__name__.lower()} | asdict(event)


def read_event(values: Mapping[str, object]) -> Event:
    """Read an event from its JSON object.

    Raises:
        UserError: it is of a kind that does not exist, or its fields are not those of its kind.
    """
    fields = dict(values)
    kind = str(fields.pop("kind", None))
    if kind not in KINDS:
        raise UserError(f"no event is {kind!r}, only {', '.join(KINDS)}; {_NEWER}")
    unknown = fields.keys() - KINDS[kind].__dataclass_fields__.keys()
    if unknown:
        raise UserError(f"the event {kind} has no {min(unknown)!r}; {_NEWER}")
    try:
        event = _CHECKS[kind].validate_python(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UserError(f"the event {kind} has a wrong {where}: {first['msg']}") from error
    if isinstance(event, Reported) and not isfinite(event.metric):
        raise UserError(f"the event {kind} has a wrong metric: {event.metric}")
    return event


_CHECKS: Mapping[str, TypeAdapter[Event]] = {
    name: TypeAdapter(kind) for name, kind in KINDS.items()
}

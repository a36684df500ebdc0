"""The log of a sweep: one order of events for all processes, that outlives any of them.

It is an Optuna study of its own, in which every event is one finished trial: Optuna makes such a
trial in one transaction and numbers them without gaps, however many processes write, and reads only
those that it has not read before.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.storages import RDBStorage

from seentwice.display import show_text
from seentwice.errors import UserError
from seentwice.sweeps.event_text import read_event, spell_event
from seentwice.sweeps.events import Event, LoggedEvent
from seentwice.sweeps.store import tell_errors

_RECORD = "record"
_BEAT = "beat:"
_LONGEST_NAME = 200


class EventLog:
    """The events of one sweep."""

    def __init__(self, storage: RDBStorage, study: optuna.Study, name: str) -> None:
        """Take a log's study; see `open_log`."""
        self.name = name
        self.settings: str | None = None  # with which the sweep began; None before it did
        self.id = ""  # of the sweep, like no other's; "" before it began
        self._agreed: dict[str, str] = {}
        self._storage = storage
        self._study = study
        self._taken = 0  # records
        self._ids: dict[str, LoggedEvent] = {}
        self._events: list[LoggedEvent] = []

    def append(self, event: Event, at: float) -> LoggedEvent:
        """Write an event after all others.

        Once this returns the event is on the disk. After an error it may be there or not, as after
        a kill: read on.

        Args:
            event: What happened.
            at: Seconds since 1970.

        Returns:
            The event in its place; what came before it can be read at once.

        Raises:
            UserError: the database cannot be written.
            ValueError: the event is impossible, see `spell_event`.
        """
        id_ = secrets.token_hex(16)
        self._write({"id": id_, "at": at, "event": spell_event(event)})
        self._read_on()
        return self._ids[id_]

    def read(self, after: int = -1) -> list[LoggedEvent]:
        """Return the events that come after one, all where none is given; it may be many.

        Raises:
            UserError: the database cannot be read, or holds what is no event.
        """
        self._read_on()
        return self._events[after + 1 :]

    def begin(self, settings: str) -> None:
        """Begin the sweep with these settings, unless it has begun; the first to do so counts.

        Raises:
            UserError: the database cannot be written.
        """
        self._read_on()
        if self.settings is None:
            self._write({"id": secrets.token_hex(16), "settings": settings})
            self._read_on()

    def agree(self, key: str, value: str) -> str:
        """Return the value of a key on which all workers agree: that of the first to give one.

        Raises:
            UserError: the database cannot be read or written.
        """
        self._read_on()
        if key not in self._agreed:
            self._write({"id": secrets.token_hex(16), "key": key, "value": value})
            self._read_on()
        return self._agreed[key]

    @property
    def agreed(self) -> Mapping[str, str]:
        """All keys on which workers agreed, with their values.

        Raises:
            UserError: the database cannot be read.
        """
        self._read_on()
        return dict(self._agreed)

    def beat(self, worker: str, count: int) -> None:
        """Show that a worker lives, by a number that grows.

        Raises:
            UserError: the database cannot be written.
        """
        with tell_errors(self._storage):
            self._study.set_user_attr(f"{_BEAT}{worker}", count)

    def read_beats(self) -> dict[str, int]:
        """Return the last number that every worker showed.

        Raises:
            UserError: the database cannot be read.
        """
        with tell_errors(self._storage):
            shown = self._study.user_attrs
        return {
            key.removeprefix(_BEAT): count for key, count in shown.items() if key.startswith(_BEAT)
        }

    def _write(self, record: dict[str, Any]) -> None:
        # A text: Optuna keeps what this process wrote as it was, what others wrote as JSON has it.
        trial = optuna.create_trial(value=0.0, user_attrs={_RECORD: json.dumps(record)})
        with tell_errors(self._storage):
            self._study.add_trial(trial)

    def _read_on(self) -> None:
        with tell_errors(self._storage):
            rows = self._study.get_trials(deepcopy=False)
        for row in rows[self._taken :]:
            try:
                self._take(json.loads(row.user_attrs[_RECORD]))
            except (KeyError, TypeError, ValueError, UserError) as error:
                reason = str(error) if isinstance(error, UserError) else "no event is in it"
                raise UserError(
                    f"trial {row.number} of the study {self._study.study_name!r}: {reason}"
                ) from error
            self._taken += 1

    def _take(self, record: dict[str, Any]) -> None:
        if "settings" in record:
            if self.settings is None:
                self.settings, self.id = str(record["settings"]), str(record["id"])
            return
        if "key" in record:
            self._agreed.setdefault(str(record["key"]), str(record["value"]))
            return
        if record["id"] in self._ids:  # written again, where the answer to the first was lost
            return
        event = LoggedEvent(len(self._events), float(record["at"]), read_event(record["event"]))
        self._ids[record["id"]] = event
        self._events.append(event)


def open_log(storage: RDBStorage, name: str, settings: str) -> EventLog:
    """Open the log of a sweep, which begins where there is none of that name.

    Args:
        storage: See `open_storage`.
        name: Of the sweep, one of a kind in its database.
        settings: A JSON object that says what the sweep is; the same for every process of it.

    Raises:
        UserError: the name is empty or too long; the sweep began with other settings, the first of
            which the message names; the database cannot be written.
    """
    if not 0 < len(name) <= _LONGEST_NAME:
        raise UserError(f"a sweep's name has 1 to {_LONGEST_NAME} characters, not {len(name)}")
    with tell_errors(storage):
        study = optuna.create_study(
            storage=storage, study_name=f"{name}/events", load_if_exists=True
        )
    log = EventLog(storage, study, name)
    log.begin(settings)
    if log.settings != settings:
        began, given = json.loads(log.settings or "{}"), json.loads(settings)
        raise UserError(
            f"the sweep {show_text(repr(name))} began with {_tell_difference(began, given)}; "
            "give that again to go on with it, or give this one another name"
        )
    return log


def _tell_difference(began: dict[str, Any], given: dict[str, Any], path: str = "") -> str:
    """Return the first key whose values differ, with both."""
    for key in [*began, *(key for key in given if key not in began)]:
        here = f"{path}.{key}" if path else key
        if key not in given:
            return f"{here}, which is not given now"
        if key not in began:
            return f"no {here}, which is given now"
        old, new = began[key], given[key]
        if isinstance(old, dict) and isinstance(new, dict) and old != new:
            return _tell_difference(old, new, here)
        if old != new:
            return show_text(f"{here}={json.dumps(old)}, not {json.dumps(new)}")
    return "settings that are spelled otherwise"

"""Where sweeps are kept: a database that Optuna reads, in a file or on a server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)

from seentwice.display import HARMLESS_KEYS, hide_values, one_line, show_text
from seentwice.errors import UserError

FORMS = "sqlite:///FILE or postgresql://USER@HOST/DATABASE"
_BUSY_SECONDS = 60  # that a write waits for those of other processes
_CONNECT_SECONDS = 20
_TRIES = 30  # to make about as many tables beside another process


def open_storage(url: str) -> RDBStorage:
    """Open a database, with the tables that it lacks made.

    A process opens its own: what a fork inherits is broken.

    Args:
        url: of an SQLite file, in a folder that exists, or of a database of a PostgreSQL server.

    Raises:
        UserError: it is no such URL, the database cannot be reached or written, or an incompatible
            Optuna made its tables. A password in the URL is not shown.
    """
    # Optuna tells of every study that it makes, on the terminal.
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    place = _read_url(url)
    shown = _show(place)
    # Optuna fills in what stands in braces.
    text = place.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}")
    for attempt in range(_TRIES):
        try:
            return RDBStorage(text, engine_kwargs=_choose_options(place))
        except ImportError as error:
            driver = "psycopg[binary]" if place.get_driver_name() == "psycopg" else "its driver"
            raise UserError(f"storage={shown}: install {driver}") from error
        except (StorageInternalError, SQLAlchemyError) as error:
            if not _is_race(error) or attempt == _TRIES - 1:
                raise UserError(f"storage={shown}: {_explain(error, place)}") from error
        except (RuntimeError, ValueError) as error:  # of its tables' version; of its settings
            told = _hide_secrets(str(error), place)
            raise UserError(f"storage={shown}: {show_text(one_line(Exception(told)))}") from error
    raise AssertionError("the last attempt returns or raises")


def close_storage(storage: RDBStorage) -> None:
    """Close a database's connections; none of its threads may be using one."""
    storage.remove_session()
    storage.engine.dispose()


def hide_password(url: str) -> str:
    """Return the URL of a database as it may be shown.

    Raises:
        UserError: it is none.
    """
    return _show(_read_url(url))


@contextmanager
def tell_errors(storage: RDBStorage) -> Iterator[None]:
    """Let errors of the database in the block be those of the user.

    Raises:
        UserError: in place of one of the database, or of a study that is gone.
    """
    try:
        yield
    except (StorageInternalError, SQLAlchemyError) as error:
        place = make_url(storage.url)
        raise UserError(
            f"{_show(place)}: {_explain(error, place)}; what was told before is kept: start the "
            "sweep again once the database answers"
        ) from error
    except KeyError as error:
        if "Record does not exist" not in str(error):  # Optuna's words
            raise
        shown = _show(make_url(storage.url))
        raise UserError(f"{shown}: somebody deleted the sweep while it ran") from error


def _read_url(url: str) -> URL:
    try:
        place = make_url(url)
    except (ArgumentError, ValueError) as error:  # the latter of a port
        # Not the text itself: a password may be in it.
        raise UserError(f"storage: no URL of a database; give {FORMS}") from error
    if place.get_backend_name() not in ("sqlite", "postgresql"):
        raise UserError(f"storage={place.drivername}://...: give {FORMS}")
    if place.get_backend_name() == "sqlite" and place.database in (None, "", ":memory:"):
        shown = f"sqlite:///{place.database}" if place.database else "sqlite://"
        raise UserError(
            f"storage={shown}: give a file, as in sqlite:///sweeps.db, that others open"
        )
    if place.drivername == "postgresql":
        return place.set(drivername="postgresql+psycopg")
    return place


def _show(place: URL) -> str:
    """Return an address without its password, which may stand in its query, too."""
    address, mark, query = place.render_as_string().partition("?")
    return show_text(address + mark + hide_values(query))


def _hide_secrets(text: str, place: URL) -> str:
    """Return what a driver says without what `_show` hides: it may repeat its settings."""
    query = place.normalized_query.items()
    secrets = [
        str(place.password or ""),
        *(one for key, all_ in query if key.lower() not in HARMLESS_KEYS for one in all_),
    ]
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return text


def _choose_options(place: URL) -> dict[str, Any]:
    if place.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": _BUSY_SECONDS}}
    options: dict[str, Any] = {"pool_pre_ping": True}  # a server may have been started anew
    if place.get_driver_name() in ("psycopg", "psycopg2") and "connect_timeout" not in place.query:
        options["connect_args"] = {"connect_timeout": _CONNECT_SECONDS}
    return options


def _is_race(error: Exception) -> bool:
    """Say whether another process made the same table, or wrote its version, at the same time."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    return isinstance(cause, IntegrityError | ProgrammingError | OperationalError) and (
        isinstance(cause, IntegrityError) or "already exists" in str(cause.orig)
    )


def _explain(error: Exception, place: URL) -> str:
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    told = _hide_secrets(str(getattr(cause, "orig", None) or error), place)
    reason = show_text(one_line(Exception(told)))
    if "unable to open database file" in reason:
        return f"{reason}; make its folder, and let your account write there"
    return reason

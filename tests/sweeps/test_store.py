"""Databases that cannot be opened are told in one line, without their passwords."""

import shutil

import optuna
import pytest
from sqlalchemy import text

from seentwice.errors import UserError
from seentwice.sweeps.events import Claimed
from seentwice.sweeps.log import open_log
from seentwice.sweeps.store import hide_password, open_storage


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sweeps.db", r"^storage: no URL of a database; give sqlite:///FILE or postgresql://USER"),
        ("mysql://me:secret@host/sweeps", r"^storage=mysql://\.\.\.: give sqlite:///FILE or"),
        ("postgresql://me:secret@host:port/sweeps", r"^storage: no URL of a database"),
        ("sqlite://", r"^storage=sqlite://: give a file, as in sqlite:///sweeps\.db"),
        ("sqlite:///:memory:", r"^storage=sqlite:///:memory:: give a file"),
    ],
)
def test_what_is_no_database_for_several_processes_is_refused(url, message):
    with pytest.raises(UserError, match=message) as caught:
        open_storage(url)
    assert "secret" not in str(caught.value)


def test_a_folder_that_is_missing_is_told(tmp_path):
    with pytest.raises(UserError, match=r"sweeps\.db: unable to open .*; make its folder, and let"):
        open_storage(f"sqlite:///{tmp_path / 'missing' / 'sweeps.db'}")


def test_a_file_that_is_no_database_is_told(tmp_path):
    path = tmp_path / "sweeps.db"
    path.write_text("name: a sweep\n" * 100)
    with pytest.raises(UserError, match=r"sweeps\.db: file is not a database"):
        open_storage(f"sqlite:///{path}")


def test_a_server_that_does_not_answer_is_told_without_the_password():
    pytest.importorskip("psycopg")
    with pytest.raises(UserError, match=r"psycopg://me:\*\*\*@127\.0\.0\.1:1/") as caught:
        open_storage("postgresql://me:secret@127.0.0.1:1/sweeps")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_path_may_hold_braces(tmp_path, empty_database, open_database):
    path = tmp_path / "{0} {x}.db"
    shutil.copy(empty_database, path)
    open_database(f"sqlite:///{path}")
    assert list(tmp_path.iterdir()) == [path]  # and no other was made


def test_a_database_of_an_optuna_that_does_not_fit_is_told(sqlite_url, open_database):
    storage = open_database(sqlite_url)
    with storage.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'v9.9.9.z'"))
    with pytest.raises(UserError, match=r"no longer compatible with the table schema"):
        open_database(sqlite_url)


def test_what_breaks_later_is_told(sqlite_url, open_database):
    storage = open_database(sqlite_url)
    log = open_log(storage, "a sweep", "{}")
    with storage.engine.begin() as connection:
        connection.execute(text("DROP TABLE study_user_attributes"))
    with pytest.raises(UserError, match=r"no such table: .* start the sweep again once"):
        log.beat("a", 1)


def test_a_sweep_that_somebody_deletes_is_told(sqlite_url, open_database):
    storage = open_database(sqlite_url)
    log = open_log(storage, "a sweep", "{}")
    optuna.delete_study(study_name="a sweep/events", storage=open_database(sqlite_url))
    with pytest.raises(UserError, match="somebody deleted the sweep while it ran"):
        log.read()
    with pytest.raises(UserError, match="somebody deleted the sweep while it ran"):
        log.append(Claimed(0, "a"), 0.0)


@pytest.mark.filterwarnings("ignore:Query string argument")
@pytest.mark.parametrize("query", ["password=secret", "sslmode=disable&passfile=secret"])
def test_a_password_in_the_query_is_not_told(query, tmp_path):
    for url in (f"sqlite:///{tmp_path}/gone/a.db?{query}", f"sqlite:///:memory:?{query}"):
        with pytest.raises(UserError, match=r"^storage=sqlite:///") as caught:
            open_storage(url)
        assert "secret" not in str(caught.value)


def test_what_a_driver_repeats_of_a_secret_is_not_told():
    pytest.importorskip("psycopg")
    with pytest.raises(UserError, match=r"[?]connect_timeout=1&no_such=[*]{3}: ") as caught:
        open_storage("postgresql://me@127.0.0.1:1/sweeps?no_such=secret&connect_timeout=1")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:secret@host/x", "postgresql+psycopg://me:***@host/x"),
        (
            "postgresql://me@host/x?sslmode=require&password=secret&options=-cx%3Dsecret",
            "postgresql+psycopg://me@host/x?options=***&password=***&sslmode=require",
        ),
        ("sqlite:///a.db?password=secret", "sqlite:///a.db?password=***"),
    ],
)
def test_a_shown_url_has_no_password(url, shown):
    assert hide_password(url) == shown

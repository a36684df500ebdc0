"""The SQLite file of an index: who may read and write it, and what is told when it goes wrong.

It is in SQLite's WAL mode: readers see the last transaction that was committed while another
process writes the next, and whatever ends a process ends its transaction as if it had never begun.
A transaction reaches the disk before it counts.
"""

import json
import re
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from seentwice.display import one_line, show_text
from seentwice.errors import UserError
from seentwice.files import UnwritableError
from seentwice.index.photo_row import StoreMeta
from seentwice.locks import hold_lock

FILE = "photos.sqlite"
SCHEMA = 2
"""Of the tables; one of another number is not read."""
_APPLICATION = 0x5365656E  # "Seen", in the file's header
_LOCK = "photos.lock"
_POLL_SECONDS = 0.5
_WAL_BYTES = 2**26  # that the log keeps once its transactions are in the file
_OTHERS = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL)
"""Errors that end when other processes have done their work."""
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


@dataclass(frozen=True, slots=True)
class Database:
    """An open file; a process opens its own, a fork included."""

    connection: sqlite3.Connection
    folder: Path
    on_wait: Callable[[], None]

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Let the block see one state of the file, whatever others write.

        A block within a block sees what the outer one sees.

        Raises:
            UserError: the file cannot be read, or is damaged.
        """
        with explain_errors(self.folder):
            if self.connection.in_transaction:
                yield self.connection
                return
            self._begin("BEGIN")
            try:
                yield self.connection
            finally:
                self.connection.rollback()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Let the block write, alone; all of it counts at its end, or nothing does.

        Raises:
            UserError: the file cannot be written, the disk is full, or the file is damaged.
            RuntimeError: within a block that reads.
        """
        with explain_errors(self.folder):
            if self.connection.in_transaction:
                raise RuntimeError("write before or after what one snapshot reads")
            self._begin("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.commit()
            except BaseException:
                with suppress(sqlite3.Error):  # the transaction may have ended with the error
                    self.connection.rollback()
                raise

    def _begin(self, statement: str) -> None:
        while True:
            try:
                self.connection.execute(statement)
                # A transaction that reads begins with the first that is read.
                self.connection.execute("SELECT 1 FROM about").fetchone()
                return
            except sqlite3.OperationalError as error:
                if self.connection.in_transaction:
                    self.connection.rollback()
                if _primary_code(error) not in _OTHERS:
                    raise
                self.on_wait()


def open_to_write(
    folder: Path, meta: StoreMeta, tables: Sequence[str], on_wait: Callable[[], None]
) -> Database:
    """Open the file of a folder; both are made where they are missing.

    Args:
        folder: of the index, and of nothing else.
        meta: what the rows share.
        tables: statements that make the tables of a new file.
        on_wait: called again and again while another process writes.

    Raises:
        UserError: the file is of other photos, another version or another program, damaged, or
            cannot be written.
    """
    _refuse_address(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with hold_lock(folder / _LOCK, on_wait), explain_errors(folder):
            database = Database(_connect(folder, "rwc"), folder, on_wait)
            try:
                if _is_new(database):
                    _make_tables(database.connection, meta, tables)
                _check_meta(read_meta(database), meta, folder)
                database.connection.execute("PRAGMA synchronous=FULL")
                database.connection.execute(f"PRAGMA journal_size_limit={_WAL_BYTES}")
            except BaseException:
                database.connection.close()
                raise
            return database
    except OSError as error:
        if isinstance(error, UserError):
            raise
        raise UnwritableError(
            f"{_name(folder)} cannot be written ({error.strerror or error}); let your account "
            "write there, or choose another folder for the index"
        ) from error


def open_to_read(folder: Path, on_wait: Callable[[], None], maker: str) -> Database:
    """Open the file of a folder, which may be one that this account cannot write.

    Args:
        folder: of the index.
        on_wait: told of a wait for another process.
        maker: the command that makes what is asked for, for errors.

    Raises:
        UserError: there is none, it is of another version or another program, or damaged.
    """
    _refuse_address(folder)
    if not (folder / FILE).is_file():
        raise UserError(
            f"{_name(folder)} holds no index of photos ({FILE}); give the folder of one, or make "
            f"it with seentwice {maker}"
        )
    with explain_errors(folder):
        database = Database(_connect(folder, _choose_mode(folder)), folder, on_wait)
        try:
            if _is_new(database):
                raise UserError(f"{_name(folder)}: the index is empty; run seentwice {maker}")
            read_meta(database)
        except BaseException:
            database.connection.close()
            raise
        return database


def read_meta(database: Database) -> StoreMeta:
    """Return what the rows of an open file share.

    Raises:
        UserError: it is another version's, or damaged.
    """
    version = database.connection.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA:
        raise UserError(
            f"{_name(database.folder)}: the index is of another version of seentwice (its tables "
            f"are {version}, this one reads {SCHEMA}); use that version, or delete this folder "
            "and run again"
        )
    with database.reading() as connection:
        found = connection.execute("SELECT meta FROM about").fetchone()
    try:
        values = json.loads(found[0])
        return StoreMeta(**{**values, "hash_names": tuple(values["hash_names"])})
    except (KeyError, TypeError, ValueError) as error:
        raise tell_damage(database.folder, "its description cannot be read") from error


@contextmanager
def explain_errors(folder: Path) -> Iterator[None]:
    """Tell errors of SQLite in the block in one line.

    Raises:
        UserError: in place of one that the user can mend.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _explain(folder, error) from error
    except UnicodeDecodeError as error:  # of a text of SQLite's own
        raise tell_damage(folder, "a text is none") from error


def tell_damage(folder: Path, what: str) -> UserError:
    """Return the error of a file whose content is not what was written."""
    return UserError(
        f"{_name(folder)}: the index is damaged ({show_text(what)}); delete this folder and run "
        "again, which reads all photos anew"
    )


def _explain(folder: Path, error: sqlite3.Error) -> Exception:
    code = _primary_code(error)
    told = one_line(error)
    if isinstance(error, sqlite3.ProgrammingError) and "closed database" in told:
        return UserError(f"{_name(folder)}: the index was closed; ask it before, or open it again")
    # Statements are right, so one that fails, or gives a text that is none, met other tables.
    is_other = code in (-1, sqlite3.SQLITE_ERROR) and isinstance(error, sqlite3.OperationalError)
    if is_other or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return tell_damage(folder, told)
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        remedy = "make room there and run again: what was written before is kept"
    elif code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        remedy = "let your account write there, or choose another folder for the index"
    else:
        return error
    return UnwritableError(f"{_name(folder)}: the index cannot be written ({told}); {remedy}")


def _primary_code(error: sqlite3.Error) -> int:
    """Return SQLite's code without what it says more exactly; -1 for an error of Python's own."""
    code: int = getattr(error, "sqlite_errorcode", -1)
    return code & 0xFF if code >= 0 else -1


def _refuse_address(folder: Path) -> None:
    if _ADDRESS.match(str(folder)):
        raise UserError(
            f"{_name(folder)}: an index is a folder of this machine; give the path of one"
        )


def _name(folder: Path) -> str:
    return show_text(str(folder))


def _connect(folder: Path, mode: str) -> sqlite3.Connection:
    path = quote(bytes((folder / FILE).absolute()))
    return sqlite3.connect(
        f"file:{path}?{mode if '=' in mode else f'mode={mode}'}",
        timeout=_POLL_SECONDS,
        isolation_level=None,
        uri=True,
    )


def _choose_mode(folder: Path) -> str:
    """Return how SQLite opens a file to be read: it writes a log beside it where it can."""
    log = folder / f"{FILE}-wal"
    try:
        is_settled = not log.exists() or log.stat().st_size == 0
        with closing(_connect(folder, "ro")) as connection:
            connection.execute("PRAGMA user_version").fetchone()
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        if _primary_code(error) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            if is_settled:
                return "immutable=1"
        elif _primary_code(error) not in _OTHERS:
            raise
    return "ro"


def _is_new(database: Database) -> bool:
    """Say whether nothing was made yet.

    Raises:
        UserError: the file is another program's.
    """
    connection = database.connection
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application == _APPLICATION:
        return False
    if application or connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise UserError(
            f"{_name(database.folder)}: its {FILE} is another program's; choose another folder "
            "for the index"
        )
    return True


def _make_tables(connection: sqlite3.Connection, meta: StoreMeta, tables: Sequence[str]) -> None:
    connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # before the first table
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("CREATE TABLE about (meta TEXT NOT NULL, generation INTEGER NOT NULL)")
    values = (json.dumps(asdict(meta)), secrets.randbits(62))
    connection.execute("INSERT INTO about VALUES (?, ?)", values)
    for statement in tables:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id={_APPLICATION}")
    connection.execute(f"PRAGMA user_version={SCHEMA}")
    connection.commit()


def _check_meta(found: StoreMeta, wanted: StoreMeta, folder: Path) -> None:
    for name, value in asdict(wanted).items():
        there = getattr(found, name)
        if there != value:
            raise UserError(
                f"{_name(folder)}: the index there has {name} {show_text(str(there))}, this run "
                f"{show_text(str(value))}; choose another folder for the index, or delete this one"
            )

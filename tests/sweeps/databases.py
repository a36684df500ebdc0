"""A PostgreSQL server of its own for a test, where one is installed."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def run_postgresql(folder: Path) -> Iterator[str]:
    """Start a server that listens in the folder alone; give the URL of a database on it."""
    pytest.importorskip("psycopg", reason="needs psycopg")
    initdb, pg_ctl = _find("initdb"), _find("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("needs the programs initdb and pg_ctl of PostgreSQL")
    # The server refuses to run as root.
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    data = folder / "data"
    data.mkdir()
    if os.geteuid() == 0:
        os.chown(folder, account.pw_uid, account.pw_gid)
        os.chown(data, account.pw_uid, account.pw_gid)
        for parent in folder.parents:
            if not parent.stat().st_mode & 0o001:
                pytest.skip(f"the account nobody may not enter {parent}")

    def call(*command: str) -> None:
        user = account.pw_uid if os.geteuid() == 0 else None
        subprocess.run(command, check=True, capture_output=True, user=user, cwd=folder)

    call(initdb, "-D", str(data), "-U", "tester", "-A", "trust", "--no-sync", "-E", "UTF8")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    call(pg_ctl, "-D", str(data), "-l", str(folder / "log"), "-w", "-o", options, "start")
    try:
        yield f"postgresql+psycopg://tester@/postgres?host={folder}"
    finally:
        call(pg_ctl, "-D", str(data), "-m", "immediate", "stop")


def _find(program: str) -> str | None:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return shutil.which(program) or next(
        (found for place in places if (found := shutil.which(program, path=str(place)))), None
    )

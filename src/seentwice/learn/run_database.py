"""What is asked of a store's database itself: whether there is one, and which runs are best.

MLflow makes a store where it finds none. Sorted by a metric, its `search_runs` compares every run
with every value in SQLite: 100,000 runs take more than minutes, and a second here.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, column, create_engine, false, inspect, make_url, select, table

from seentwice.errors import UserError
from seentwice.learn.tracking import shown_uri

_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_BEGIN = "run seentwice compare first, or give --store with the address that the runs went to"


@contextmanager
def open_run_database(address: str) -> Iterator[Engine | None]:
    """Open the database of a store that is there; None for one without, such as a server.

    Raises:
        UserError: there is no such file or folder, or the database is not one of MLflow.
    """
    scheme = address.partition(":")[0].partition("+")[0]
    if scheme not in _DATABASES:
        if scheme not in ("http", "https") and not Path(address.removeprefix("file://")).is_dir():
            raise UserError(f"MLflow store {shown_uri(address)}: no such folder; {_BEGIN}")
        yield None
        return
    url = make_url(address)
    if scheme == "sqlite" and url.database and not Path(url.database).is_file():
        raise UserError(f"MLflow store {shown_uri(address)}: no such file; {_BEGIN}")
    engine = create_engine(url)
    try:
        if not inspect(engine).has_table("runs"):
            raise UserError(f"MLflow store {shown_uri(address)}: holds no runs; {_BEGIN}")
        yield engine
    finally:
        engine.dispose()


def rank_runs(
    engine: Engine, metric: str, smaller_is_better: bool, experiments: Iterable[str], limit: int
) -> list[str]:
    """Return the ids of the best runs, best first; those whose value is no number are left out.

    Args:
        engine: of the store's database.
        metric: its last value counts.
        smaller_is_better: of that metric.
        experiments: their ids; runs that were deleted are left out.
        limit: ids at most.
    """
    values = table("latest_metrics", *map(column, ("key", "value", "is_nan", "run_uuid")))
    runs = table(
        "runs", *map(column, ("run_uuid", "experiment_id", "lifecycle_stage", "start_time"))
    )
    value = values.c.value
    ranked = (
        select(runs.c.run_uuid)
        .join_from(values, runs, values.c.run_uuid == runs.c.run_uuid)
        .where(
            values.c.key == metric,
            values.c.is_nan == false(),
            runs.c.lifecycle_stage == "active",
            runs.c.experiment_id.in_([int(number) for number in experiments]),
        )
        .order_by(
            value if smaller_is_better else value.desc(), runs.c.start_time.desc(), runs.c.run_uuid
        )
        .limit(limit)
    )
    with engine.connect() as connection:
        return [str(number) for number in connection.execute(ranked).scalars()]

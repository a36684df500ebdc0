"""Runs as an MLflow store has them: read, never written."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seentwice.errors import UserError
from seentwice.learn.tracking import connect, shown_uri, store_errors, tracking_uri

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_PAGE = 1000  # runs that are asked for at once
_LOOKED_AT = 1000  # newest runs whose metrics are listed where one is unknown
_PARENT = "mlflow.parentRunId"
_METRIC = re.compile(r"[\w. :/-]+")  # what MLflow lets a metric be called
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_BEGIN = "run seentwice compare first, or give --store with the address that the runs went to"


@dataclass(frozen=True, slots=True)
class StoredRun:
    """What a store says of a run."""

    run_id: str
    parent_id: str | None
    name: str
    experiment: str
    status: str  # RUNNING, FINISHED, FAILED or KILLED
    started_ms: int  # since 1970
    ended_ms: int | None  # None while it runs
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, float]  # the last value of each


@dataclass(frozen=True, slots=True)
class Ranking:
    """Which runs are best."""

    name: str  # of a metric, such as test/average_precision
    smaller_is_better: bool
    must_exist: bool  # or runs without it will do, newest first


@dataclass(frozen=True, slots=True)
class FoundRuns:
    """The best runs of a store, and those above them."""

    runs: tuple[StoredRun, ...]  # best first; those without the metric come last
    parents: Mapping[str, StoredRun]  # of those runs, by id
    are_more: bool  # runs in the store that are not among them


def find_runs(uri: str | None, experiment: str | None, metric: Ranking, limit: int) -> FoundRuns:
    """Return the best runs by a metric.

    The store sorts them, so memory holds no more than are returned, however many there are.

    Args:
        uri: of the store; None is that of `tracking_uri`.
        experiment: its name; None is all that are not deleted.
        metric: which runs are best.
        limit: runs at most, those above them not counted.

    Raises:
        UserError: no store there, or one that cannot be used; no such experiment; a metric that
            no run has.
    """
    with _reading(uri) as client:
        experiments = _find_experiments(client, experiment)
        if _METRIC.fullmatch(metric.name) is None:
            raise _unknown_metric(client, metric.name, experiments)
        order = f"metrics.`{metric.name}` {'ASC' if metric.smaller_is_better else 'DESC'}"
        runs: list[StoredRun] = []
        token: str | None = None
        while len(runs) < limit:
            page = client.search_runs(
                list(experiments),
                max_results=min(_PAGE, limit - len(runs)),
                order_by=[order],
                page_token=token,
            )
            runs += (_to_record(run, experiments) for run in page)
            token = page.token
            if not token:
                break
        if metric.must_exist and not any(metric.name in run.metrics for run in runs[:1]):
            raise _unknown_metric(client, metric.name, experiments)
        return FoundRuns(tuple(runs), _find_parents(client, runs, experiments), bool(token))


@contextmanager
def _reading(uri: str | None) -> Iterator["MlflowClient"]:
    """Open a store that is there.

    Raises:
        UserError: it is not, or cannot be used.
    """
    with store_errors(uri):
        _require_store(uri)
        yield connect(uri)


def _require_store(uri: str | None) -> None:
    """Look for a store before MLflow does, which would make one.

    Raises:
        UserError: there is none, or an empty database.
    """
    address = uri or tracking_uri()
    scheme = address.partition(":")[0].partition("+")[0]
    if scheme not in _DATABASES:
        folder = Path(address.removeprefix("file://"))
        if scheme in ("http", "https") or folder.is_dir():
            return
        raise UserError(f"MLflow store {shown_uri(uri)}: no such folder; {_BEGIN}")
    from sqlalchemy import create_engine, inspect, make_url

    url = make_url(address)
    if scheme == "sqlite" and url.database and not Path(url.database).is_file():
        raise UserError(f"MLflow store {shown_uri(uri)}: no such file; {_BEGIN}")
    engine = create_engine(url)
    try:
        if not inspect(engine).has_table("runs"):
            raise UserError(f"MLflow store {shown_uri(uri)}: holds no runs; {_BEGIN}")
    finally:
        engine.dispose()


def _find_experiments(client: "MlflowClient", name: str | None) -> Mapping[str, str]:
    """Return the names of experiments by their ids.

    Raises:
        UserError: there is none of this name.
    """
    found: dict[str, str] = {}
    token: str | None = None
    while True:
        page = client.search_experiments(max_results=_PAGE, page_token=token)
        found |= {one.experiment_id: one.name for one in page}
        token = page.token
        if not token:
            break
    if name is None:
        return found
    chosen = {number: one for number, one in found.items() if one == name}
    if not chosen:
        names = ", ".join(sorted(found.values())) or "none"
        raise UserError(f"--experiment {name}: choose one of {names}")
    return chosen


def _unknown_metric(
    client: "MlflowClient", metric: str, experiments: Mapping[str, str]
) -> UserError:
    newest = client.search_runs(list(experiments), max_results=_LOOKED_AT)
    names = sorted({name for run in newest for name in run.data.metrics})
    if not names:
        return UserError(f"--metric {metric}: no run has metrics yet")
    return UserError(f"--metric {metric}: no run has it; choose one of {', '.join(names)}")


def _find_parents(
    client: "MlflowClient", runs: Sequence[StoredRun], experiments: Mapping[str, str]
) -> Mapping[str, StoredRun]:
    known = {run.run_id for run in runs}
    asked = sorted({run.parent_id for run in runs if run.parent_id} - known)
    found: dict[str, StoredRun] = {run.run_id: run for run in runs}
    for start in range(0, len(asked), _PAGE):
        names = ", ".join(f"'{one}'" for one in asked[start : start + _PAGE])
        page = client.search_runs(
            list(experiments),
            filter_string=f"attributes.run_id IN ({names})",
            max_results=_PAGE,
        )
        found |= {run.info.run_id: _to_record(run, experiments) for run in page}
    return {run.parent_id: found[run.parent_id] for run in runs if run.parent_id in found}


def _to_record(run: "Run", experiments: Mapping[str, str]) -> StoredRun:
    info, data = run.info, run.data
    return StoredRun(
        run_id=info.run_id,
        parent_id=data.tags.get(_PARENT),
        name=info.run_name or "",
        experiment=experiments[info.experiment_id],
        status=info.status,
        started_ms=info.start_time or 0,
        ended_ms=info.end_time,
        parameters=data.params,
        tags=data.tags,
        metrics=data.metrics,
    )

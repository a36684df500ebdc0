"""Runs as an MLflow store has them: read, never written."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from seentwice.data.source import Progress
from seentwice.errors import UserError
from seentwice.learn.tracking import connect, store_errors, tracking_uri

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_PAGE = 1000  # runs that are asked for at once
_LOOKED_AT = 1000  # newest runs whose metrics are listed where one is unknown
_NAMED = 5  # metrics at most, where one is unknown
_LIKENESS = 0.6  # in [0, 1], of a name that may have been meant
_PARENT = "mlflow.parentRunId"
_OTHER_STORE = "give --store the address of another, or start the server that it names"
_METRIC = re.compile(r"[\w. :/-]+")  # what MLflow lets a metric be called


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


def find_runs(
    uri: str | None, experiment: str | None, metric: Ranking, limit: int, on_progress: Progress
) -> FoundRuns:
    """Return the best runs by a metric; where few have it, the newest of the others after them.

    The store sorts them, so memory holds no more than are returned, however many there are.

    Args:
        uri: of the store; None is that of `tracking_uri`.
        experiment: its name; None is all that are not deleted.
        metric: which runs are best.
        limit: runs at most, those above them not counted.
        on_progress: told of the runs that were read, where they are more than one page.

    Raises:
        UserError: no store there, or one that cannot be used; no such experiment; a metric that
            no run has, or that is NaN in all.
    """
    # Imported here, as MLflow is: no --help should wait for it.
    from seentwice.learn.run_database import open_run_database, rank_runs

    with (
        store_errors(uri, _OTHER_STORE if uri else None),
        open_run_database(uri or tracking_uri()) as database,
    ):
        client = connect(uri)
        experiments = _find_experiments(client, experiment)
        is_name = _METRIC.fullmatch(metric.name) is not None
        ranked: list[StoredRun] = []
        if is_name and database is not None:
            best = rank_runs(
                database, metric.name, metric.smaller_is_better, experiments, limit + 1
            )
            found = _get_runs(client, best, experiments, on_progress)
            ranked = [found[number] for number in best if number in found]
        elif is_name:
            order = f"metrics.`{metric.name}` {'ASC' if metric.smaller_is_better else 'DESC'}"
            sorted_runs = _page_through(client, experiments, order, limit + 1, on_progress)
            ranked = [
                run for run in sorted_runs if not math.isnan(run.metrics.get(metric.name, math.nan))
            ]
        if metric.must_exist and not ranked:
            raise _unknown_metric(client, metric.name, experiments)
        runs = ranked
        if len(ranked) <= limit:
            known = {run.run_id for run in ranked}
            newest = _page_through(client, experiments, None, limit + 1, on_progress)
            runs = [*ranked, *(run for run in newest if run.run_id not in known)]
        are_more, runs = len(runs) > limit, runs[:limit]
        above = {run.parent_id for run in runs if run.parent_id}
        parents = _get_runs(client, sorted(above), experiments, on_progress)
        return FoundRuns(tuple(runs), parents, are_more)


def _page_through(
    client: "MlflowClient",
    experiments: Mapping[str, str],
    order: str | None,
    limit: int,
    on_progress: Progress,
) -> list[StoredRun]:
    """Return runs in an order, None is the newest first; so many at most."""
    runs: list[StoredRun] = []
    token: str | None = None
    while len(runs) < limit:
        page = client.search_runs(
            list(experiments),
            max_results=min(_PAGE, limit - len(runs)),
            order_by=None if order is None else [order],
            page_token=token,
        )
        runs += (_to_record(run, experiments) for run in page)
        if limit > _PAGE:
            on_progress(len(runs), limit)
        token = page.token
        if not token:
            break
    return runs


def _get_runs(
    client: "MlflowClient",
    numbers: Sequence[str],
    experiments: Mapping[str, str],
    on_progress: Progress,
) -> dict[str, StoredRun]:
    """Return runs by their ids; those that were deleted are left out."""
    found: dict[str, StoredRun] = {}
    for start in range(0, len(numbers), _PAGE):
        names = ", ".join(f"'{number}'" for number in numbers[start : start + _PAGE])
        page = client.search_runs(
            list(experiments),
            filter_string=f"attributes.run_id IN ({names})",
            max_results=_PAGE,
        )
        found |= {run.info.run_id: _to_record(run, experiments) for run in page}
        if len(numbers) > _PAGE:
            on_progress(len(found), len(numbers))
    return found


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
    logged = {name for run in newest for name in run.data.metrics}
    defined = {
        name for run in newest for name, value in run.data.metrics.items() if not math.isnan(value)
    }
    if not defined:
        return UserError(f"--metric {metric}: no run has metrics yet")
    fault = "it is NaN in every run" if metric in logged else "no run has it"
    return UserError(f"--metric {metric}: {fault}; {_name_choices(metric, sorted(defined))}")


def _name_choices(metric: str, names: Sequence[str]) -> str:
    """Say which metrics there are: all, or those most like one, and where the others are."""
    if len(names) <= _NAMED:
        return f"choose one of {', '.join(names)}"
    # The same quantity in another split comes before other names that are spelt nearly so.
    ends = {name: name.rpartition("/")[2] for name in names}
    end = get_close_matches(metric.rpartition("/")[2], ends.values(), 1, _LIKENESS)
    same = [name for name in names if ends[name] in end]
    # What was tested is what runs are compared by.
    same.sort(key=lambda name: not name.startswith("test/"))
    alike = get_close_matches(metric, names, _NAMED, _LIKENESS)
    nearest = list(dict.fromkeys((*same, *alike)))[:_NAMED]
    every = f"all {len(names)}: seentwice runs --json"
    return f"did you mean {', '.join(nearest)}? ({every})" if nearest else every


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

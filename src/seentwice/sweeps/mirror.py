"""A sweep as a study of Optuna's, for those who look: optuna-dashboard, importances.

It follows the log and never leads: what stands in it, or is missing, decides nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from seentwice.display import show_text
from seentwice.errors import UserError
from seentwice.sweeps.optuna_trials import (
    find_optuna_values,
    find_state,
    list_attributes,
    to_optuna,
)
from seentwice.sweeps.plan import Plan
from seentwice.sweeps.store import tell_errors
from seentwice.sweeps.trials import Trial

_MARK = "sweep"


@dataclass(slots=True)
class _Row:
    """What the study is known to hold of a trial."""

    id: int  # Optuna's, one of a kind in the database
    is_finished: bool
    metrics: dict[int, float]  # by time
    attributes: dict[str, object]


class Mirror:
    """The study of one sweep."""

    def __init__(self, storage: RDBStorage, study: int, plan: Plan) -> None:
        """Take a study by its number in the database; see `open_mirror`."""
        self._storage = storage
        self._study = study
        self._plan = plan
        self._rows: dict[int, _Row] = {}  # by the trial's number

    def show(self, trial: Trial) -> None:
        """Bring the row of a trial up to date; nothing is written where it is so already.

        To be called by the worker that holds the trial, after each of its events, and once it is
        settled. One that has not begun has no row, and one that another finished is left alone.

        Raises:
            UserError: the database cannot be read or written.
        """
        if trial.folder:
            with tell_errors(self._storage):
                if trial.number not in self._rows:
                    self._rows[trial.number] = self._open_row(trial, self._read_rows())
                self._write(self._rows[trial.number], trial)

    def show_all(self, trials: Iterable[Trial]) -> None:
        """Bring all rows up to date, as at the end: a worker may have been killed before it did.

        Raises:
            UserError: the database cannot be read or written.
        """
        with tell_errors(self._storage):
            rows = self._read_rows()
            for trial in trials:
                if trial.folder:
                    self._rows[trial.number] = self._open_row(trial, rows)
                    self._write(self._rows[trial.number], trial)

    def _read_rows(self) -> dict[int, FrozenTrial]:
        """Return the rows by the numbers of their trials, the first where there are several."""
        found: dict[int, FrozenTrial] = {}
        for row in self._storage.get_all_trials(self._study, deepcopy=False):
            found.setdefault(row.user_attrs.get("trial", -1), row)
        return found

    def _open_row(self, trial: Trial, rows: Mapping[int, FrozenTrial]) -> _Row:
        row = rows.get(trial.number)
        if row is not None:
            id_ = self._storage.get_trial_id_from_study_id_trial_number(self._study, row.number)
        else:
            row = to_optuna(
                trial,
                self._plan.space,
                TrialState.RUNNING,
                self._plan.watched.smaller_is_better,
            )
            id_ = self._storage.create_new_trial(self._study, row)
        return _Row(
            id_, row.state.is_finished(), dict(row.intermediate_values), dict(row.user_attrs)
        )

    def _write(self, row: _Row, trial: Trial) -> None:
        if row.is_finished:
            return
        try:
            for point in trial.curve:
                if row.metrics.get(point.time) != point.metric:
                    self._storage.set_trial_intermediate_value(row.id, point.time, point.metric)
                    row.metrics[point.time] = point.metric
            for key, value in list_attributes(trial).items():
                if row.attributes.get(key) != value:
                    self._storage.set_trial_user_attr(row.id, key, value)
                    row.attributes[key] = value
            if trial.checkpoint or trial.status in ("failed", "impossible"):
                state = find_state(trial)
                values = find_optuna_values(trial, state, self._plan.watched.smaller_is_better)
                self._storage.set_trial_state_values(row.id, state, values)
                row.is_finished = True
        except UpdateFinishedTrialError:
            row.is_finished = True


def open_mirror(storage: RDBStorage, name: str, plan: Plan) -> Mirror:
    """Open the study that shows a sweep under its own name.

    Args:
        storage: See `open_storage`.
        name: Of the sweep, whose log is open: it says that the plan is that of the sweep.
        plan: Of the sweep.

    Raises:
        UserError: a study of that name is none of a sweep; the database cannot be written.
    """
    is_minimized = plan.watched.smaller_is_better
    with tell_errors(storage):
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            direction=StudyDirection.MINIMIZE if is_minimized else StudyDirection.MAXIMIZE,
            load_if_exists=True,
        )
        is_marked = _MARK in study.user_attrs
        if not is_marked and study.get_trials(deepcopy=False):
            raise UserError(
                f"the database holds another study {show_text(repr(name))}, which is no sweep; "
                "give this sweep another name"
            )
        if not is_marked:
            study.set_user_attr(_MARK, {"plan": plan.name, "metric": plan.watched.metric})
        return Mirror(storage, storage.get_study_id_from_name(name), plan)

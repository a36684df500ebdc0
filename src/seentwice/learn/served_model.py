"""What MLflow runs where a registered net is loaded or served: a model from code, without pickle.

MLflow copies this file into the model and executes that copy, beside a checkpoint that holds its
whole trunk; see `registration`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from seentwice.detectors.photo_scorer import open_scorer
from seentwice.errors import UserError
from seentwice.learn.pair_rows import CHECKPOINT, CONTENTS, PATHS, ROOT_VARIABLE, answer_rows


class PhotoPairs(PythonModel):
    """Scores the pairs of photos of a data frame."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the net; called once.

        Raises:
            UserError: the checkpoint is damaged, or the folder of photos is none.
        """
        artifacts: Mapping[str, str] = context.artifacts
        self.scorer = open_scorer(Path(artifacts[CHECKPOINT]))
        self.root = _find_root()

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Return score, duplicate and error for each row; see `answer_rows`.

        Raises:
            UserError: no column of the request is one of ours.
        """
        if model_input.columns.empty:
            # MLflow has taken away those that the signature does not name, and the rows with them.
            raise UserError(f"no known column: give {' or '.join((*CONTENTS, *PATHS))}")
        rows: list[Mapping[str, object]] = [
            dict(zip(model_input.columns, row, strict=True))
            for row in model_input.itertuples(index=False, name=None)
        ]
        found = answer_rows(self.scorer, rows, self.root)
        columns = {
            "score": [pair.score for pair in found],
            "duplicate": [pair.is_duplicate for pair in found],
            "error": [pair.problem for pair in found],
        }
        # Objects, since a number that is missing would be NaN, which is no JSON.
        return pd.DataFrame(columns, dtype=object)


def _find_root() -> Path | None:
    """Return the folder below which paths are read, if any.

    Raises:
        UserError: it is none.
    """
    name = os.environ.get(ROOT_VARIABLE)
    if not name:
        return None
    if not Path(name).is_dir():
        raise UserError(f"{ROOT_VARIABLE}={name}: no such folder; name that of the photos")
    return Path(name).resolve()


set_model(PhotoPairs())

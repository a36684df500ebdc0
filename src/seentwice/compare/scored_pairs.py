"""Every test pair with what each detector said of it: a file for notebooks."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seentwice.compare.scoring import Scores
from seentwice.compare.summary import HeldOutPairs


def to_parquet(test: HeldOutPairs, scores: Mapping[str, Scores]) -> bytes:
    """Return a Parquet file: the columns of a pair table, the fold, and what detectors said.

    Args:
        test: the n test pairs, one row each.
        scores: by detector; its columns are `score_<name>` and, at the threshold of the pair's
            fold, `decision_<name>`.
    """
    columns: dict[str, NDArray[Any]] = {"fold": test.fold.astype(np.int16)}
    for name, one in scores.items():
        columns[f"score_{name}"] = one.score
        columns[f"decision_{name}"] = one.decision
    buffer = BytesIO()
    pd.concat([test.pairs.to_frame(), pd.DataFrame(columns)], axis=1).to_parquet(
        buffer, index=False
    )
    return buffer.getvalue()

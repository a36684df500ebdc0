"""Every test pair with what each detector said of it: a file for notebooks."""

from collections.abc import Mapping
from io import BytesIO

import numpy as np
import pandas as pd

from seentwice.compare.scoring import Scores
from seentwice.compare.summary import TestPairs


def to_parquet(test: TestPairs, scores: Mapping[str, Scores]) -> bytes:
    """Return a Parquet file: the columns of a pair table, then one score a detector.

    Args:
        test: the n test pairs, one row each.
        scores: by detector; its column is `score_<name>`, float32.
    """
    columns = {f"score_{name}": one.score.astype(np.float32) for name, one in scores.items()}
    buffer = BytesIO()
    pd.concat([test.pairs.to_frame(), pd.DataFrame(columns)], axis=1).to_parquet(
        buffer, index=False
    )
    return buffer.getvalue()

import io
from pathlib import Path

import numpy as np
import pandas as pd

from seentwice.compare import summary
from seentwice.compare.scored_pairs import to_parquet
from seentwice.compare.scoring import Scores
from seentwice.data.pairs import COLUMNS, list_pairs
from seentwice.records import Photo, View


def test_every_pair_comes_with_every_score_whatever_bytes_its_name_has() -> None:
    names = ["b/a_1_1.jpg", "b/a_1_2.jpg", "b/c\udcff_2_1.jpg"]
    views = tuple(View(Photo(Path(n), n, n[:5])) for n in names)
    pairs = list_pairs(views)
    test = summary.gather_test_pairs([pairs], np.zeros(3, dtype=np.uint64))
    score = np.linspace(0, 1, 3)
    scores = {"l2": Scores(score, score > 0.5, np.empty(0), (0.5,), 0.9, 0.1, 1.0, ())}
    frame = pd.read_parquet(io.BytesIO(to_parquet(test, scores)))
    assert list(frame.columns) == [*COLUMNS, "fold", "score_l2", "decision_l2"]
    assert frame["label"].tolist() == [1, 0, 0]
    assert frame["score_l2"].tolist() == score.tolist()
    assert frame["decision_l2"].tolist() == [False, False, True]
    assert frame["fold"].tolist() == [0, 0, 0]
    assert any("\\udcff" in name for name in frame["right"].tolist() + frame["left"].tolist())

"""Photos that are in no index have the scores that they would have there."""

from pathlib import Path

import numpy as np
from made_homes import TAGS, make_snapshot, make_values, open_made

from seentwice.recommend.comparing import score_photos
from seentwice.recommend.listings import ListingRecord
from seentwice.recommend.scores import ScoreWeights


def test_scores_are_those_of_the_index(tmp_path: Path) -> None:
    values = make_values(3, 40)
    records = [ListingRecord(f"L{number}", (f"p{number}",)) for number in range(40)]
    homes = open_made(tmp_path, make_snapshot(values), records)
    asked = homes.ask_about_values(make_values(4, 1)[0])
    found = homes.recommend(asked, 40)
    parts = score_photos(TAGS, ScoreWeights(), asked, values)
    for one in found:
        number = int(one.photo[1:])
        assert parts.class_points[number] == one.class_points
        assert parts.tag_points[number] == one.tag_points
        np.testing.assert_allclose(
            parts.visual_similarity[number], one.visual_similarity, atol=2e-6
        )


def test_of_several_photos_that_are_asked_about_the_best_counts(tmp_path: Path) -> None:
    values = make_values(5, 30)
    records = [
        ListingRecord("asked", ("p0", "p1", "p2")),
        *(ListingRecord(f"L{number}", (f"p{number}",)) for number in range(3, 30)),
    ]
    homes = open_made(tmp_path, make_snapshot(values), records)
    found = homes.recommend(homes.ask_about("asked", "any"), 30, title="any")
    parts = score_photos(TAGS, ScoreWeights(), homes.ask_about("asked", "any"), values)
    assert len(found) == 27
    for one in found:
        np.testing.assert_allclose(parts.score[int(one.photo[1:])], one.score, atol=2e-6)

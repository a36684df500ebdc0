import warnings
from pathlib import Path

import numpy as np
import pytest

from seentwice.records import Interval, Photo

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("imagededup", reason="needs imagededup: pip install imagededup")

from copies import choose_photos, describe_found, join_rows
from copy_measures import Found


def make_photos(homes):
    return [
        Photo(Path(f"{home}_{n}"), f"{home}_{n}", f"{home}_{n}", property=str(home))
        for home in range(homes)
        for n in range(2)
    ]


def test_photos_of_the_first_homes_are_tested_and_the_others_stay_where_they_are():
    photos = make_photos(20)
    homes = [str(photo.property) for photo in photos]

    whole, some = choose_photos(photos, homes, 20), choose_photos(photos, homes, 3)

    assert [len(part) for part in (whole.train, whole.validation, whole.test)] == [14, 6, 20]
    assert some.test.tolist() == whole.test[:6].tolist()
    assert some.train.tolist() == whole.train.tolist()
    assert not {homes[n] for n in whole.test} & {
        homes[n] for n in (*whole.train, *whole.validation)
    }


def test_rows_that_a_part_has_not_are_zeros():
    one, other = np.ones((2, 3), np.float32), np.full((1, 3), 2, np.float32)
    hashes = np.array([[7]], np.uint64)

    rows = join_rows([{"trunk": one}, {"trunk": other, "hashes": hashes}], [2, 1])

    assert rows["trunk"].tolist() == [[1, 1, 1], [1, 1, 1], [2, 2, 2]]
    assert rows["hashes"].tolist() == [[0], [0], [7]]
    assert rows["hashes"].dtype == np.uint64


def test_what_is_written_of_a_detector_is_rounded():
    draws = np.array([0.5, 0.6])
    found = Found(Interval(0.55556, 0.5, 0.6), Interval(0.7, 0.6, 0.8), 0.9, {"crop": 1 / 3}, draws)
    peer = Found(
        Interval(0.25, 0.2, 0.3), Interval(0.7, 0.6, 0.8), 0.9, {"crop": 1.0}, draws - 0.25
    )

    written = describe_found(found, peer)

    assert written["recall_at_99.9_precision"] == {"value": 0.5556, "low": 0.5, "high": 0.6}
    assert written["over_imagededup_cnn"] == {"value": 0.3056, "low": 0.25, "high": 0.25}
    assert written["recall_by_edit"] == {"crop": 0.3333}

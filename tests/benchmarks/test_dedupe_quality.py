import warnings
from pathlib import Path

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("imagededup", reason="needs imagededup: pip install imagededup")
    import imagededup_pairs  # noqa: F401

from dedupe_copies import Catalogue
from dedupe_quality import Peer, choose_photos, measure_peer
from imagededup_pairs import NearPairs

from seentwice.records import Photo


def make_near(*pairs):
    left, right, values = zip(*pairs, strict=True)
    return NearPairs(np.array(left), np.array(right), np.array(values, float))


def test_the_best_threshold_is_chosen_on_learning_photos_alone():
    learn = Catalogue(Path("learn"), "abcd", np.array([0, 0, 1, 1]))
    test = Catalogue(Path("test"), "abcd", np.array([0, 0, 0, 1]))
    near = {
        "learn": make_near((0, 1, 3), (2, 3, 5), (0, 2, 8)),
        "test": make_near((0, 1, 2), (1, 2, 6), (2, 3, 5)),
    }
    peer = Peer(
        lambda catalogue: near[catalogue.root.name],
        (9, 7, 5, 3, 1),
        2,
        lambda bits, threshold: bits <= threshold,
    )

    default, best = measure_peer(peer, test, learn)

    # 5 and 7 find the same of the learning photos; on the test photos 7 would be better.
    assert (default.threshold, best.threshold) == (2, 5)
    assert (default.pairs.found, default.pairs.recall) == (1, 1 / 3)
    assert (best.pairs.found, best.pairs.wrong) == (2, 1)
    assert best.groups.found == 2


def test_homes_are_the_first_of_those_that_are_meant():
    homes = ["1", "1", "2", "3", "3"]
    photos = [Photo(Path(f"/{n}.jpg"), str(n), str(n)) for n in range(5)]

    assert choose_photos(photos, homes, [1, 3, 4], 1) == {"1.jpg"}
    assert choose_photos(photos, homes, [1, 3, 4], 2) == {"1.jpg", "3.jpg", "4.jpg"}

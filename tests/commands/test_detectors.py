"""What detectors must see of a view: it passes a trunk once for all that look through it."""

import pytest

from seentwice.commands.detectors import BASELINES, choose_descriptors, needs_trunk
from seentwice.commands.trunks import Trunks
from seentwice.detectors.trunk import EXACT, TrunkDescriptor
from seentwice.detectors.windows import WindowDescriptor
from seentwice.models.backbones import build_trunk

FROZEN = build_trunk("compact", "none", "average", 0, "eval", seed=0)


@pytest.mark.parametrize(
    ("heads", "baselines", "kinds"),
    [
        ([], ["cosine", "knn"], {"trunk": TrunkDescriptor}),
        ([], ["regions"], {"trunk": WindowDescriptor}),
        (["l1", "l2"], ["regions", "whitened_cosine"], {"trunk": WindowDescriptor}),
    ],
)
def test_one_pass_of_a_frozen_trunk_serves_all(heads, baselines, kinds):
    chosen = choose_descriptors(heads, baselines, Trunks(FROZEN, FROZEN), "float32", EXACT)
    assert {one.name: type(one) for one in chosen} == kinds


def test_a_head_whose_trunk_trains_has_rows_of_its_own_beside_windows():
    own = build_trunk("compact", "none", "average", 1, "eval", seed=0)
    chosen = choose_descriptors(["l2"], ["regions"], Trunks(own, FROZEN), "float32", EXACT)
    assert {one.name: type(one) for one in chosen} == {
        "maps": TrunkDescriptor,
        "trunk": WindowDescriptor,
    }


def test_regions_alone_need_a_trunk():
    assert [name for name in BASELINES if needs_trunk([], [name])] == [
        *("cosine", "whitened_cosine", "knn", "regions")
    ]

from dataclasses import astuple, replace

import numpy as np
import pytest

from seentwice.data.folder import FolderSource
from seentwice.data.pairs import KINDS, PairPolicy
from seentwice.data.splits import fold_photos, split_photos
from seentwice.data.tables import make_tables
from seentwice.data.views import EditChoice, plan_views
from seentwice.records import Kind

POLICY = PairPolicy(10_000, 10_000, 0.5, 3)
EDITS = EditChoice(("hflip",), ("rotate",))


def make(photos, splits, readable=None, policy=POLICY, seed=0):
    plan = plan_views(photos, splits, EDITS, 0)
    generator = np.random.default_rng(0)
    hashes = generator.integers(0, 2**63, len(plan.views)).astype(np.uint64)
    if readable is None:
        readable = np.ones(len(plan.views), bool)
    return make_tables(plan, splits, readable, hashes, EDITS, policy, policy, seed)


def parts(tables):
    return (tables.train, tables.validation, tables.test)


def views_of(table):
    return [table.views[index] for index in np.union1d(table.left, table.right)]


@pytest.fixture(scope="module", params=["places", "homes", "contradictions"])
def photos(few_rooms, request):
    """Those of 20 rooms; homes of two rooms each; or homes that the photos disagree about."""
    found = FolderSource(few_rooms).read().photos
    number = {place: n for n, place in enumerate(sorted({photo.place for photo in found}))}
    if request.param == "places":
        return found
    homes = [f"home{number[photo.place] // 2}" for photo in found]
    if request.param == "contradictions":
        homes[0], homes[1], homes[30] = "home5", None, "home7"
    return tuple(
        replace(p, property=home, split=None) for p, home in zip(found, homes, strict=True)
    )


@pytest.mark.parametrize("folds", [None, 3])
def test_no_place_and_no_property_is_in_two_tables(photos, folds):
    splits = fold_photos(photos, 3, 0) if folds else (split_photos(photos, 0.3, 0.3, 0),)
    for tables in make(photos, splits):
        for name in ("place", "property"):
            sets = [
                {getattr(view.photo, name) for view in views_of(table)} - {None}
                for table in parts(tables)
            ]
            assert sum(map(len, sets)) == len(set.union(*sets))


def test_labels_say_whether_the_place_is_the_same(photos):
    (tables,) = make(photos, [split_photos(photos, 0.3, 0.3, 0)])
    for table in parts(tables):
        same = [
            table.views[left].photo.place == table.views[right].photo.place
            for left, right in zip(table.left, table.right, strict=True)
        ]
        assert table.label.tolist() == same
        assert {KINDS[kind] for kind in table.kind} >= {Kind.EDITED, Kind.SAME_PLACE}


def test_each_table_holds_the_copies_meant_for_it(few_rooms):
    photos = FolderSource(few_rooms).read().photos
    (tables,) = make(photos, [split_photos(photos, 0.3, 0.3, 0)])
    edits = [{view.edit.partition(":")[0] for view in views_of(table)} for table in parts(tables)]
    assert edits == [{"", "hflip"}, {"", "rotate"}, {"", "rotate"}]


def test_unreadable_views_are_in_no_table(few_rooms):
    photos = FolderSource(few_rooms).read().photos
    splits = [split_photos(photos, 0.3, 0.3, 0)]
    count = len(plan_views(photos, splits, EDITS, 0).views)
    readable = np.arange(count) % 5 != 0
    (tables,) = make(photos, splits, readable)
    for table in parts(tables):
        assert readable[np.union1d(table.left, table.right)].all()


def test_the_seed_decides_the_samples_and_each_table_draws_its_own(few_rooms):
    photos = FolderSource(few_rooms).read().photos
    split = split_photos(photos, 0.3, 0.3, 0)
    few = PairPolicy(10, 20, 0.5, 3)

    def drawn(seed):
        return [
            [column.tolist() for column in astuple(table)[1:]]
            for tables in make(photos, [split, split], policy=few, seed=seed)
            for table in parts(tables)
        ]

    one = drawn(0)
    assert one == drawn(0)
    assert one != drawn(1)
    assert all(first != second for first, second in zip(one[:3], one[3:], strict=True))

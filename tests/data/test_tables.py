import zlib
from collections import Counter
from dataclasses import astuple, replace

import numpy as np
import pytest

from seentwice.data import samespace
from seentwice.data.folder import FolderSource
from seentwice.data.folds import fold_photos
from seentwice.data.pairs import KINDS
from seentwice.data.sampling.mix import MixedPolicy, NegativeMix, PositiveMix
from seentwice.data.splits import Assign, SplitBy, SplitRule, split_photos
from seentwice.data.tables import (
    MixedSampling,
    SamespaceSampling,
    ViewDigests,
    make_tables,
    make_test_table,
)
from seentwice.data.views import EditChoice, plan_views
from seentwice.errors import UserError
from seentwice.records import Kind

MIX = NegativeMix(uniform=0.5, hash_weighted=0.5, same_property=0.0, same_room_type=0.0, hard=0.0)
POLICY = MixedPolicy(10_000, 10_000, PositiveMix(1.0, 1.0, 1.0), MIX)
EDITS = EditChoice(("hflip",), ("rotate",))
RULE = SplitRule(SplitBy.PROPERTY, Assign.BALANCED, 0)


def digest(plan, readable=None):
    """Hashes that follow from what a view shows, whatever other views are planned."""
    names = [f"{view.photo.key} {view.edit}" for view in plan.views]
    hashes = np.array([zlib.crc32(name.encode()) for name in names], np.uint64)
    if readable is None:
        readable = np.ones(len(plan.views), bool)
    return ViewDigests(readable, plan.photo.astype(np.uint64), hashes)


def make(photos, splits, readable=None, policy=POLICY, seed=0):
    plan = plan_views(photos, splits, EDITS, 0)
    sampling = MixedSampling("mixed", policy, policy)
    return make_tables(plan, splits, digest(plan, readable), EDITS, sampling, None, 1, seed, True)


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
    splits = fold_photos(photos, 3, RULE) if folds else (split_photos(photos, 0.3, 0.3, RULE),)
    for tables in make(photos, splits):
        for name in ("place", "property"):
            sets = [
                {getattr(view.photo, name) for view in views_of(table)} - {None}
                for table in parts(tables)
            ]
            assert sum(map(len, sets)) == len(set.union(*sets))


def test_labels_say_whether_the_place_is_the_same(photos):
    (tables,) = make(photos, [split_photos(photos, 0.3, 0.3, RULE)])
    for table in parts(tables):
        same = [
            table.views[left].photo.place == table.views[right].photo.place
            for left, right in zip(table.left, table.right, strict=True)
        ]
        assert table.label.tolist() == same
        assert {KINDS[kind] for kind in table.kind} >= {Kind.EDITED, Kind.SAME_PLACE}


def test_each_table_holds_the_copies_meant_for_it(few_rooms):
    photos = FolderSource(few_rooms).read().photos
    (tables,) = make(photos, [split_photos(photos, 0.3, 0.3, RULE)])
    edits = [{view.edit.partition(":")[0] for view in views_of(table)} for table in parts(tables)]
    assert edits == [{"", "hflip"}, {"", "rotate"}, {"", "rotate"}]


def test_unreadable_views_are_in_no_table(few_rooms):
    photos = FolderSource(few_rooms).read().photos
    splits = [split_photos(photos, 0.3, 0.3, RULE)]
    count = len(plan_views(photos, splits, EDITS, 0).views)
    readable = np.arange(count) % 5 != 0
    (tables,) = make(photos, splits, readable)
    for table in parts(tables):
        assert readable[np.union1d(table.left, table.right)].all()


def test_the_seed_decides_the_samples_and_each_table_draws_its_own(few_rooms):
    photos = FolderSource(few_rooms).read().photos
    split = split_photos(photos, 0.3, 0.3, RULE)
    few = MixedPolicy(10, 20, PositiveMix(1.0, 1.0, 1.0), MIX)

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


def rows_of(table):
    return [
        (table.views[left], table.views[right], bool(label), KINDS[kind])
        for left, right, label, kind in zip(
            table.left, table.right, table.label, table.kind, strict=True
        )
    ]


def test_the_test_table_alone_is_that_of_the_whole(few_rooms):
    photos = FolderSource(few_rooms).read().photos
    split = split_photos(photos, 0.3, 0.3, RULE)
    few = MixedPolicy(10, 20, PositiveMix(1.0, 1.0, 1.0), MIX)
    (tables,) = make(photos, [split], policy=few)
    none = np.empty(0, np.int64)
    tested = replace(split, train=none, validation=none)
    plan = plan_views(photos, [tested], EDITS, 0)
    sampling = MixedSampling("mixed", few, few)
    alone = make_test_table(plan, tested, digest(plan), EDITS, sampling, 1, 0)
    assert len(plan.views) == 2 * len(split.test)
    assert rows_of(alone) == rows_of(tables.test)


def test_samespace_makes_all_three_tables_its_own_way(few_rooms):
    photos = FolderSource(few_rooms).read().photos
    split = split_photos(photos, 0.3, 0.3, RULE)
    edits = EditChoice(samespace.EDITS[1:], samespace.EDITS[1:])
    plan = plan_views(photos, [split], edits, 0)
    (tables,) = make_tables(
        plan, [split], digest(plan), edits, SamespaceSampling("samespace"), None, 1, 0, True
    )
    for table, members in zip(
        parts(tables), (split.train, split.validation, split.test), strict=True
    ):
        # Three photos a room, each with itself and the two others, in eight edits a side.
        assert table.label.sum() == len(members) * 3 * 64
        assert (table.left == table.right).sum() == len(members) * 8
        np.testing.assert_array_equal(table.contents, plan.photo)


def test_samespace_trains_on_its_own_table_and_is_tested_on_a_mix(few_rooms):
    photos = FolderSource(few_rooms).read().photos
    split = split_photos(photos, 0.3, 0.3, RULE)
    edits = EditChoice(samespace.EDITS[1:], ())
    plan = plan_views(photos, [split], edits, 0)
    few = MixedPolicy(10, 20, PositiveMix(1.0, 1.0, 1.0), MIX)
    own, mixed = SamespaceSampling("samespace", few), MixedSampling("mixed", few, few)
    (tables,) = make_tables(plan, [split], digest(plan), edits, own, None, 1, 0, True)
    assert tables.train.label.sum() == len(split.train) * 3 * 64
    (other,) = make_tables(plan, [split], digest(plan), edits, mixed, None, 1, 0, True)
    assert rows_of(tables.validation) == rows_of(other.validation)
    assert rows_of(tables.test) == rows_of(other.test)


def test_a_model_must_not_choose_test_pairs():
    hard = replace(POLICY, negatives=replace(MIX, hard=0.1))
    with pytest.raises(UserError, match=r"evaluation.negatives.hard: must be 0"):
        MixedSampling("mixed", POLICY, hard)
    with pytest.raises(UserError, match=r"evaluation.negatives.hard: must be 0"):
        SamespaceSampling("samespace", hard)


def test_all_pairs_of_photos_are_in_one_test_table_each(few_rooms):
    photos = FolderSource(few_rooms).read().photos
    splits = fold_photos(photos, 4, RULE, all_pairs=True)
    whole = replace(splits[0], test=np.arange(len(photos)), across=None)
    (everything,), folds = make(photos, [whole]), make(photos, splits)
    assert sum((pairs_of(tables.test) for tables in folds), Counter()) == pairs_of(everything.test)


def pairs_of(table):
    """The pairs without their kinds, which are drawn."""
    return Counter(table.to_frame().drop(columns="kind").itertuples(index=False, name=None))

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from seentwice.data.pairs import list_pairs
from seentwice.errors import UserError
from seentwice.learn.batches import (
    BalancedTableBatches,
    CopyBatches,
    GrowingBatches,
    PlaceBatches,
)
from seentwice.records import Photo, View


def table(places=12, views_per_place=3, zone=None, room_types=1):
    views = tuple(
        View(
            Photo(Path(f"{p}_{k}"), f"{p}_{k}", f"r/{p}", room_type=f"{p % room_types}", zone=zone)
        )
        for p in range(places)
        for k in range(views_per_place)
    )
    return list_pairs(views)


def named_pairs(batches):
    return [
        (int(batch.views[a]), int(batch.views[b]), bool(y))
        for batch in batches
        for a, b, y in zip(batch.left, batch.right, batch.label, strict=True)
    ]


@pytest.mark.parametrize("views_per_batch", [1, 7, 36, 100])
def test_growing_batches_hold_every_view_and_every_pair_once(views_per_batch):
    pairs = table()
    seen, found = [], []
    for batch in GrowingBatches(pairs, views_per_batch):
        assert len(batch.views) <= views_per_batch
        seen += batch.views.tolist()
        sides = [[seen[index] for index in side] for side in (batch.left, batch.right)]
        found += zip(*sides, batch.label.tolist(), strict=True)
    assert seen == list(range(36))
    every = zip(pairs.left.tolist(), pairs.right.tolist(), pairs.label.tolist(), strict=True)
    assert sorted(found) == sorted(every)
    assert len(found) == len(pairs)


def test_a_balanced_epoch_holds_every_positive_once_and_as_many_negatives():
    pairs = table()
    epoch = named_pairs(BalancedTableBatches(pairs, 10, seed=0, epoch=0))
    positives = [pair for pair in epoch if pair[2]]
    assert len(positives) == len(set(positives)) == pairs.label.sum()
    assert len(epoch) == len(set(epoch)) == 2 * len(positives)


def test_epochs_differ_and_repeat_exactly():
    pairs = table()
    epochs = [named_pairs(BalancedTableBatches(pairs, 10, 0, e)) for e in (0, 1, 0)]
    assert epochs[0] == epochs[2] != epochs[1]


def test_a_view_is_in_a_batch_once():
    for batch in PlaceBatches(table(), 4, 3, 0.5, 5, seed=0, epoch=0):
        assert len(set(batch.views.tolist())) == len(batch.views) == 12


def test_place_batches_hold_all_pairs_among_their_views():
    batches = PlaceBatches(table(), 4, 2, 0.5, 6, seed=1, epoch=0)
    for batch in batches:
        assert len(batch.label) == 8 * 7 // 2
        place = batch.views // 3
        assert torch.equal(place[batch.left] == place[batch.right], batch.label)
        assert int(batch.label.sum()) == 4


def test_place_batches_leave_out_other_places_of_one_zone():
    pairs = table(zone=None)
    shared = tuple(
        View(Photo(v.photo.path, v.photo.key, v.photo.place, zone="z")) for v in pairs.views
    )
    zoned = type(pairs)(shared, pairs.left, pairs.right, pairs.label, pairs.kind)
    for batch in PlaceBatches(zoned, 4, 2, 0.5, 3, seed=0, epoch=0):
        assert batch.label.all()


def test_place_batches_push_no_equal_pixels_apart():
    pairs = table()
    # The first photos of places 2n and 2n + 1 have the same pixels.
    contents = np.arange(36, dtype=np.uint64)
    contents[3::6] = contents[0::6]
    copied = replace(pairs, contents=contents)
    places, left_out = torch.arange(36) // 3, 0
    for batch in PlaceBatches(copied, 12, 3, 0.5, 5, seed=0, epoch=0):
        left, right = batch.views[batch.left], batch.views[batch.right]
        held = torch.from_numpy(contents)
        assert torch.equal(places[left] == places[right], batch.label)
        assert not (held[left] == held[right]).any()
        left_out += 36 * 35 // 2 - len(batch.label)
    assert left_out == 5 * 6


def test_place_batches_repeat_exactly():
    runs = [named_pairs(PlaceBatches(table(), 4, 2, 0.5, 6, 3, 7)) for _ in range(2)]
    assert runs[0] == runs[1]


def room_types_of(batches, room_types):
    """The room types in every batch of `table(room_types=...)`, by the views' numbers."""
    return [{int(view) // 3 % room_types for view in batch.views} for batch in batches]


def test_a_share_of_the_place_batches_holds_one_room_type():
    pairs = table(room_types=3)

    def mixed(share):
        batches = PlaceBatches(pairs, 4, 3, share, 200, seed=0, epoch=0)
        return sum(len(types) > 1 for types in room_types_of(batches, 3))

    assert mixed(1.0) == 0
    # 4 of 12 places by chance of one type, 4 each: 3 of 495 draws
    assert mixed(0.0) > 190
    assert 70 < mixed(0.5) < 130


def test_one_room_type_is_filled_up_with_others():
    pairs = table(room_types=6)
    for batch in PlaceBatches(pairs, 5, 3, 1.0, 10, seed=0, epoch=0):
        place = batch.views // 3
        assert len(place.unique()) == 5
        assert place.unique().remainder(6).bincount().max() == 2


def test_place_batches_take_photos_without_a_room_type():
    views = tuple(View(Photo(Path(f"{i}"), f"{i}", f"r/{i // 3}")) for i in range(36))
    pairs = table()
    bare = type(pairs)(views, pairs.left, pairs.right, pairs.label, pairs.kind)
    assert [len(b.views) for b in PlaceBatches(bare, 4, 3, 0.5, 3, 0, 0)] == [12] * 3


def table_of_copies(photos=10, places=10, edits=("hflip", "rotate:5"), zone=None):
    """Each photo as it is and edited; photo p is of place p % places."""
    return list_pairs(
        tuple(
            View(Photo(Path(f"{p}"), f"{p}", f"r/{p % places}", zone=zone), edit)
            for p in range(photos)
            for edit in ("", *edits)
        )
    )


def test_copy_batches_hold_photos_beside_one_copy_and_all_pairs_among_them():
    pairs = table_of_copies()
    copies = set()
    for batch in CopyBatches(pairs, 4, 20, seed=0, epoch=0):
        photo, edit = batch.views // 3, batch.views % 3
        assert len(batch.views) == 8
        assert torch.bincount(photo, minlength=10).unique().tolist() == [0, 2]
        assert int((edit == 0).sum()) == 4
        copies |= set(batch.views[edit > 0].tolist())
        assert len(batch.label) == 8 * 7 // 2
        assert torch.equal(photo[batch.left] == photo[batch.right], batch.label)
    assert len(copies) == 20  # every copy has its turn


def test_copy_batches_push_no_photos_of_one_place_or_zone_apart():
    for batch in CopyBatches(table_of_copies(places=5), 10, 5, seed=0, epoch=0):
        place, photo = batch.views // 3 % 5, batch.views // 3
        assert not (place[batch.left] == place[batch.right])[~batch.label].any()
        assert torch.equal(photo[batch.left] == photo[batch.right], batch.label)
        assert len(batch.label) == 20 * 19 // 2 - 5 * 4
    for batch in CopyBatches(table_of_copies(zone="z"), 10, 5, seed=0, epoch=0):
        assert batch.label.all()
        assert len(batch.label) == 10


def test_copy_batches_push_no_equal_pixels_apart():
    pairs = table_of_copies()
    # Photos 8 and 9 have the same pixels; photo 0 is in no pair.
    contents = np.repeat(np.array([*range(9), 8], np.uint64), 3)
    kept = replace(pairs, contents=contents).take((pairs.left > 2) & (pairs.right > 2))
    for batch in CopyBatches(kept, 10, 5, seed=0, epoch=0):
        photo = batch.views // 3
        left, right = photo[batch.left], photo[batch.right]
        assert torch.equal(left == right, batch.label)
        assert not ((left >= 8) & (right >= 8))[~batch.label].any()
        assert len(batch.label) == 18 * 17 // 2 - 4


def test_copy_batches_differ_and_repeat_exactly():
    runs = [named_pairs(CopyBatches(table_of_copies(), 4, 2, 3, epoch)) for epoch in (0, 1, 0)]
    assert runs[0] == runs[2] != runs[1]


def test_another_epoch_of_the_same_batches_is_that_of_new_ones():
    makers = (
        lambda epoch: PlaceBatches(table(), 4, 2, 0.5, 6, 3, epoch),
        lambda epoch: CopyBatches(table_of_copies(), 4, 2, 3, epoch),
    )
    for make in makers:
        batches = make(0)
        first = named_pairs(batches)
        batches.epoch = 1
        assert named_pairs(batches) == named_pairs(make(1)) != first


def test_copy_batches_use_photos_that_have_a_copy_in_the_table_alone():
    pairs = table_of_copies(edits=())
    with pytest.raises(UserError, match="no training photo has an edited copy: give edits=mls"):
        CopyBatches(pairs, 4, 2, seed=0, epoch=0)
    few = table_of_copies(edits=("hflip",))
    # The copy of photo 0, and photo 1 as it is, are in no pair.
    named = ~np.isin([few.left, few.right], [1, 2]).any(axis=0)
    kept = type(few)(
        few.views, few.left[named], few.right[named], few.label[named], few.kind[named]
    )
    for batch in CopyBatches(kept, 10, 3, seed=0, epoch=0):
        assert sorted(batch.views.tolist()) == list(range(4, 20))

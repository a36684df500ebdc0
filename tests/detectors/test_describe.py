from pathlib import Path

import numpy as np
import pytest
from grey_photos import BROKEN, Level, Size, make_views, run, value_of

from seentwice.bank.bank import open_bank
from seentwice.detectors import describe, filling
from seentwice.errors import UserError
from seentwice.records import Reason, Unreadable


def test_a_photo_is_decoded_once_whatever_its_views_and_descriptors(disk):
    run(make_views(), [Level(), Size()])
    assert sorted(disk.decoded) == [str(n) for n in range(8)]
    assert disk.max_pixels == {1000}
    assert sorted(disk.edited) == ["plus:1"] * 6 + ["plus:7"] * 6  # a view as it is has no edit


@pytest.mark.parametrize("batch", [1, 2, 5, 1000])
@pytest.mark.parametrize("workers", [1, 2, 7])
def test_row_i_belongs_to_view_i_for_all_workers_and_batches(disk, monkeypatch, workers, batch):
    monkeypatch.setattr(filling, "BATCH", batch)
    views = make_views()
    described = run(views, workers=workers)
    readable = np.array([view.photo.path.name not in BROKEN for view in views])
    values = np.array([value_of(view) for view in views]) * readable
    assert set(described.rows) == {"level", "size"}
    np.testing.assert_array_equal(described.rows["level"], np.stack([values, values / 2], axis=1))
    np.testing.assert_array_equal(described.rows["size"], readable[:, None] * [4, 3])
    np.testing.assert_array_equal(described.readable, readable)


@pytest.mark.parametrize("batch", [1, 2, 5, 1000])
def test_what_is_of_unedited_views_alone_looks_at_no_edited_one(disk, monkeypatch, batch):
    monkeypatch.setattr(filling, "BATCH", batch)
    views, level = make_views(), Level()
    described = run(views, [Size()], unedited=[level])
    readable = np.array([view.photo.path.name not in BROKEN for view in views])
    unedited = np.array([view.edit == "" for view in views])
    values = np.array([value_of(view) for view in views]) * (readable & unedited)
    np.testing.assert_array_equal(described.rows["level"][:, 0], values)
    np.testing.assert_array_equal(described.rows["size"], readable[:, None] * [4, 3])
    np.testing.assert_array_equal(described.readable, readable)
    assert sum(level.blocks) == (readable & unedited).sum() == 6


def test_unreadable_photos_are_listed_in_order_once(disk):
    described = run(make_views(), workers=3)
    assert described.unreadable == tuple(
        Unreadable(Path(name), Reason.TRUNCATED, "the end is missing") for name in BROKEN
    )


def test_nothing_readable_is_an_error_that_names_the_first(disk):
    disk.broken = ("0", "1")
    with pytest.raises(UserError, match=r"none of 2 photos could be read; the first: 0: truncated"):
        run(make_views(photos=2))
    with pytest.raises(UserError, match=r"none of 0 photos could be read$"):
        run([])


def test_progress_counts_photos_unreadable_ones_too(disk):
    told = []
    run(make_views(), on_progress=lambda *counts: told.append(counts))
    assert told == [(n, 8) for n in range(1, 9)]


def test_an_error_of_a_descriptor_is_not_taken_for_an_unreadable_photo(disk):
    class Wrong(Level):
        def look(self, image):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(make_views(), [Wrong()])


def test_other_settings_of_the_decoder_are_another_recipe(disk, tmp_path, monkeypatch):
    disk.broken = ()
    bank = open_bank(tmp_path, 1)
    run(make_views(photos=2), bank=bank)
    disk.decoded.clear()
    monkeypatch.setattr(describe, "DECODING", (("photos", "2"),))
    run(make_views(photos=2), bank=bank)
    assert sorted(disk.decoded) == ["0", "1"]


def test_photos_that_are_decoded_smaller_are_another_recipe(disk, tmp_path):
    disk.broken = ()
    bank = open_bank(tmp_path, 1)
    views = make_views(photos=2, edits=("",))
    run(views, bank=bank)
    assert disk.sizes == {None}
    disk.decoded.clear()
    for size in ((4, 3), (8, 6)):
        run(views, bank=bank, at_least=size)
    assert (sorted(disk.decoded), disk.sizes) == (["0", "0", "1", "1"], {None, (4, 3), (8, 6)})


def test_edits_are_made_of_whole_photos(disk):
    with pytest.raises(ValueError, match="decoded in full"):
        run(make_views(), at_least=(4, 3))


def test_a_full_bank_is_told_before_anything_is_decoded(disk):
    with pytest.raises(UserError, match=r"bank\.max_gb=1e-08: .* are needed"):
        run(make_views(), bank=open_bank(None, 1e-8))
    assert disk.decoded == []

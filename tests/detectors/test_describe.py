import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seentwice.bank.bank import open_bank
from seentwice.bank.entries import list_entries, remove_entry
from seentwice.bank.recipe import Recipe
from seentwice.detectors import describe, filling
from seentwice.detectors.describe import describe_views
from seentwice.errors import UserError
from seentwice.photos import PhotoError
from seentwice.records import Photo, Reason, Unreadable, View

BROKEN = ("2", "5")


def make_views(photos=8, edits=("", "plus:1", "plus:7")):
    return [
        View(Photo(Path(str(n)), f"{n}.jpg", f"room/{n}"), edit)
        for n in range(photos)
        for edit in edits
    ]


def value_of(view):
    """What every pixel of a view is: 10 a photo, plus what the edit says."""
    return 10 * int(view.photo.path.name) + int(view.edit.partition(":")[2] or 0)


class Disk:
    """Stands in for files: photo n is grey of level 10 n."""

    def __init__(self, broken=BROKEN):
        self.broken = broken
        self.decoded = []
        self.max_pixels = set()
        self.sizes = set()
        self.edited = []

    def read_photo(self, path, max_pixels, at_least):
        self.sizes.add(at_least)
        self.decoded.append(path.name)
        self.max_pixels.add(max_pixels)
        if path.name in self.broken:
            raise PhotoError(Unreadable(path, Reason.TRUNCATED, "the end is missing"))
        return Image.new("RGB", (4, 3), (10 * int(path.name),) * 3)

    def apply_edit(self, image, text):
        self.edited.append(text)
        return image.point(lambda level: level + int(text.partition(":")[2]))


class Level:
    """The grey level, twice: first as it is seen, then halved."""

    name = "level"
    recipe = Recipe(name, (), (2,), "float64")

    def __init__(self):
        self.blocks = []

    def look(self, image):
        return np.array([image.getpixel((1, 1))[0]], dtype=np.uint8)

    def finish(self, looks):
        self.blocks.append(len(looks))
        return np.hstack([looks, looks / 2])


class Size:
    name = "size"
    recipe = Recipe(name, (), (2,), "int64")

    def look(self, image):
        return np.array(image.size)

    def finish(self, looks):
        return looks


@pytest.fixture
def disk(monkeypatch):
    stand_in = Disk()
    monkeypatch.setattr(filling, "read_photo", stand_in.read_photo)
    monkeypatch.setattr(filling, "apply_edit", stand_in.apply_edit)
    monkeypatch.setattr(filling, "digest_file", lambda path: f"{path.name}.jpg".encode().ljust(32))
    return stand_in


def contents_of(views):
    return [view.photo.key.encode().ljust(32) for view in views]


def run(
    views,
    descriptors=None,
    workers=2,
    on_progress=lambda done, total: None,
    bank=None,
    unedited=(),
    at_least=None,
    contents=None,
    on_wait=None,
):
    return describe_views(
        views,
        contents or contents_of(views),
        descriptors or [Level(), Size()],
        bank or open_bank(None, 1),
        "noise",
        workers,
        1000,
        on_progress,
        unedited,
        at_least,
        on_wait,
    )


def recipe_of(descriptor):
    """Return the recipe by which the bank keeps its rows."""
    parts = *descriptor.recipe.parts, *describe.DECODING, ("max_pixels", "1000")
    return replace(descriptor.recipe, parts=parts)


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


def test_a_photo_that_is_slow_to_decode_keeps_its_place(disk, monkeypatch):
    later = threading.Event()

    def read_photo(path, max_pixels, at_least):
        if path.name == "0":
            assert later.wait(timeout=60)
        later.set()
        return Disk(broken=()).read_photo(path, max_pixels, at_least)

    monkeypatch.setattr(filling, "read_photo", read_photo)
    views = make_views(photos=4)
    assert run(views).rows["level"][:, 0].tolist() == [value_of(view) for view in views]


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


def test_photos_are_finished_in_batches(disk, monkeypatch):
    monkeypatch.setattr(filling, "BATCH", 6)
    disk.broken = ()
    level = Level()
    run(make_views(photos=5), [level])
    assert level.blocks == [6, 6, 3]  # three views a photo: a photo is never cut in two


def test_a_descriptor_with_threads_keeps_them_and_gets_looks_for_all_of_them(disk, monkeypatch):
    class Threaded(Level):
        looks_at_once = 7
        entered = 0

        def __enter__(self):
            self.entered += 1

        def __exit__(self, *error):
            self.blocks.append("left")

    monkeypatch.setattr(filling, "BATCH", 2)
    disk.broken = ()
    level = Threaded()
    run(make_views(photos=5), [level])
    assert level.entered == 1
    assert level.blocks == [7, 7, 1, "left"]


def test_only_a_bounded_number_of_photos_is_decoded_ahead(disk):
    ahead = []
    disk.broken = ()
    run(
        make_views(photos=25, edits=("",)),
        workers=2,
        on_progress=lambda done, total: ahead.append(len(disk.decoded) - done),
    )
    assert max(ahead) <= 4 * 2


def test_an_error_of_a_descriptor_is_not_taken_for_an_unreadable_photo(disk):
    class Wrong(Level):
        def look(self, image):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(make_views(), [Wrong()])


def test_what_the_bank_has_is_neither_decoded_nor_computed_again(disk, tmp_path):
    bank = open_bank(tmp_path, 1)
    first = run(make_views(), bank=bank)
    disk.decoded.clear()
    level = Level()
    again = run(make_views(), [level, Size()], bank=open_bank(tmp_path, 1))
    assert disk.decoded == list(BROKEN)  # which gave nothing that could be kept
    assert level.blocks == []
    for name, rows in first.rows.items():
        np.testing.assert_array_equal(again.rows[name], rows)
    np.testing.assert_array_equal(again.readable, first.readable)
    assert again.unreadable == first.unreadable
    assert (first.decoded, again.decoded) == (8 - len(BROKEN), 0)


def test_only_what_is_missing_is_computed(disk, tmp_path):
    disk.broken = ()
    bank = open_bank(tmp_path, 1)
    run(make_views(photos=3, edits=("",)), [Level()], bank=bank)
    disk.decoded.clear()
    level = Level()
    views = make_views(photos=4, edits=("", "plus:1"))
    described = run(views, [level, Size()], bank=bank)
    assert sorted(disk.decoded) == ["0", "1", "2", "3"]
    assert disk.edited == ["plus:1"] * 4
    assert described.decoded == 4
    assert sum(level.blocks) == 5  # an edited view of each photo, and the fourth as it is
    assert described.rows["level"][:, 0].tolist() == [value_of(view) for view in views]


def test_a_fill_that_was_stopped_goes_on_where_it_was(disk, tmp_path, monkeypatch):
    monkeypatch.setattr(filling, "BATCH", 3)
    disk.broken = ()

    def stop(done, total):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(make_views(), bank=open_bank(tmp_path, 1), on_progress=stop)
    disk.decoded.clear()
    views = make_views()
    described = run(views, bank=open_bank(tmp_path, 1))
    assert sorted(disk.decoded) == ["5", "6", "7"]
    assert described.rows["level"][:, 0].tolist() == [value_of(view) for view in views]


@pytest.fixture
def copies(disk, monkeypatch):
    """Views of photos 1 to 4, of which the first three have the same bytes."""
    views = make_views(photos=5, edits=("",))[1:]
    contents = [b"same", b"same", b"same", b"other"]
    of_path = {view.photo.path: content for view, content in zip(views, contents, strict=True)}
    monkeypatch.setattr(filling, "digest_file", of_path.__getitem__)
    return views, contents


def test_files_of_the_same_bytes_share_a_row(disk, copies, tmp_path):
    disk.broken = ()
    level, told = Level(), []
    views, contents = copies
    described = run(
        views,
        [level],
        bank=open_bank(tmp_path, 1),
        contents=contents,
        on_progress=lambda *counts: told.append(counts),
    )
    assert (sorted(disk.decoded), level.blocks, described.decoded) == (["1", "4"], [2], 2)
    assert told == [(1, 2), (2, 2)]
    assert described.rows["level"][:, 0].tolist() == [10, 10, 10, 40]
    assert described.readable.all()
    assert [entry.rows for entry in list_entries(tmp_path)] == [2]


def test_a_copy_is_looked_at_where_the_first_file_gives_none(disk, copies):
    disk.broken = ("1",)
    views, contents = copies
    described = run(views, [Level()], contents=contents)
    assert described.rows["level"][:, 0].tolist() == [20, 20, 20, 40]
    assert described.readable.all()
    assert described.unreadable == ()


def test_copies_that_give_none_are_all_listed(disk, copies):
    disk.broken = ("1", "2", "3")
    views, contents = copies
    described = run(views, [Level()], contents=contents)
    assert described.readable.tolist() == [False, False, False, True]
    assert [file.path.name for file in described.unreadable] == ["1", "2", "3"]
    assert disk.decoded.count("1") == 1


def test_recipes_that_lack_no_rows_are_left_to_other_processes(disk, tmp_path):
    bank = open_bank(tmp_path, 1)
    disk.broken = ()
    views = make_views(photos=2)
    run(views, [Level()], bank=bank)

    def fail():
        raise AssertionError

    with bank.alone([recipe_of(Level())], fail):
        described = run(views, [Level(), Size()], bank=open_bank(tmp_path, 1), on_wait=fail)
    assert described.readable.all()


def test_that_another_process_fills_the_bank_is_told_once(disk, tmp_path):
    bank = open_bank(tmp_path, 1)
    disk.broken = ()
    waits, told = [], []
    with ExitStack() as other:
        other.enter_context(bank.alone([recipe_of(Level())], lambda: None))

        def on_progress(*counts):
            told.append(counts)
            if told == [(0, 0), (0, 0)]:
                other.close()

        run(
            make_views(photos=2),
            [Level()],
            bank=open_bank(tmp_path, 1),
            on_progress=on_progress,
            on_wait=lambda: waits.append(len(told)),
        )
    assert waits == [0]
    assert told == [(0, 0), (0, 0), (1, 2), (2, 2)]


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


def test_a_file_that_changed_since_it_was_fingerprinted_is_not_kept(disk, monkeypatch):
    monkeypatch.setattr(
        filling,
        "digest_file",
        lambda path: b"other" if path.name == "3" else f"{path.name}.jpg".encode().ljust(32),
    )
    disk.broken = ()
    described = run(make_views())
    (file,) = described.unreadable
    assert (file.path, file.reason, file.detail) == (
        Path("3"),
        Reason.DAMAGED,
        "the file changed during the run",
    )
    assert described.readable.sum() == 7 * 3


def test_a_file_that_is_gone_after_it_was_read_is_listed(disk, monkeypatch):
    def digest_file(path):
        if path.name == "3":
            raise FileNotFoundError
        return f"{path.name}.jpg".encode().ljust(32)

    monkeypatch.setattr(filling, "digest_file", digest_file)
    disk.broken = ()
    described = run(make_views())
    assert [file.path for file in described.unreadable] == [Path("3")]
    assert described.readable.sum() == 7 * 3


def test_rows_that_are_thrown_away_during_the_run_are_no_zeros(disk, tmp_path):
    disk.broken = ()
    bank = open_bank(tmp_path, 1)
    run(make_views(photos=4), bank=bank)

    def clear(done, total):
        for entry in list_entries(tmp_path):
            remove_entry(entry)
            for file in entry.segment.parent.glob("*.keys"):
                file.unlink()

    with pytest.raises(UserError, match="rows were taken out during the run"):
        run(make_views(photos=5), bank=bank, on_progress=clear)


def test_a_full_bank_is_told_before_anything_is_decoded(disk):
    with pytest.raises(UserError, match=r"bank\.max_gb=1e-08: .* are needed"):
        run(make_views(), bank=open_bank(None, 1e-8))
    assert disk.decoded == []

import os
import sqlite3
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photo_rows import META, make_row, make_unreadable, read_all

from seentwice.errors import UserError
from seentwice.index import batches as batches_module
from seentwice.index import compaction as compaction_module
from seentwice.index import memos
from seentwice.index.batches import list_batches
from seentwice.index.database import FILE
from seentwice.index.store import PhotoStore

KEYS = [f"city/{number:02d}.jpg" for number in range(20)]
ODD_KEYS = [
    "line\nend.jpg",
    "tab\tand \x1b[31m.jpg",
    os.fsdecode(b"caf\xe9.jpg"),
    "küche/Ω/家.jpg",
    "a" * 255,
    "/".join(["b" * 255] * 12),
    "a b'\"; DROP TABLE batch.jpg",
    " ",
]


def forbid_waiting():
    raise AssertionError("nobody else writes")


def open_store(folder, meta=META):
    return PhotoStore.open(folder, meta, forbid_waiting)


def shrink_batches(patch):
    """Let a few rows fill a batch, so that there is always something to merge."""
    patch.setattr(batches_module, "BATCH_ROWS", 8)
    patch.setattr(batches_module, "_MERGED_ROWS", 16)
    patch.setattr(batches_module, "_LIGHT_BATCHES", 3)


def test_a_new_table_is_empty(tmp_path):
    with open_store(tmp_path / "deep" / "index") as store:
        assert read_all(store) == {}
        assert len(store.scan(["hash_dhash"])) == 0
        assert store.list_fingerprints() == []


def test_rows_come_back_as_they_were_and_in_the_order_of_their_keys_bytes(tmp_path):
    rows = [make_row(key) for key in ODD_KEYS] + [make_unreadable("z\udcff")]
    with open_store(tmp_path) as store:
        store.write(rows[::2])
        store.write(rows[1::2])
    with open_store(tmp_path) as store:
        assert read_all(store) == {row.key: row for row in rows}
        columns = store.read_columns([])
        found = [columns.key(index) for index in range(len(columns))]
    assert found == sorted(found, key=os.fsencode)


def test_a_stored_column_has_the_rows_that_its_places_name(tmp_path):
    with open_store(tmp_path) as store:
        store.write([make_row(key) for key in KEYS])
        store.write([make_row(KEYS[3], 1)], removed=[KEYS[5]])
        with store.snapshot():
            columns = store.scan(["hash_dhash", "signature"])
            rows = store.read_rows(columns.places)
    assert len(rows) == len(KEYS) - 1
    assert columns["hash_dhash"].dtype == np.uint64
    assert columns["hash_dhash"].tolist() == [row.hashes[0] for row in rows]
    assert columns["signature"].shape == (len(rows), 4)
    assert [each.tobytes() for each in columns["signature"]] == [row.signature for row in rows]


def test_rows_are_read_at_any_places_in_their_order(tmp_path):
    with open_store(tmp_path) as store:
        store.write([make_row(key) for key in KEYS])
        places = store.read_columns([]).places
        found = store.read_rows(places[[7, 2, 2, 19]])
        assert [row.key for row in found] == [KEYS[7], KEYS[2], KEYS[2], KEYS[19]]
        assert store.read_rows(places[:0]) == []


def test_a_row_that_was_replaced_is_not_read_by_its_old_place(tmp_path):
    with open_store(tmp_path) as store:
        store.write([make_row(KEYS[0])])
        places = store.read_columns([]).places
        store.write([make_row(KEYS[0], 1)])
        with pytest.raises(KeyError, match="gone"):
            store.read_rows(places)


def test_keys_are_found_with_one_search(tmp_path):
    with open_store(tmp_path) as store:
        store.write([make_row(key) for key in KEYS + ODD_KEYS])
        columns = store.read_columns([])
        asked = [*ODD_KEYS, "none", KEYS[0], ""]
        rows = columns.find(asked)
        assert rows[[-1, -3]].tolist() == [-1, -1]
        assert [columns.key(row) for row in rows if row >= 0] == [*ODD_KEYS, KEYS[0]]
        assert columns.find([]).tolist() == []


def test_every_change_changes_the_generation_and_reading_does_not(tmp_path):
    with open_store(tmp_path / "a") as store, open_store(tmp_path / "b") as other:
        seen = [store.generation(), other.generation()]
        store.write([make_row(KEYS[0])])
        seen.append(store.generation())
        store.write([], removed=[KEYS[0]])
        seen.append(store.generation())
        assert store.scan([]).generation == store.generation() == seen[-1]
    assert len(set(seen)) == 4


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"hashes": (1,)}, r"'a': 1 hashes, not \('dhash', 'phash'\)"),
        ({"signature": b"12345"}, "5 bytes: give 4 or none"),
        ({"sha256": b"12"}, "2 bytes: give 32 or none"),
        ({"signature": b""}, "hashes and signature come together"),
    ],
)
def test_a_row_of_another_shape_is_refused_whole(tmp_path, change, told):
    fields = {name: getattr(make_row("a"), name) for name in make_row("a").__slots__}
    with open_store(tmp_path) as store:
        with pytest.raises(ValueError, match=told):
            store.write([make_row("b"), type(make_row("a"))(**{**fields, **change})])
        assert read_all(store) == {}


def test_two_rows_of_one_key_in_one_call_are_refused(tmp_path):
    with open_store(tmp_path) as store, pytest.raises(ValueError, match="two rows have one key"):
        store.write([make_row("a"), make_row("a", 1)])


writes = st.tuples(
    st.lists(st.tuples(st.sampled_from(KEYS), st.booleans()), unique_by=lambda row: row[0]),
    st.lists(st.sampled_from(KEYS), max_size=4),
)


@settings(max_examples=20, deadline=None)
@given(operations=st.lists(st.one_of(writes, st.none()), max_size=12))
def test_a_table_is_a_dictionary(tmp_path_factory, operations):
    folder, expected = tmp_path_factory.mktemp("index"), {}
    with pytest.MonkeyPatch.context() as patch:
        shrink_batches(patch)
        store = open_store(folder)
        for version, operation in enumerate(operations):
            if operation is None:
                store.close()
                store = open_store(folder)
                continue
            chosen, removed = operation
            rows = [
                make_row(key, version) if is_photo else make_unreadable(key, version)
                for key, is_photo in chosen
            ]
            for key in removed:
                expected.pop(key, None)
            expected.update({row.key: row for row in rows})
            store.write(rows, removed)
            assert read_all(store) == expected
            check_waste(store)
        store.close()


def check_waste(store):
    """No more than a third is dead, besides a quarter of a batch, and small batches are few."""
    with store.snapshot():
        found = list_batches(store._database.connection)
    live, dead = sum(each.live for each in found), sum(each.rows - each.live for each in found)
    assert dead <= live / 3 + batches_module.BATCH_ROWS / 4
    assert sum(each.is_light for each in found) < batches_module._LIGHT_BATCHES


def test_a_snapshot_stays_as_it_was_while_another_writes_and_merges(tmp_path, monkeypatch):
    shrink_batches(monkeypatch)
    with open_store(tmp_path) as store, open_store(tmp_path) as other:
        store.write([make_row(key) for key in KEYS[:3]])
        with store.snapshot():
            places = store.scan([]).places
            for version, key in enumerate(KEYS):
                other.write([make_row(key, version + 1)])
            assert [row.key for row in store.read_rows(places)] == KEYS[:3]
        assert set(store.scan([]).places.tolist()).isdisjoint(places.tolist())


def test_within_a_snapshot_nothing_is_written(tmp_path):
    with open_store(tmp_path) as store, store.snapshot():
        with pytest.raises(RuntimeError, match="before or after"):
            store.write([make_row("a")])
        assert read_all(store) == {}


def test_a_file_becomes_smaller_once_its_rows_are_gone(tmp_path, monkeypatch):
    monkeypatch.setattr(compaction_module, "_SPARE_PAGES", 16)
    keys = [f"{number:05d}" for number in range(5_000)]
    with open_store(tmp_path) as store:
        store.write([make_row(key) for key in keys])
        store.write([], removed=keys[1:])
        assert list(read_all(store)) == keys[:1]
    assert (tmp_path / "photos.sqlite").stat().st_size < 500_000


def test_a_memo_is_kept_until_another_takes_its_place(tmp_path, monkeypatch):
    with open_store(tmp_path) as store:
        assert store.read_memo("one") is None
        store.write_memo("one", b"first")
        store.write_memo("other", b"")
        store.write_memo("one", b"second")
    with open_store(tmp_path) as store:
        assert store.read_memo("one") == b"second"
        assert store.read_memo("other") == b""
        monkeypatch.setattr(memos, "MOST_BYTES", 3)
        store.write_memo("one", b"more")
        assert store.read_memo("one") is None


def test_a_memo_that_is_not_what_was_written_is_told(tmp_path):
    with open_store(tmp_path) as store:
        store.write_memo("one", b"first")
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.execute("UPDATE memos SET value = ?", (b"fist",))
    with (
        open_store(tmp_path) as store,
        pytest.raises(UserError, match=r"damaged \(memo one\); delete this folder"),
    ):
        store.read_memo("one")

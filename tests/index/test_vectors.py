import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photo_rows import META, make_row

from seentwice.dedupe.same_pixels import PIXELS
from seentwice.index import vectors as vectors_module
from seentwice.index.store import PhotoStore


def open_store(folder):
    return PhotoStore.open(folder, META, lambda: None)


def digests_of(numbers):
    joined = b"".join(hashlib.sha256(b"%d" % number).digest() for number in numbers)
    return np.frombuffer(joined, np.uint8).reshape(len(numbers), 32)


def vectors_of(numbers, dtype=np.float16):
    return np.array([[number, number / 2, -number] for number in numbers], dtype).reshape(-1, 3)


def files_of(rows):
    return np.frombuffer(b"".join(row.sha256 for row in rows), np.uint8).reshape(-1, 32)


@settings(max_examples=15, deadline=None)
@given(
    writes=st.lists(st.tuples(st.sampled_from("ab"), st.lists(st.integers(0, 30), max_size=6))),
    asked=st.lists(st.integers(0, 40), max_size=20),
)
def test_rows_are_those_of_a_dictionary_for_each_fingerprint(tmp_path_factory, writes, asked):
    with pytest.MonkeyPatch.context() as patch, open_store(tmp_path_factory.mktemp("i")) as store:
        patch.setattr(vectors_module, "_SMALL_BATCHES", 3)
        known = {"a": set(), "b": set()}
        for fingerprint, numbers in writes:
            store.write_embeddings(fingerprint, digests_of(numbers), vectors_of(numbers))
            known[fingerprint].update(numbers)
        assert store.list_fingerprints() == [name for name in "ab" if known[name]]
        for name in "ab":
            rows, is_there = store.read_embeddings(name, digests_of(asked))
            expected = [number in known[name] for number in asked]
            np.testing.assert_array_equal(is_there, expected)
            np.testing.assert_array_equal(store.has_embeddings(name, digests_of(asked)), expected)
            kept = [n * there for n, there in zip(asked, expected, strict=True)]
            if any(expected):
                np.testing.assert_array_equal(rows, vectors_of(kept))
                assert rows.dtype == np.float16
            else:
                assert rows.shape == (len(asked), 0)


def test_of_a_fingerprint_without_rows_none_is_there(tmp_path):
    with open_store(tmp_path) as store:
        rows, is_there = store.read_embeddings("a", digests_of([1, 2]))
    assert rows.shape == (2, 0)
    assert not is_there.any()


@pytest.mark.parametrize(
    "rows", [vectors_of([1], np.float32), vectors_of([1])[:, :2], vectors_of([1, 2]), np.ones(1)]
)
def test_rows_of_another_shape_are_refused(tmp_path, rows):
    with open_store(tmp_path) as store:
        store.write_embeddings("a", digests_of([1]), vectors_of([1]))
        with pytest.raises(ValueError, match=r"rows \("):
            store.write_embeddings("a", digests_of([1]), rows)


def test_digests_of_pixels_are_kept_like_embeddings(tmp_path):
    photos, pixels = digests_of([1, 2]), digests_of([3, 4])
    with open_store(tmp_path) as store:
        store.write_embeddings(PIXELS, photos[:0], pixels[:0])
        assert store.list_fingerprints() == []
        store.write_embeddings(PIXELS, photos, pixels)
    with open_store(tmp_path) as store:
        found, is_there = store.read_embeddings(PIXELS, digests_of([2, 5, 1]))
    assert is_there.tolist() == [True, False, True]
    np.testing.assert_array_equal(found[is_there], pixels[::-1])


def test_a_moved_photo_keeps_its_row_and_a_replaced_one_loses_it(tmp_path, monkeypatch):
    monkeypatch.setattr(vectors_module, "_SPARE_ROWS", 0)
    old, other = make_row("a/old.jpg"), make_row("b.jpg")
    moved = type(old)(**{**{n: getattr(old, n) for n in old.__slots__}, "key": "moved.jpg"})
    replaced = make_row("b.jpg", 1)
    with open_store(tmp_path) as store:
        store.write([old, other])
        for _ in range(2):
            store.write_embeddings("a", files_of([old, other]), vectors_of([1, 2]))
        store.write([moved, replaced], removed=[old.key])
        store.write_embeddings("a", files_of([replaced]), vectors_of([3]))
        rows, is_there = store.read_embeddings("a", files_of([moved, replaced, other]))
    assert is_there.tolist() == [True, True, False]
    np.testing.assert_array_equal(rows, vectors_of([1, 3, 0]))


def test_rows_of_photos_that_are_gone_do_not_grow_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(vectors_module, "_SPARE_ROWS", 4)
    with open_store(tmp_path) as store:
        for version in range(20):
            rows = [make_row("a", version), make_row("b", version)]
            store.write(rows)
            store.write_embeddings("a", files_of(rows), vectors_of([version, -version]))
            with store.snapshot():
                count = store._database.connection.execute("SELECT sum(rows) FROM vectors")
                assert count.fetchone()[0] <= 2 * 2 + 4
            kept, is_there = store.read_embeddings("a", files_of(rows))
            assert is_there.all()
            np.testing.assert_array_equal(kept, vectors_of([version, -version]))

import numpy as np
import pytest

from seentwice.index.near import nearest_rows


def search_slowly(gallery, queries, k):
    squared = ((queries[:, None].astype(np.float64) - gallery[None]) ** 2).sum(axis=2)
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(squared, order, axis=1), order


@pytest.mark.parametrize("queries", [1, 19, 20, 300])  # faiss takes another path for many
@pytest.mark.parametrize(("size", "k"), [(1, 1), (50, 1), (50, 7), (50, 50), (3000, 5)])
def test_the_search_is_exact(size, k, queries):
    rng = np.random.default_rng(0)
    gallery = rng.normal(size=(size, 16)).astype(np.float32)
    wanted = rng.normal(size=(queries, 16)).astype(np.float32)
    distances, indices = nearest_rows(gallery, wanted, k)
    slow_distances, slow_indices = search_slowly(gallery, wanted, k)
    np.testing.assert_array_equal(indices, slow_indices)
    np.testing.assert_allclose(distances, slow_distances, rtol=1e-4)
    assert (np.diff(distances, axis=1) >= 0).all()


def test_a_row_of_the_gallery_finds_itself():
    gallery = np.random.default_rng(1).normal(size=(200, 32)).astype(np.float32)
    distances, indices = nearest_rows(gallery, gallery, 1)
    assert indices[:, 0].tolist() == list(range(200))
    assert distances == pytest.approx(np.zeros((200, 1)), abs=1e-4)
    assert (distances >= 0).all()


def test_exact_copies_are_all_found():
    gallery = np.repeat(np.eye(4, dtype=np.float32), 3, axis=0)
    distances, indices = nearest_rows(gallery, np.eye(4, dtype=np.float32), 3)
    assert [sorted(row) for row in indices.tolist()] == [
        [3 * n, 3 * n + 1, 3 * n + 2] for n in range(4)
    ]
    assert distances.tolist() == [[0, 0, 0]] * 4


def test_any_layout_and_precision_of_the_rows_is_taken():
    gallery = np.random.default_rng(2).normal(size=(8, 40))
    expected = nearest_rows(np.ascontiguousarray(gallery.T, np.float32), gallery.T[:5], 3)
    found = nearest_rows(gallery.T, gallery.T[:5].astype(np.float16).astype(np.float64), 3)
    np.testing.assert_array_equal(found[1][:, 0], expected[1][:, 0])


@pytest.mark.parametrize("k", [0, -1, 4])
def test_k_is_checked(k):
    rows = np.zeros((3, 2), np.float32)
    with pytest.raises(ValueError, match=f"k={k}: choose 1 to 3, the number of gallery rows"):
        nearest_rows(rows, rows, k)

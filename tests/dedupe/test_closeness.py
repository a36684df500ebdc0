import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.dedupe import closeness
from seentwice.dedupe.closeness import (
    Familiarity,
    choose_background,
    measure_closeness,
    measure_familiarity,
    thin_background,
)


def unit(count: int, size: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, size))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("block", [7, 4096])
def test_familiarity_is_the_mean_cosine_to_the_nearest_but_the_very_nearest(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closeness, "_BLOCK", block)
    rows = unit(400, 8, 0)
    found = measure_familiarity(rows, np.arange(200))
    for photo in (0, 13, 399):
        cosines = sorted((float(rows[photo] @ other) for other in rows[:200]), reverse=True)
        nearest, others = np.mean(cosines[10:14]), np.mean(cosines[20:40])
        assert found.nearest[photo] == pytest.approx(nearest, abs=1e-5)
        expected = np.log((1 - nearest) / (nearest - others))
        assert found.margin[photo] == pytest.approx(expected, abs=1e-4)


def test_a_few_copies_change_no_familiarity_much() -> None:
    rows = unit(500, 8, 1)
    copies = np.concatenate((rows, np.repeat(rows[:1], 4, axis=0)))
    alone = measure_familiarity(rows, np.arange(500)).nearest[0]
    among = measure_familiarity(copies, np.arange(504)).nearest[0]
    assert among == pytest.approx(alone, abs=0.05)
    assert among < 0.95


def test_many_copies_of_one_photo_are_no_strangers_of_each_other() -> None:
    rows = unit(1_000, 64, 7)
    sorts = np.arange(1_000)
    sorts[100:130] = 100
    copied = rows.copy()
    noise = 0.02 * unit(30, 64, 8)
    copied[100:130] = rows[100] + noise
    copied /= np.linalg.norm(copied, axis=1, keepdims=True)
    pair = np.array([100]), np.array([101])
    cosine = np.array([float(copied[100] @ copied[101])])

    def advance(background: np.ndarray) -> float:
        familiarity = measure_familiarity(copied, background)
        return float(measure_closeness(cosine, familiarity, *pair)[0, 0])

    assert advance(np.arange(1_000)) < 0.5
    assert advance(thin_background(sorts)) > 0.99
    alone = measure_familiarity(rows, np.arange(1_000))
    among = measure_familiarity(copied, thin_background(sorts))
    # And strangers are nearly as near as they were, those too whose nearest was copied.
    np.testing.assert_allclose(among.nearest[130:], alone.nearest[130:], atol=0.06)


def test_a_background_with_as_many_copies_as_are_left_out_stays_as_it_is() -> None:
    # Which the weights of the package were fitted with.
    for count, copies in ((1_000, 10), (2_000, 20), (500, 10), (40, 10), (20, 5), (3, 1), (0, 0)):
        sorts = np.arange(count)
        sorts[count - copies :] = count
        assert thin_background(sorts).tolist() == list(range(count))


@given(st.lists(st.integers(0, 8), max_size=200))
def test_of_each_sort_the_first_stay_and_no_more_than_are_left_out(sorts: list[int]) -> None:
    kept = thin_background(np.array(sorts, np.int64)).tolist()
    most = max(-(-len(kept) // 100), min(10, len(kept) // 4))
    for sort in set(sorts):
        of_sort = [place for place, each in enumerate(sorts) if each == sort]
        stay = [place for place in kept if sorts[place] == sort]
        assert stay == of_sort[: len(stay)]
        assert 1 <= len(stay) <= most


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_where_strangers_are_lacking_nothing_comes_closer_than_they(count: int) -> None:
    rows = np.repeat(unit(1, 8, 2), 3, axis=0)
    found = measure_familiarity(rows, np.arange(count))
    pair = np.array([0]), np.array([1])
    measured = measure_closeness(np.array([1.0]), found, *pair)
    assert np.isfinite(measured).all()
    assert measured[0, 0] == pytest.approx(0, abs=1e-3)


def test_the_copy_of_a_photo_among_few_comes_closer_than_strangers() -> None:
    rows = np.concatenate((unit(39, 64, 6), unit(39, 64, 6)[:1]))
    familiarity = measure_familiarity(rows, np.arange(40))
    measured = measure_closeness(np.array([1.0]), familiarity, np.array([0]), np.array([39]))
    assert measured[0, 0] == pytest.approx(1)
    assert 0 < familiarity.margin[0] < 5


def test_what_is_measured_does_not_depend_on_where_cosines_start() -> None:
    # As those of another trunk: all of them larger, so nearer each other.
    cosine, nearest, others = np.array([0.7, 0.2]), np.array([0.4, 0.5]), np.array([0.1, 0.3])

    def measure(scale: float) -> np.ndarray:
        def squeeze(values: np.ndarray) -> np.ndarray:
            return 1 - scale * (1 - values)

        near, far = squeeze(nearest), squeeze(others)
        familiarity = Familiarity(near, np.log((1 - near) / (near - far)))
        return measure_closeness(squeeze(cosine), familiarity, np.array([0, 0]), np.array([1, 1]))

    np.testing.assert_allclose(measure(0.1), measure(1.0))
    assert measure(1.0)[0, 0] == pytest.approx((0.7 - 0.4) / 0.6)


def test_sides_may_be_swapped() -> None:
    rows = unit(300, 8, 3)
    familiarity = measure_familiarity(rows, np.arange(300))
    left, right = np.triu_indices(20, 1)
    cosine = (rows[left] * rows[right]).sum(axis=1).astype(np.float64)
    one = measure_closeness(cosine, familiarity, left, right)
    np.testing.assert_array_equal(one, measure_closeness(cosine, familiarity, right, left))


def test_the_background_is_the_same_in_whatever_order_photos_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(closeness, "BACKGROUND", 10)
    digests = np.random.default_rng(4).integers(0, 256, (50, 32), np.uint8)
    order = np.random.default_rng(5).permutation(50)
    chosen = {bytes(digests[n]) for n in choose_background(digests).tolist()}
    assert chosen == {bytes(digests[order][n]) for n in choose_background(digests[order]).tolist()}
    assert chosen == set(sorted(map(bytes, digests))[:10])

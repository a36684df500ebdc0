import numpy as np
import pytest
from encoding import draw
from photo_tables import all_pairs, make_table
from PIL import Image

from seentwice.block_hashing import LUMA_SIDE
from seentwice.dedupe.likeness import (
    FEATURES,
    TURNED_FEATURES,
    measure_likeness,
    measure_turned,
)
from seentwice.dedupe.turning import orient, turn_signatures

SIZES = [(64, 48), (48, 64), (100, 50), (60, 60), (200, 150)]
PHOTOS = [draw(seed % 3, *size) for seed, size in enumerate(SIZES)]
PHOTOS.append(Image.new("RGB", (64, 48), "teal"))
TABLE = make_table(PHOTOS)
LEFT, RIGHT = all_pairs(len(PHOTOS))


def compare_slowly(one: np.ndarray, other: np.ndarray) -> tuple[float, float, float]:
    """One less the correlation of two tiny pictures, and how far their colours are apart."""
    one, other = one.astype(float), other.astype(float)
    flat = one[: LUMA_SIDE**2].std() == 0 or other[: LUMA_SIDE**2].std() == 0
    luma = 0.0 if flat else np.corrcoef(one[: LUMA_SIDE**2], other[: LUMA_SIDE**2])[0, 1]
    inner = [
        side[: LUMA_SIDE**2].reshape(LUMA_SIDE, LUMA_SIDE)[4:12, 4:12].reshape(-1)
        for side in (one, other)
    ]
    centre = 0.0 if min(map(np.ptp, inner)) == 0 else np.corrcoef(*inner)[0, 1]
    chroma = [
        np.abs((a - a.mean()) - (b - b.mean())).mean()
        for a, b in zip(
            one[LUMA_SIDE**2 :].reshape(2, -1), other[LUMA_SIDE**2 :].reshape(2, -1), strict=True
        )
    ]
    return 1 - luma, 1 - centre, float(np.mean(chroma)) / 255


def test_each_feature_is_what_it_is_said_to_be() -> None:
    found = measure_likeness(TABLE, LEFT, RIGHT)
    assert found.shape == (len(LEFT), len(FEATURES))
    for row, left, right in zip(found, LEFT.tolist(), RIGHT.tolist(), strict=True):
        bits = [
            (int(TABLE.hashes[left, n]) ^ int(TABLE.hashes[right, n])).bit_count() / 64
            for n in range(2)
        ]
        shapes = [np.log(PHOTOS[n].width / PHOTOS[n].height) for n in (left, right)]
        tones = compare_slowly(TABLE.signature[left], TABLE.signature[right])
        expected = [*bits, *tones, abs(shapes[0] - shapes[1])]
        np.testing.assert_allclose(row, expected, atol=2e-6)


def test_a_photo_does_not_differ_from_itself() -> None:
    same = np.arange(len(PHOTOS) - 1)
    np.testing.assert_allclose(measure_likeness(TABLE, same, same), 0, atol=1e-6)


def test_the_order_of_a_pair_is_nothing() -> None:
    orientations = orient(TABLE.signature)
    np.testing.assert_array_equal(
        measure_likeness(TABLE, LEFT, RIGHT), measure_likeness(TABLE, RIGHT, LEFT)
    )
    one = measure_turned(TABLE, orientations, LEFT, RIGHT)
    other = measure_turned(TABLE, orientations, RIGHT, LEFT)
    assert np.array_equal(one.bits, other.bits)


def test_a_turned_pair_is_measured_in_the_nearest_orientation() -> None:
    orientations = orient(TABLE.signature)
    found = measure_turned(TABLE, orientations, LEFT, RIGHT)
    assert found.features.shape == (len(LEFT), len(TURNED_FEATURES))
    for pair, (left, right) in enumerate(zip(LEFT.tolist(), RIGHT.tolist(), strict=True)):
        bits = {
            choice: (
                int(orientations.hashes[left, choice[0]])
                ^ int(orientations.hashes[right, choice[1]])
            ).bit_count()
            for choice in ((0, 0), (0, 1), (1, 0))
        }
        nearest = min(bits, key=lambda choice: (bits[choice], choice))
        turns = [
            orientations.turns[photo, choice]
            for photo, choice in zip((left, right), nearest, strict=True)
        ]
        upright = [
            turn_signatures(TABLE.signature[photo : photo + 1], np.array([turn]))[0]
            for photo, turn in zip((left, right), turns, strict=True)
        ]
        shapes = [
            np.log(PHOTOS[photo].width / PHOTOS[photo].height) * (-1 if turn & 4 else 1)
            for photo, turn in zip((left, right), turns, strict=True)
        ]
        tones = compare_slowly(*upright)
        expected = [bits[nearest] / 64, *tones, abs(shapes[0] - shapes[1])]
        np.testing.assert_allclose(found.features[pair], expected, atol=2e-6)
        assert found.bits[pair] == bits[nearest]
        assert found.is_turned[pair] == (turns[0] != turns[1])


@pytest.mark.parametrize("how", list(Image.Transpose))
def test_a_turned_copy_differs_by_nothing_once_turned(how: Image.Transpose) -> None:
    photos = [draw(seed, 160, 128) for seed in range(6)]
    table = make_table([*photos, *(photo.transpose(how) for photo in photos)])
    found = measure_turned(table, orient(table.signature), np.arange(6), np.arange(6, 12))
    assert found.is_turned.sum() >= 5
    near = found.features[found.is_turned]
    assert near[:, 0].max() <= 4 / 64
    assert near[:, 1:].max() < 0.02


def test_no_pairs_have_no_features() -> None:
    none = np.empty(0, np.int64)
    assert measure_likeness(TABLE, none, none).shape == (0, len(FEATURES))
    turned = measure_turned(TABLE, orient(TABLE.signature), none, none)
    assert turned.features.shape == (0, len(TURNED_FEATURES))

import numpy as np
import pytest
from encoding import draw
from photo_tables import make_table
from PIL import Image

from seentwice.block_hashing import CHROMA_SIDE, LUMA_SIDE
from seentwice.dedupe.turning import _hash_turned, is_on_side, orient, turn_signatures

MIRRORED, DOWN, TRANSPOSED = (
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.TRANSPOSE,
)
PHOTOS = [draw(seed, 192, 192) for seed in range(12)]


def turn(photo: Image.Image, number: int) -> Image.Image:
    """Mirror, put upside down, transpose, in this order, as the bits of the number say."""
    for bit, how in ((1, MIRRORED), (2, DOWN), (4, TRANSPOSED)):
        if number & bit:
            photo = photo.transpose(how)
    return photo


@pytest.mark.parametrize("number", range(8))
def test_a_turned_signature_is_that_of_the_turned_photo(number: int) -> None:
    table = make_table(PHOTOS)
    expected = make_table([turn(photo, number) for photo in PHOTOS]).signature
    found = turn_signatures(table.signature, np.full(len(PHOTOS), number, np.uint8))
    assert np.abs(found.astype(int) - expected).max() <= 1  # sums in another order are rounded


def test_each_signature_is_turned_in_its_own_way() -> None:
    signature = np.random.default_rng(0).integers(0, 256, (8, 288), dtype=np.uint8)
    found = turn_signatures(signature, np.arange(8, dtype=np.uint8))
    for number in range(8):
        start = 0
        for side in (LUMA_SIDE, CHROMA_SIDE, CHROMA_SIDE):
            part = slice(start, start + side**2)
            tiny = Image.fromarray(signature[number, part].reshape(side, side))
            expected = np.asarray(turn(tiny, number)).reshape(-1)
            assert np.array_equal(found[number, part], expected)
            start += side**2


@pytest.mark.parametrize("number", range(8))
def test_a_copy_in_any_orientation_gets_the_same_hash(number: int) -> None:
    before = orient(make_table(PHOTOS).signature)
    after = orient(make_table([turn(photo, number) for photo in PHOTOS]).signature)
    # Where rounding tips a choice, the next best is the other's first.
    is_same = (before.hashes[:, :, None] == after.hashes[:, None]).any(axis=(1, 2))
    assert is_same.sum() >= len(PHOTOS) - 1
    assert (before.hashes[:, 0] == after.hashes[:, 0]).sum() >= len(PHOTOS) - 2


@pytest.mark.parametrize("number", range(8))
def test_exactly_turned_signatures_get_the_same_hash(number: int) -> None:
    signature = make_table(PHOTOS).signature
    turned = turn_signatures(signature, np.full(len(PHOTOS), number, np.uint8))
    before, after = orient(signature), orient(turned)
    for photo in range(len(PHOTOS)):
        upright = [
            turn_signatures(each[photo : photo + 1], how.turns[photo : photo + 1, 0])
            for each, how in ((signature, before), (turned, after))
        ]
        assert np.array_equal(*upright)
    bits = np.bitwise_count(before.hashes[:, 0] ^ after.hashes[:, 0])
    assert bits.max() <= 2  # two bits lie at the median but for rounding


@pytest.mark.parametrize("number", range(8))
def test_low_frequencies_turn_as_the_picture_does(number: int) -> None:
    rng = np.random.default_rng(3)
    tiny = rng.integers(0, 256, (20, LUMA_SIDE, LUMA_SIDE)).astype(np.float64)
    position, frequency = np.arange(LUMA_SIDE), np.arange(8)[:, None]
    cosines = np.cos(np.pi * frequency * (2 * position + 1) / (2 * LUMA_SIDE))
    turned = np.stack([np.asarray(turn(Image.fromarray(each), number)) for each in tiny])
    low, expected = (
        (cosines @ each @ cosines.T).astype(np.float32) for each in (tiny, turned.astype(float))
    )
    turns = np.full(20, number, np.uint8)
    unchanged = np.zeros(20, np.uint8)
    bits = np.bitwise_count(_hash_turned(low, turns) ^ _hash_turned(expected, unchanged))
    assert bits.max() <= 2


def test_transposed_photos_lie_on_their_side() -> None:
    assert is_on_side(np.arange(8, dtype=np.uint8)).tolist() == [False] * 4 + [True] * 4


def test_no_photos_have_no_orientations() -> None:
    found = orient(np.empty((0, 288), np.uint8))
    assert (found.hashes.shape, found.turns.shape) == ((0, 2), (0, 2))

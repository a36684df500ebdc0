import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seentwice.block_hashing import (
    BLOCK_HASHES,
    CHROMA_SIDE,
    LUMA_SIDE,
    SIGNATURE_BYTES,
    BlockLook,
    _resizing,
    look_at_blocks,
)
from seentwice.hamming import hamming_bits
from seentwice.hashing import hash_photo

RNG = np.random.default_rng(7)


def draw(height: int, width: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))


def bits_between(look: BlockLook, pixels: np.ndarray) -> np.ndarray:
    expected = hash_photo(Image.fromarray(pixels), BLOCK_HASHES)
    return hamming_bits(np.array(look.hashes, np.uint64), expected)


@pytest.mark.parametrize("size", [(38, 50), (86, 128), (32, 300), (200, 33), (5, 9)])
def test_the_hashes_are_those_of_imagehash_but_for_rounding(size: tuple[int, int]) -> None:
    for seed in range(20):
        pixels = draw(*size, seed)
        assert bits_between(look_at_blocks(pixels), pixels).max() <= 4


def test_hashes_differ_by_little_on_average() -> None:
    photos = [draw(60, 80, seed) for seed in range(200)]
    bits = [bits_between(look_at_blocks(pixels), pixels) for pixels in photos]
    assert np.mean(bits, axis=0).max() < 0.5


def test_the_signature_holds_means_of_luma_and_colour() -> None:
    pixels = draw(64, 96, 3)
    signature = np.frombuffer(look_at_blocks(pixels).signature, np.uint8).astype(int)
    assert signature.size == SIGNATURE_BYTES
    whole = np.asarray(Image.fromarray(pixels).convert("YCbCr")).astype(float)
    luma = whole[..., 0].reshape(LUMA_SIDE, 4, LUMA_SIDE, 6).mean(axis=(1, 3))
    colours = whole[..., 1:].reshape(CHROMA_SIDE, 16, CHROMA_SIDE, 24, 2).mean(axis=(1, 3))
    expected = np.concatenate((luma.reshape(-1), colours.transpose(2, 0, 1).reshape(-1)))
    assert np.abs(signature - expected).max() <= 1.5


@pytest.mark.parametrize("by", [Image.Resampling.LANCZOS, Image.Resampling.BOX])
@pytest.mark.parametrize("size", [4, 8, 9, 16, 32])
def test_the_weights_of_resizing_are_pillows(by: Image.Resampling, size: int) -> None:
    for length in (*range(1, 70), 100, 255, 256, 257, 333, 640):
        unit = Image.fromarray(np.eye(length, dtype=np.float32))
        expected = np.asarray(unit.resize((length, size), by))
        np.testing.assert_allclose(_resizing(length, size, by), expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize("shape", [(1, 1_000_000), (65_500, 3), (40, 9_000)])
def test_a_very_long_photo_needs_no_more_memory(shape: tuple[int, int]) -> None:
    pixels = draw(*shape, 5)
    tracemalloc.start()
    look = look_at_blocks(pixels)
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()
    small = np.asarray(Image.fromarray(pixels).reduce((-(-shape[1] // 4096), -(-shape[0] // 4096))))
    assert look_at_blocks(small) == look


def stripes(dark: int, light: int) -> np.ndarray:
    pixels = np.full((64, 64, 3), dark, np.uint8)
    pixels[:, 20:37] = light
    return pixels


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((40, 60, 3), 255, np.uint8),
        np.full((40, 60, 3), 7, np.uint8),
        np.clip(200 + RNG.normal(0, 2, (40, 60, 3)), 0, 255).astype(np.uint8),
        np.broadcast_to(np.linspace(0, 255, 60)[:, None], (40, 60, 3)).astype(np.uint8),
        stripes(0, 255),
        stripes(31, 32),
        stripes(100, 140),
        np.kron(np.indices((8, 8)).sum(0) % 2, np.ones((8, 8)))[..., None].repeat(3, 2) * 255,
    ],
    ids=["white", "dark", "noise", "gradient", "stripes", "one level", "grey", "chess"],
)
def test_blank_and_two_tone_photos_have_no_content(pixels: np.ndarray) -> None:
    assert not look_at_blocks(pixels.astype(np.uint8)).has_content


def test_photos_have_content() -> None:
    assert all(look_at_blocks(draw(40, 60, seed)).has_content for seed in range(50))


def test_the_same_means_give_the_same_look() -> None:
    assert look_at_blocks(draw(60, 80, 1)) == look_at_blocks(draw(60, 80, 1).copy())


def test_houses_have_content_where_they_are_here() -> None:
    folder = Path("data/raw/houses")
    if not folder.is_dir():
        pytest.skip("data/raw/houses is missing: seentwice prepare data=houses")
    for file in sorted(folder.glob("*.jpg"))[:40]:
        with Image.open(file) as photo:
            assert look_at_blocks(np.asarray(photo.convert("RGB").reduce(8))).has_content

import imagehash
import numpy as np
import pytest
from PIL import Image

from seentwice.errors import UserError
from seentwice.hashing import HASHES, hash_photo

REFERENCE = {
    "average": imagehash.average_hash,
    "difference": imagehash.dhash,
    "perception": imagehash.phash,
    "wavelet": imagehash.whash,
}


def draw_noise(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def draw_scene(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Smooth light, some flat boxes and a little noise: near to what photos of rooms look like."""
    coarse = draw_noise(rng, 5, 4).resize((width, height), Image.Resampling.BICUBIC)
    pixels = np.asarray(coarse).astype(np.int16)
    for _ in range(6):
        left, top = rng.integers(0, width), rng.integers(0, height)
        pixels[top : top + height // 3, left : left + width // 3] = rng.integers(0, 256, 3)
    pixels += rng.integers(-6, 7, pixels.shape, dtype=np.int16)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def draw_few_greys(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Blocks of two greys: the median of the wavelet hash falls on block sums."""
    blocks = rng.choice(np.array([40, 200], dtype=np.uint8), (8, 8))
    return Image.fromarray(np.kron(blocks, np.ones((-(-height // 8), -(-width // 8)), np.uint8)))


def expected(image: Image.Image) -> list[int]:
    return [int(str(hash_of(image)), 16) for hash_of in REFERENCE.values()]


def test_the_names_and_their_order_are_those_of_the_tables() -> None:
    assert list(HASHES) == list(REFERENCE)


@pytest.mark.parametrize(
    "size",
    [(1, 1), (1, 9), (7, 5), (8, 8), (9, 8), (31, 64), (33, 17), (101, 77), (128, 128), (211, 300)],
)
@pytest.mark.parametrize("draw", [draw_noise, draw_scene, draw_few_greys])
def test_hashes_equal_imagehash(draw, size: tuple[int, int]) -> None:
    rng = np.random.default_rng([*size, 7])
    for _ in range(8):
        image = draw(rng, *size)
        assert hash_photo(image, tuple(HASHES)).tolist() == expected(image)


def test_hashes_of_a_whole_photo_equal_imagehash() -> None:
    image = draw_scene(np.random.default_rng(3), 640, 480)
    assert hash_photo(image, tuple(HASHES)).tolist() == expected(image)


@pytest.mark.parametrize("grey", [0, 1, 77, 128, 254, 255])
@pytest.mark.parametrize("size", [(3, 3), (50, 40), (64, 64), (200, 130)])
def test_hashes_of_flat_photos_equal_imagehash(size: tuple[int, int], grey: int) -> None:
    image = Image.new("RGB", size, (grey, grey, grey))
    assert hash_photo(image, tuple(HASHES)).tolist() == expected(image)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "1"])
def test_hashes_of_other_modes_equal_imagehash(mode: str) -> None:
    image = draw_scene(np.random.default_rng(4), 90, 60).convert(mode)
    assert hash_photo(image, tuple(HASHES)).tolist() == expected(image)


def test_half_black_half_white_by_hand() -> None:
    pixels = np.zeros((8, 9), dtype=np.uint8)
    pixels[:, 5:] = 255
    difference = hash_photo(Image.fromarray(pixels), ("difference",))
    # One rise a row, between the 5th and the 6th pixel: 0b00001000, eight times.
    assert difference.tolist() == [0x0808080808080808]
    average = hash_photo(Image.fromarray(pixels[:, 1:]), ("average",))
    assert average.tolist() == [0x0F0F0F0F0F0F0F0F]


def test_golden_hashes() -> None:
    y, x = np.mgrid[:48, :64]
    image = Image.fromarray(((x * x + 3 * y * x + 40 * y) % 256).astype(np.uint8))
    assert [f"{value:016x}" for value in hash_photo(image, tuple(HASHES))] == [
        "27b374a669981637",
        "ca56c44ed32954af",
        "a735b45ba3575250",
        "47134cb269dc970f",
    ]


def test_asked_hashes_come_in_the_order_asked() -> None:
    image = draw_scene(np.random.default_rng(5), 40, 30)
    everything = dict(zip(HASHES, hash_photo(image, tuple(HASHES)).tolist(), strict=True))
    some = hash_photo(image, ("wavelet", "average"))
    assert some.dtype == np.uint64
    assert some.tolist() == [everything["wavelet"], everything["average"]]
    assert hash_photo(image, ()).shape == (0,)


def test_an_unknown_hash_is_refused() -> None:
    with pytest.raises(UserError, match="choose one of average, difference, perception, wavelet"):
        hash_photo(Image.new("RGB", (8, 8)), ("dhash",))

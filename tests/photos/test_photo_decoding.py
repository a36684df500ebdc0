import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from encoded_photos import FORMATS, LIMIT, LOSSLESS, LOSSY, PHOTO, draw_pixels, encode, exif, read
from numpy.typing import NDArray
from PIL import Image

from seentwice.photos import read_photo


@pytest.mark.parametrize("form", LOSSLESS)
def test_lossless_photos_give_their_pixels(tmp_path: Path, form: str) -> None:
    np.testing.assert_array_equal(read(tmp_path, LOSSLESS[form]), draw_pixels())


@pytest.mark.parametrize("form", LOSSY)
def test_lossy_photos_give_nearly_their_pixels(tmp_path: Path, form: str) -> None:
    error = np.abs(read(tmp_path, LOSSY[form]).astype(int) - draw_pixels())
    assert error.mean() < 8


TURNED = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: pixels.transpose(1, 0, 2)[:, ::-1],
    7: lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2),
    8: lambda pixels: pixels.transpose(1, 0, 2)[::-1],
}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
def test_photos_are_turned_upright(tmp_path: Path, form: str, orientation: int) -> None:
    options = {"lossless": True} if form == "WEBP" else {}
    data = encode(PHOTO, form, exif=exif(orientation), **options)
    np.testing.assert_array_equal(read(tmp_path, data), TURNED[orientation](draw_pixels()))


@pytest.mark.parametrize("orientation", TURNED)
def test_jpegs_are_turned_upright(tmp_path: Path, orientation: int) -> None:
    lying = read(tmp_path, encode(PHOTO, "JPEG"))
    turned = read(tmp_path, encode(PHOTO, "JPEG", exif=exif(orientation)))
    np.testing.assert_array_equal(turned, TURNED[orientation](lying))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("kind", "code"), [(3, "H2x"), (4, "I")])
def test_orientation_is_read_in_either_byte_order(
    tmp_path: Path, order: str, kind: int, code: str
) -> None:
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    entry = struct.pack(f"{order}HHI{code}", 0x0112, kind, 1, 6)
    block = b"Exif\0\0" + head + struct.pack(f"{order}H", 1) + entry + bytes(4)
    lying = read(tmp_path, encode(PHOTO, "JPEG"))
    np.testing.assert_array_equal(
        read(tmp_path, encode(PHOTO, "JPEG", exif=block)), TURNED[6](lying)
    )


@pytest.mark.parametrize(
    "block",
    [
        b"Exif\0\0",
        b"Exif\0\0II*\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff",
        b"Exif\0\0XX*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0",
        exif(9).tobytes(),
        exif(6).tobytes()[:30],
        # The maker's name is said to lie beyond the end of the block.
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x0f\x01\x02\0\xff\0\0\0\xff\xff\0\0",
    ],
)
def test_broken_exif_leaves_the_photo_as_it_lies(tmp_path: Path, block: bytes) -> None:
    lying = read(tmp_path, encode(PHOTO, "JPEG"))
    np.testing.assert_array_equal(read(tmp_path, encode(PHOTO, "JPEG", exif=block)), lying)


def test_a_png_named_jpg_is_read_as_what_it_is(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(tmp_path, LOSSLESS["png"], "a.jpg"), draw_pixels())


@pytest.mark.parametrize("mode", ["1", "L"])
def test_grey_photos_are_grey_in_colour(tmp_path: Path, mode: str) -> None:
    grey = PHOTO.convert(mode)
    pixels = read(tmp_path, encode(grey, "PNG"))
    for channel in range(3):
        np.testing.assert_array_equal(pixels[..., channel], np.asarray(grey.convert("L")))


def test_palettes_become_their_colours(tmp_path: Path) -> None:
    palette = PHOTO.quantize(16)
    expected = np.asarray(palette.convert("RGB"))
    np.testing.assert_array_equal(read(tmp_path, encode(palette, "PNG")), expected)


def test_a_transparent_palette_entry_is_white(tmp_path: Path) -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 0, 0])
    palette.putpixel((1, 0), 1)
    for transparency in (0, b"\0\xff"):
        pixels = read(tmp_path, encode(palette, "PNG", transparency=transparency))
        assert pixels.tolist() == [[[255, 255, 255], [200, 0, 0]]]
    pixels = read(tmp_path, encode(palette, "GIF", transparency=0))
    assert pixels.tolist() == [[[255, 255, 255], [200, 0, 0]]]


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
def test_what_alpha_hides_is_white_and_half_of_it_is_half_white(tmp_path: Path, form: str) -> None:
    image = Image.new("RGBA", (3, 1))
    for column, alpha in enumerate((0, 128, 255)):
        image.putpixel((column, 0), (200, 0, 100, alpha))
    options = {"lossless": True, "exact": True} if form == "WEBP" else {}
    pixels = read(tmp_path, encode(image, form, **options))
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert np.abs(pixels[0, 1].astype(int) - [227, 127, 177]).max() <= 1
    assert pixels[0, 2].tolist() == [200, 0, 100]


def test_grey_with_alpha_and_keyed_colours_lie_on_white(tmp_path: Path) -> None:
    image = Image.new("LA", (2, 1), (50, 0))
    image.putpixel((1, 0), (50, 255))
    assert read(tmp_path, encode(image, "PNG"))[0, :, 0].tolist() == [255, 50]
    keyed = Image.new("RGB", (2, 1), (1, 2, 3))
    keyed.putpixel((1, 0), (4, 5, 6))
    pixels = read(tmp_path, encode(keyed, "PNG", transparency=(1, 2, 3)))
    assert pixels.tolist() == [[[255, 255, 255], [4, 5, 6]]]


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_16_bits_are_scaled_and_not_clipped(tmp_path: Path, form: str) -> None:
    deep = np.arange(0, 65536, 16, dtype=np.uint16).reshape(64, 64)
    pixels = read(tmp_path, encode(Image.fromarray(deep), form))
    np.testing.assert_array_equal(pixels[..., 0], deep >> 8)
    np.testing.assert_array_equal(pixels[..., 1], pixels[..., 2])


def test_big_endian_16_bits_are_scaled(tmp_path: Path) -> None:
    deep = np.array([[0, 257, 65535]], dtype=">u2")
    tags = [(256, 3), (257, 1), (258, 16), (259, 1), (262, 1), (277, 1), (278, 1), (279, 6)]
    entries = [struct.pack(">HHIHxx", tag, 3, 1, value) for tag, value in tags]
    entries.insert(5, struct.pack(">HHII", 273, 4, 1, 8))
    directory = struct.pack(">H", len(entries)) + b"".join(entries) + bytes(4)
    data = b"MM\0*" + struct.pack(">I", 14) + deep.tobytes() + directory
    assert read(tmp_path, data)[0, :, 0].tolist() == [0, 1, 255]


def test_a_keyed_grey_of_16_bits_is_white(tmp_path: Path) -> None:
    deep = Image.fromarray(np.array([[7, 25600]], dtype=np.uint16))
    assert read(tmp_path, encode(deep, "PNG", transparency=7))[0, :, 0].tolist() == [255, 100]


@pytest.mark.parametrize(
    ("values", "greys"),
    [
        (np.array([[0, 256, 65535]], np.int32), [0, 1, 255]),
        (np.array([[-5, 1 << 23, (1 << 31) - 1]], np.int32), [0, 1, 255]),
        (np.array([[0, 0.5, 1]], np.float32), [0, 128, 255]),
        (np.array([[-1, 100, 254.6]], np.float32), [0, 100, 255]),
        (np.array([[257, 25700, 65535]], np.float32), [1, 100, 255]),
        (np.array([[np.nan, -np.inf, np.inf]], np.float32), [0, 0, 255]),
    ],
)
def test_32_bits_are_scaled_and_not_clipped(
    tmp_path: Path, values: NDArray[np.generic], greys: list[int]
) -> None:
    pixels = read(tmp_path, encode(Image.fromarray(values), "TIFF"))
    assert pixels[0, :, 0].tolist() == greys


def test_cmyk_jpegs_have_the_right_colours(tmp_path: Path) -> None:
    photo = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    pixels = read(tmp_path, encode(photo, "JPEG", quality=100))
    assert np.abs(pixels.astype(int) - [255, 0, 0]).max() <= 3
    assert read(tmp_path, encode(Image.new("CMYK", (2, 2)), "TIFF")).min() == 255


def test_the_first_frame_of_an_animation_is_the_photo(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (6, 4), color) for color in ("red", "blue", "green")]
    for form, options in (("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        data = encode(frames[0], form, save_all=True, append_images=frames[1:], **options)
        assert read(tmp_path, data)[2, 3].tolist() == [255, 0, 0]


def test_threads_read_alike(tmp_path: Path) -> None:
    for number, data in enumerate(FORMATS.values()):
        (tmp_path / f"{number}.jpg").write_bytes(data)
    paths = sorted(tmp_path.iterdir())
    alone = [read_photo(path, LIMIT).tobytes() for path in paths]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda path: read_photo(path, LIMIT).tobytes(), paths * 4))
    assert together == alone * 4

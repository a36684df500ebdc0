"""What the pixels of each edit must be."""

import hashlib

import numpy as np
import pytest
from PIL import Image

from seentwice.edits import EDITS, apply_edit


def draw_photo(width: int, height: int, seed: int = 0) -> Image.Image:
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def changed(before: Image.Image, after: Image.Image) -> np.ndarray:
    return (np.asarray(before) != np.asarray(after)).any(axis=2)


def test_mirroring_reverses_rows_and_twice_is_nothing() -> None:
    photo = draw_photo(9, 5)
    mirrored = np.asarray(apply_edit(photo, "hflip"))
    np.testing.assert_array_equal(mirrored, np.asarray(photo)[:, ::-1])
    assert apply_edit(photo, "hflip|hflip").tobytes() == photo.tobytes()


@pytest.mark.parametrize("text", ["crop:0,0,1", "rotate:0"])
def test_edits_of_nothing_change_nothing(text: str) -> None:
    photo = draw_photo(31, 17)
    assert apply_edit(photo, text).tobytes() == photo.tobytes()


def test_a_crop_shows_what_it_keeps() -> None:
    pixels = np.zeros((100, 100, 3), dtype=np.uint8)
    pixels[:10], pixels[:, :10] = 255, 255
    cropped = np.asarray(apply_edit(Image.fromarray(pixels), "crop:0.1,0.1,0.9"))
    assert cropped.max() == 0
    shifted = np.asarray(apply_edit(Image.fromarray(pixels), "crop:0.05,0,0.5"))
    # 5 of the 10 white columns are left, twice as wide.
    assert shifted[50, :9].min() == 255
    assert shifted[50, 11:].max() < 60
    assert shifted[50, 14:].max() == 0


def test_a_rotation_turns_counter_clockwise_and_opens_white_corners() -> None:
    pixels = np.zeros((101, 101, 3), dtype=np.uint8)
    pixels[48:53, 80:] = (255, 0, 0)  # a red hand at three o'clock
    turned = np.asarray(apply_edit(Image.fromarray(pixels), "rotate:10"))
    assert turned[0, 0].tolist() == turned[-1, -1].tolist() == [255, 255, 255]
    assert turned[50, 50].tolist() == [0, 0, 0]
    red = (turned[..., 0] > 200) & (turned[..., 1] < 50)
    assert np.nonzero(red)[0].mean() < 48


@pytest.mark.parametrize("ground", ["white", "black", "grey"])
def test_a_watermark_shows_on_any_ground_and_only_inside_its_plate(ground: str) -> None:
    photo = Image.new("RGB", (400, 300), ground)
    differs = changed(photo, apply_edit(photo, "watermark:0.5,0.5,0.3"))
    rows, columns = np.nonzero(differs)
    assert 0.003 < differs.mean() < 0.05
    assert columns.min() >= 140 - 1
    assert columns.max() <= 260
    assert rows.min() >= 138 - 1
    assert rows.max() <= 162


@pytest.mark.parametrize(
    ("text", "corner"),
    [("watermark:0,0,0.2", (0, 0)), ("watermark:1,1,0.2", (-1, -1)), ("watermark:1,0,1", (0, -1))],
)
def test_a_watermark_reaches_the_edge_and_stays_inside(text: str, corner) -> None:
    photo = Image.new("RGB", (200, 100), "white")
    differs = changed(photo, apply_edit(photo, text))
    assert differs[corner]
    assert differs.mean() < 0.4


def draw_golden() -> Image.Image:
    y, x = np.mgrid[0:31, 0:47]
    return Image.fromarray(np.stack([x * 5, y * 8, (x * y) % 256], axis=2).astype(np.uint8))


GOLDEN = {
    "watermark:0.5319,0.7342,0.3615": ((47, 31), "b9a0483966477dbf"),
    "crop:0.0406,0.0371,0.8652": ((47, 31), "a357c1800e843016"),
    "rotate:-9.6613": ((47, 31), "706b6408d91e9634"),
    "hflip": ((47, 31), "ca5b3e6cc7f95880"),
    "logo:0.7397,0.6169,0.2845": ((47, 31), "1e42037f1192f084"),
    "caption:0.1011,461": ((47, 31), "4e321431e8235e24"),
    "sticker:0.3146,0.6644,0.1964,1946438422": ((47, 31), "5655f76da5fcf96c"),
    "half:0.0855,0.9184,0.803": ((38, 19), "7dc8dd9a05aca1df"),
    "perspective:-0.1455,-0.0642": ((47, 31), "dc178fa1b43c61d8"),
    "resize:0.4733": ((22, 15), "9b546080ed35a4ea"),
    "border:0.0588,249": ((51, 35), "3412d6a2541a7f20"),
    "screenshot:0.1061,0.0899,226": ((47, 37), "e0a533eee190c29b"),
    "collage:0,0.5623,1971734612": ((47, 31), "c9df8acae187c47b"),
    "brightness:0.7385": ((47, 31), "b05a66dac1eac628"),
    "contrast:1.7195": ((47, 31), "c789a8ab167f1fd4"),
    "cast:0.2643": ((47, 31), "50ce20b2c6eb5741"),
    "grey": ((47, 31), "f0c7f488024a79cb"),
    "blur:0.0065": ((47, 31), "8c7985f625bebc8f"),
    "noise:22.1268,1723990444": ((47, 31), "921c6ca1e06a4cd6"),
}


@pytest.mark.parametrize("text", GOLDEN)
def test_golden_pixels(text: str) -> None:
    edited = apply_edit(draw_golden(), text)
    assert (edited.size, hashlib.sha256(edited.tobytes()).hexdigest()[:16]) == GOLDEN[text]


def test_every_lossless_edit_has_golden_pixels() -> None:
    # The JPEG library's rounding is its own.
    assert {text.partition(":")[0] for text in GOLDEN} == set(EDITS) - {"jpeg"}


def test_half_of_the_photo_stays_as_it_is() -> None:
    photo = draw_photo(200, 100)
    cut = apply_edit(photo, "half:1,0.5,0.8")
    assert cut.size == (160, 62)
    assert cut.tobytes() == photo.crop((40, 19, 200, 81)).tobytes()


@pytest.mark.parametrize("text", ["perspective:0.1,0", "perspective:-0.2,0.2"])
def test_a_perspective_keeps_straight_lines_and_all_of_the_photo(text: str) -> None:
    pixels = np.zeros((101, 101, 3), dtype=np.uint8)
    pixels[:, 50], pixels[50] = 255, 255
    seen = np.asarray(apply_edit(Image.fromarray(pixels), text))
    turn, tilt = map(float, text.partition(":")[2].split(","))
    scale = 1 - abs(turn) - abs(tilt)
    for u, v in ((-1, -1), (1, -1), (-1, 1), (1, 1)):  # just inside each corner all is black
        x, y = (scale * 0.97 * each / (1 + turn * u + tilt * v) for each in (u, v))
        assert seen[round(50 + 50.5 * y), round(50 + 50.5 * x)].max() == 0
    # A line through the centre stays one; on both sides of the centre it is white.
    assert seen[50, 50].min() == 255
    assert np.count_nonzero((seen == 0).all(axis=2)) > 0.5 * scale**2 * 101**2
    assert (seen[0, 0] == 255).all() or (seen[-1, -1] == 255).all()


def test_a_border_and_a_screenshot_hold_the_whole_photo() -> None:
    photo = draw_photo(80, 60)
    framed = apply_edit(photo, "border:0.1,200")
    assert framed.size == (92, 72)
    assert framed.crop((6, 6, 86, 66)).tobytes() == photo.tobytes()
    assert framed.getpixel((0, 0)) == framed.getpixel((91, 71)) == (200, 200, 200)
    shot = apply_edit(photo, "screenshot:0.1,0.2,10")
    assert shot.size == (80, 60 + 6 + 12)
    assert shot.crop((0, 6, 80, 66)).tobytes() == photo.tobytes()
    assert shot.crop((0, 0, 80, 6)).getextrema()[0][1] > 100  # clock and battery are light


@pytest.mark.parametrize("corner", range(4))
def test_a_collage_shows_the_photo_in_its_corner_and_others_elsewhere(corner: int) -> None:
    photo = Image.new("RGB", (80, 60), (255, 0, 255))
    sheet = np.asarray(apply_edit(photo, f"collage:{corner},0.5,7"))
    is_photo = (sheet == (255, 0, 255)).all(axis=2)
    quarters = [is_photo[y : y + 30, x : x + 40].mean() for y in (0, 30) for x in (0, 40)]
    assert quarters[corner] == 1
    assert sorted(quarters)[2] < 0.1
    assert apply_edit(photo, f"collage:{corner},0.5,8").tobytes() != sheet.tobytes()


def test_a_sticker_hides_the_share_that_it_names() -> None:
    photo = Image.new("RGB", (300, 200), (1, 2, 3))
    for text in ("sticker:0,0,0.2,1", "sticker:1,1,0.2,2", "sticker:0.5,0.3,0.5,3"):
        hidden = changed(photo, apply_edit(photo, text)).mean()
        assert hidden == pytest.approx(float(text.split(",")[2]), abs=0.02)


def test_a_caption_covers_the_lower_edge_alone() -> None:
    photo = Image.new("RGB", (300, 200), (200, 200, 200))
    rows = changed(photo, apply_edit(photo, "caption:0.1,249")).mean(axis=1)
    assert (rows[:180] == 0).all()
    assert (rows[180:] > 0.5).all()


@pytest.mark.parametrize(
    ("text", "pixel"),
    [
        ("brightness:1.5", (150, 255, 15)),
        ("contrast:0.5", (114, 164, 69)),
        ("contrast:2", (72, 255, 0)),
        ("cast:0.2", (120, 200, 8)),
        ("cast:-0.2", (80, 200, 12)),
        ("grey", (148, 148, 148)),
    ],
)
def test_tones_are_tables_of_values(text: str, pixel: tuple[int, int, int]) -> None:
    photo = Image.new("RGB", (3, 2), (100, 200, 10))
    assert apply_edit(photo, text).getpixel((2, 1)) == pixel


def test_noise_has_its_deviation_and_no_mean() -> None:
    grey = Image.new("RGB", (200, 100), (128, 128, 128))
    noise = np.asarray(apply_edit(grey, "noise:20,1")).astype(float) - 128
    assert abs(noise.mean()) < 0.5
    assert noise.std() == pytest.approx(20, abs=0.3)
    assert abs(np.corrcoef(noise[..., 0].ravel(), noise[..., 1].ravel())[0, 1]) < 0.03


def test_a_photo_longer_than_any_jpeg_is_saved_in_parts() -> None:
    long = Image.new("RGB", (70_000, 2), (90, 120, 60))
    saved = apply_edit(long, "jpeg:90")
    assert saved.size == long.size
    assert np.abs(np.asarray(saved).astype(int) - (90, 120, 60)).max() <= 3


def test_lower_qualities_lose_more() -> None:
    rough = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    before = np.asarray(rough).astype(int)
    errors = [
        np.abs(np.asarray(apply_edit(rough, text)).astype(int) - before).mean()
        for text in ("jpeg:90", "jpeg:30", "jpeg:5")
    ]
    assert errors == sorted(errors)
    assert errors[0] < errors[-1]

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from encoding import draw, encode
from photo_tables import make_table
from PIL import Image, ImageFilter

from seentwice.dedupe.keeping import KEEP, SIDE_PX, measure_sharpness
from seentwice.dedupe.pictures import PhotoTable

LIMIT = 1_000_000


def make(facts: list[tuple[int, int, int, int]]) -> PhotoTable:
    """The table of photos of a width, height, size in bytes and age."""
    columns = np.array(facts)
    table = make_table([draw(0, 32, 32)] * len(facts))
    return replace(
        table,
        width=columns[:, 0].astype(np.uint32),
        height=columns[:, 1].astype(np.uint32),
        size_bytes=columns[:, 2],
        modified_ns=columns[:, 3],
    )


TABLE = make(
    [
        (10, 20, 500, 3),
        (70_000, 70_000, 5, 9),  # more pixels than 32 bits count
        (20, 10, 500, 3),
        (20, 10, 600, 8),
        (20, 10, 500, 1),
    ]
)


@pytest.mark.parametrize(
    ("keep", "expected"),
    [("largest", [1, 4, 0, 2, 3]), ("oldest", [4, 0, 2, 3, 1])],
)
def test_the_first_is_the_one_to_keep_whatever_the_order(
    keep: str, expected: list[int], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        photos = rng.permutation(5)
        assert KEEP[keep](TABLE, photos, tmp_path, LIMIT).tolist() == expected
    assert KEEP[keep](TABLE, np.array([2, 0]), tmp_path, LIMIT).tolist() == [0, 2]


def measure_slowly(photo: Image.Image) -> float:
    scale = SIDE_PX / max(photo.size)
    size = (round(photo.width * scale), round(photo.height * scale))
    luma = np.asarray(photo.convert("L").resize(size, Image.Resampling.LANCZOS)).astype(float)
    rows = range(1, luma.shape[0] - 1)
    values = [
        luma[y - 1, x] + luma[y + 1, x] + luma[y, x - 1] + luma[y, x + 1] - 4 * luma[y, x]
        for y in rows
        for x in range(1, luma.shape[1] - 1)
    ]
    return float(np.var(values))


def test_sharpness_is_the_variance_of_the_laplacian(tmp_path: Path) -> None:
    photo = draw(1, 200, 30)
    (tmp_path / "a.png").write_bytes(encode(photo, "PNG"))
    found = measure_sharpness(tmp_path / "a.png", LIMIT)
    assert found == pytest.approx(measure_slowly(photo), rel=1e-4)


def test_the_sharpest_is_kept_and_one_that_is_gone_is_last(tmp_path: Path) -> None:
    sharp = Image.effect_noise((300, 200), 80).convert("RGB")
    photos = [sharp.filter(ImageFilter.GaussianBlur(radius)) for radius in (4, 0, 2)]
    table = make_table([*photos, sharp])
    for number, photo in enumerate(photos):
        (tmp_path / table.key(number)).write_bytes(encode(photo, "PNG"))
    found = KEEP["sharpest"](table, np.array([3, 0, 1, 2]), tmp_path, LIMIT)
    assert found.tolist() == [1, 2, 0, 3]


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (2, 2), (3, 1)])
def test_tiny_and_thin_photos_have_a_sharpness(tmp_path: Path, size: tuple[int, int]) -> None:
    (tmp_path / "a.png").write_bytes(encode(draw(0, *size), "PNG"))
    assert measure_sharpness(tmp_path / "a.png", LIMIT) >= 0

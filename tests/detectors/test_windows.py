import numpy as np
import pytest
from PIL import Image

from seentwice.bank.bank import open_bank
from seentwice.detectors import windows as windows_module
from seentwice.detectors.describe import describe_views
from seentwice.detectors.trunk import TrunkDescriptor
from seentwice.detectors.windows import WindowDescriptor, draw_windows
from seentwice.files import digest_file
from seentwice.models.backbones import build_trunk
from seentwice.records import Photo, View


def compact_trunk(seed=0):
    return build_trunk("compact", "none", "average", 0, "eval", seed)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_rows_are_kept_in_the_bank_and_split_into_features_and_windows(tmp_path, dtype):
    views = []
    for seed in range(3):
        pixels = np.random.default_rng(seed).integers(256, size=(40, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{seed}.png")
        views.append(View(Photo(tmp_path / f"{seed}.png", f"{seed}.png", f"room/{seed}")))
    contents = [digest_file(view.photo.path) for view in views]
    trunk = compact_trunk()

    def describe(descriptor):
        bank = open_bank(tmp_path / "bank", 1)
        return describe_views(
            views, contents, [descriptor], bank, "noise", 1, 10**6, lambda done, total: None
        )

    first, again = (describe(WindowDescriptor(trunk, dtype)) for _ in range(2))
    assert (first.decoded, again.decoded) == (3, 0)
    assert set(first.rows) == set(again.rows) == {"trunk", "windows"}
    assert first.rows["windows"].shape == (3, 20, 128)
    assert first.rows["windows"].dtype == dtype
    for name in first.rows:
        np.testing.assert_array_equal(first.rows[name], again.rows[name])
    alone = describe(TrunkDescriptor(trunk, dtype))
    assert alone.decoded == 3  # rows of another recipe
    np.testing.assert_array_equal(first.rows["trunk"], alone.rows["trunk"])


def test_a_recipe_tells_windows_from_features_and_other_windows(monkeypatch):
    def digest(trunk, dtype="float16"):
        return WindowDescriptor(trunk, dtype).recipe.digest

    trunk = compact_trunk()
    others = [
        TrunkDescriptor(trunk, "float16").recipe.digest,
        digest(trunk, "float32"),
        digest(compact_trunk(seed=1)),
    ]
    before = digest(trunk)
    assert before == digest(compact_trunk())
    monkeypatch.setattr(windows_module, "CODE", "2")
    assert len({before, digest(trunk), *others}) == 5
    assert WindowDescriptor(trunk, "float16").recipe.name == "windows"


def test_some_windows_are_drawn_and_always_the_same_ones():
    windows = np.arange(10 * 4 * 2, dtype=np.float16).reshape(10, 4, 2)
    views = np.array([1, 3, 8])
    every = draw_windows(windows, views, 12)
    assert every.dtype == np.float32
    np.testing.assert_array_equal(every, windows[views].reshape(12, 2))
    some = draw_windows(windows, views, 5)
    assert len({tuple(row) for row in some.tolist()}) == 5
    assert {tuple(row) for row in some.tolist()} <= {tuple(row) for row in every.tolist()}
    np.testing.assert_array_equal(some, draw_windows(windows, views, 5))

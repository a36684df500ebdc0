import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from seentwice.detectors.keypoints import LOCAL_FEATURES, MOST, KeypointDescriptor, split_row
from seentwice.errors import UserError
from seentwice.rendering.layouts import draw_scene
from seentwice.rendering.photo import render_view
from seentwice.rendering.views import draw_view

cv2 = pytest.importorskip("cv2", reason="needs the extra opencv")
KINDS = sorted(LOCAL_FEATURES)
DETECTORS = {"sift": cv2.SIFT_create, "orb": cv2.ORB_create}


@pytest.fixture(scope="module")
def room():
    scene = draw_scene(7, "living-room")
    return Image.fromarray(render_view(scene, draw_view(scene, 0), (320, 240)))


def noise(width, height):
    pixels = np.random.default_rng(0).integers(256, size=(height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_sift_is_kept_as_its_root(room):
    points, descriptors = cv2.SIFT_create().detectAndCompute(np.asarray(room.convert("L")), None)
    assert 4 < len(points) < MOST
    expected = {
        (round(point.pt[0] * 64), round(point.pt[1] * 64)): [] for point in points
    }  # several keypoints of other angles may stand at one position
    for point, values in zip(points, descriptors.tolist(), strict=True):
        root = [min(255, round(512 * (value / sum(values)) ** 0.5)) for value in values]
        expected[round(point.pt[0] * 64), round(point.pt[1] * 64)].append(root)
    at, packed = split_row(KeypointDescriptor("sift").look(room))
    assert len(at) == len(points)
    for place, values in zip((at * 64).tolist(), packed.tolist(), strict=True):
        assert values in expected[tuple(map(round, place))]


def test_orb_is_kept_as_it_is(room):
    points, descriptors = cv2.ORB_create(MOST).detectAndCompute(np.asarray(room.convert("L")), None)
    expected = sorted(map(bytes, descriptors))
    at, packed = split_row(KeypointDescriptor("orb").look(room))
    assert sorted(map(bytes, packed)) == expected
    assert {tuple(place) for place in at.tolist()} == {
        tuple(round(side * 64) / 64 for side in point.pt) for point in points
    }


@pytest.mark.parametrize("name", KINDS)
def test_the_strongest_are_kept_in_order(name):
    photo = noise(128, 96).resize((512, 384), Image.Resampling.BICUBIC)
    points, _ = DETECTORS[name](4 * MOST).detectAndCompute(np.asarray(photo.convert("L")), None)
    assert len(points) > MOST
    strength = {tuple(round(side * 64) for side in point.pt): point.response for point in points}
    at, packed = split_row(KeypointDescriptor(name).look(photo))
    assert packed.shape == (len(at), LOCAL_FEATURES[name].bytes)
    assert 300 < len(at) <= MOST
    if name == "sift":  # ORB shares the number out to its scales, some of which have too few
        assert len(at) == MOST
        found = [strength[tuple(map(round, place))] for place in (at * 64).tolist()]
        assert found == sorted(found, reverse=True)
        assert found[-1] >= sorted(strength.values(), reverse=True)[MOST]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    "photo",
    [
        Image.new("RGB", (640, 480), "#808080"),
        Image.new("RGB", (1, 1)),
        noise(1, 2000),
        noise(2000, 3),
        noise(31, 31),
    ],
    ids=["blank", "a pixel", "a column", "three rows", "tiny"],
)
def test_a_photo_without_keypoints_has_a_row_of_zeros(name, photo):
    row = KeypointDescriptor(name).look(photo)
    assert (row.shape, row.dtype) == (KeypointDescriptor(name).recipe.shape, np.uint8)
    assert not row.any()
    at, packed = split_row(row)
    assert (len(at), len(packed)) == (0, 0)


@pytest.mark.parametrize("name", KINDS)
def test_a_large_photo_is_scaled_down_and_a_small_one_stays(name):
    large = noise(150, 100).resize((1500, 1000), Image.Resampling.BICUBIC)
    at, _ = split_row(KeypointDescriptor(name).look(large))
    assert 400 < at[:, 0].max() < 512
    assert 250 < at[:, 1].max() < 342
    at, _ = split_row(KeypointDescriptor(name).look(noise(200, 120)))
    assert 100 < at[:, 0].max() < 200
    assert 60 < at[:, 1].max() < 120


@pytest.mark.parametrize("name", KINDS)
def test_threads_give_the_same_rows(name, room):
    descriptor = KeypointDescriptor(name)
    expected = descriptor.look(room)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(descriptor.look, [room] * 8))
    assert descriptor.recipe.row_bytes == expected.nbytes
    np.testing.assert_array_equal(descriptor.finish(np.stack(found)), np.stack([expected] * 8))


@pytest.mark.parametrize("name", KINDS)
def test_squared_distances_are_exact(name):
    kept = np.random.default_rng(1).integers(
        256, size=(40, LOCAL_FEATURES[name].bytes), dtype=np.uint8
    )
    kept[0], kept[1] = 0, 255  # as far apart as can be
    values = LOCAL_FEATURES[name].unpack(kept)
    squared = (values * values).sum(axis=1)
    found = squared[:, None] + squared - 2 * (values @ values.T)
    if name == "sift":
        expected = [[((a - b) ** 2).sum() for b in kept.astype(int)] for a in kept.astype(int)]
    else:
        expected = [[sum(map(int.bit_count, map(int, a ^ b))) for b in kept] for a in kept]
    np.testing.assert_array_equal(found, expected)


def test_each_kind_and_version_has_a_recipe(monkeypatch):
    recipes = [KeypointDescriptor(name).recipe for name in KINDS]
    assert len({recipe.digest for recipe in recipes}) == len(KINDS)
    monkeypatch.setattr(cv2, "__version__", "0.1")
    assert KeypointDescriptor(KINDS[0]).recipe.digest != recipes[0].digest


@pytest.mark.parametrize("name", KINDS)
def test_without_opencv_the_extra_is_named(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    complaint = f"^baselines: {name} needs OpenCV: pip install 'seentwice\\[opencv\\]'$"
    with pytest.raises(UserError, match=complaint):
        KeypointDescriptor(name)

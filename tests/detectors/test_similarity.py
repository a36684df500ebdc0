import re
import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from seentwice.data.pairs import PairTable
from seentwice.detectors import similarity
from seentwice.detectors import trunk as trunk_module
from seentwice.detectors.descriptor import ThreadedDescriptor
from seentwice.detectors.hashes import HashDescriptor, hash_column, hash_similarity
from seentwice.detectors.histogram import HistogramDescriptor, histogram_similarity
from seentwice.detectors.similarity import ZeroShot, blockwise
from seentwice.detectors.trunk import (
    EXACT,
    PixelDescriptor,
    TrunkDescriptor,
    cosine_similarity,
    describe_input,
    unit_rows,
)
from seentwice.errors import UserError
from seentwice.hashing import HASHES
from seentwice.models.backbones import BACKBONES, build_trunk
from seentwice.models.engines import Passing


def make_pairs(views=20, count=101):
    left, right = np.random.default_rng(0).integers(views, size=(2, count))
    return PairTable((), left, right, left == right, np.zeros(count, np.int8))


PAIRS = make_pairs()
SIDES = list(zip(PAIRS.left.tolist(), PAIRS.right.tolist(), strict=True))


@pytest.fixture(params=[1, 7, 101, 8192])
def block(request, monkeypatch):
    monkeypatch.setattr(similarity, "BLOCK", request.param)


def noise(seed=1, size=(60, 40)):
    pixels = np.random.default_rng(seed).integers(256, size=(size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.usefixtures("block")
def test_blocks_change_nothing():
    rows = np.random.default_rng(2).normal(size=(20, 3))
    found = blockwise(PAIRS, rows, lambda left, right: (left - 2 * right)[:, 0])
    assert found.tolist() == [rows[a, 0] - 2 * rows[b, 0] for a, b in SIDES]


def test_no_pairs_have_no_similarities():
    none = PAIRS.take(np.zeros(len(PAIRS), dtype=bool))
    assert blockwise(none, np.zeros((20, 3)), lambda left, right: left[:, 0]).shape == (0,)


@pytest.mark.usefixtures("block")
def test_the_cosine_of_features():
    features = np.random.default_rng(3).normal(size=(20, 5)).astype(np.float32)
    features[PAIRS.right[0]] = 0
    expected = [
        float(features[a] @ features[b])
        / max(float(np.linalg.norm(features[a]) * np.linalg.norm(features[b])), 1e-30)
        for a, b in SIDES
    ]
    found = cosine_similarity(PAIRS, {"trunk": features})
    assert found == pytest.approx(expected, abs=1e-6)
    assert found[0] == 0  # a row of zeros is like nothing, and no division by zero


@pytest.mark.parametrize("scale", [1e-15, 1.0, 1e15])
def test_rows_are_scaled_to_length_one(scale):
    rows = np.array([[3.0, 4.0], [0.0, 0.0], [-1.0, 0.0]], dtype=np.float32)
    expected = [[0.6, 0.8], [0, 0], [-1, 0]]
    np.testing.assert_allclose(unit_rows(rows * np.float32(scale)), expected, rtol=1e-5)


@pytest.mark.usefixtures("block")
def test_the_intersection_of_histograms():
    rows = np.random.default_rng(4).dirichlet(np.ones(512), size=20).astype(np.float32)
    expected = [sum(min(p, q) for p, q in zip(rows[a], rows[b], strict=True)) for a, b in SIDES]
    assert histogram_similarity(PAIRS, {"histogram": rows}) == pytest.approx(expected, abs=1e-5)


def test_a_histogram_counts_every_pixel():
    photo = noise()
    counts = dict.fromkeys(range(512), 0)
    for row in np.asarray(photo).tolist():
        for red, green, blue in row:
            counts[64 * (red // 32) + 8 * (green // 32) + blue // 32] += 1
    found = HistogramDescriptor().look(photo)
    assert found.dtype == np.float32
    assert found == pytest.approx([counts[colour] / 2400 for colour in range(512)], abs=1e-7)


def test_histograms_of_one_colour():
    looks = [
        HistogramDescriptor().look(Image.new("RGB", size, colour))
        for size, colour in [((3, 5), "#1f0000"), ((9, 2), "#00001f"), ((1, 1), "#200000")]
    ]
    rows = {"histogram": HistogramDescriptor().finish(np.stack(looks))}
    pairs = PairTable(
        (), np.array([0, 0]), np.array([1, 2]), np.zeros(2, bool), np.zeros(2, np.int8)
    )
    assert histogram_similarity(pairs, rows).tolist() == [1, 0]


@pytest.mark.parametrize("name", list(HASHES))
def test_the_similarity_of_hashes_is_minus_the_bits_that_differ(name):
    hashes = np.random.default_rng(5).integers(2**64, size=(20, len(HASHES)), dtype=np.uint64)
    column = hashes[:, list(HASHES).index(name)].tolist()
    found = hash_similarity(name)(PAIRS, {"hashes": hashes})
    assert found.tolist() == [-bin(column[a] ^ column[b]).count("1") for a, b in SIDES]


def test_equal_hashes_are_more_similar_than_all_others():
    hashes = np.zeros((2, len(HASHES)), dtype=np.uint64)
    hashes[1] = 2**64 - 1
    pairs = PairTable(
        (), np.array([0, 0]), np.array([0, 1]), np.zeros(2, bool), np.zeros(2, np.int8)
    )
    assert hash_similarity(next(iter(HASHES)))(pairs, {"hashes": hashes}).tolist() == [0, -64]


def test_a_photo_has_one_hash_a_kind():
    descriptor = HashDescriptor()
    look = descriptor.look(noise())
    assert (look.shape, look.dtype) == ((len(HASHES),), np.uint64)
    rows = {descriptor.name: descriptor.finish(np.stack([look, look + np.uint64(1)]))}
    for number, name in enumerate(HASHES):
        assert hash_column(rows, name).tolist() == [int(look[number]), int(look[number]) + 1]


def test_an_unknown_hash_names_the_choices():
    with pytest.raises(UserError, match=f"hash 'best': choose one of {', '.join(HASHES)}"):
        hash_column({}, "best")


def test_a_fixed_similarity_learns_nothing():
    evidence = ZeroShot(lambda pairs, rows: rows["a"][pairs.left])
    evidence.fit(PAIRS, PAIRS, {})
    rows = {"a": np.arange(20.0)}
    np.testing.assert_array_equal(evidence.of(PAIRS, rows), PAIRS.left)


def test_what_a_trunk_sees_of_a_view():
    trunk = build_trunk("compact", "none", "average", 0, "eval", seed=0)
    looks = [PixelDescriptor(trunk.preprocessing).look(noise(seed)) for seed in (0, 1)]
    np.testing.assert_array_equal(looks[0], TrunkDescriptor(trunk, "float32").look(noise(0)))
    preprocessing = BACKBONES["compact"].preprocessing
    assert looks[0].shape == (3, preprocessing.height_px, preprocessing.width_px)
    pixels = PixelDescriptor(trunk.preprocessing).finish(np.stack(looks))
    assert pixels.dtype == np.uint8
    features = TrunkDescriptor(trunk, "float32").finish(np.stack(looks))
    expected = trunk.stages(preprocessing.normalise(torch.from_numpy(pixels))).numpy()
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-6)
    assert features.dtype == np.float32
    halves = TrunkDescriptor(trunk, "float16").finish(np.stack(looks))
    np.testing.assert_array_equal(halves, features.astype(np.float16))


@pytest.mark.parametrize(
    ("dtype", "value", "complaint"),
    [
        ("float16", 7e4, "bank.dtype=float16: this backbone gives values up to 70,000, which it"),
        ("float16", np.nan, "backbone.weights=none: photos give values that are no numbers"),
        ("float32", np.inf, "backbone.weights=none: photos give values that are no numbers"),
    ],
)
def test_rows_that_are_not_finite_are_refused(dtype, value, complaint):
    trunk = build_trunk("compact", "none", "average", 0, "eval", seed=0)
    descriptor = TrunkDescriptor(trunk, dtype)
    descriptor.engine = SimpleNamespace(
        embed=lambda looks: np.array([[1, value]] * len(looks), np.float32)
    )
    with pytest.raises(UserError, match=f"^{re.escape(complaint)}"):
        descriptor.finish(np.zeros((1, 3, 72, 96), np.uint8))


def test_a_trunks_threads_are_kept_while_it_is_entered():
    trunk = build_trunk("compact", "none", "average", 0, "eval", seed=0)
    descriptor = TrunkDescriptor(trunk, "float32")
    threads = []

    def embed(looks):
        threads.append(threading.current_thread())
        return np.zeros((len(looks), 128), np.float32)

    descriptor.engine = SimpleNamespace(embed=embed)
    looks = np.zeros((1, 3, 72, 96), np.uint8)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with descriptor:
            for _ in range(2):
                descriptor.finish(looks)
        descriptor.finish(looks)
    finally:
        torch.set_num_threads(before)
    assert threads[0] is threads[1]
    assert threads[1] is not threads[2]
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("threads", [1, 8])
def test_a_trunk_takes_a_batch_for_each_thread(threads, monkeypatch):
    trunk = build_trunk("compact", "none", "average", 0, "eval", seed=0)
    descriptor = TrunkDescriptor(trunk, "float32")
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert isinstance(descriptor, ThreadedDescriptor)
    assert descriptor.looks_at_once == 16 * threads


@pytest.mark.parametrize(
    ("trained_blocks", "name", "shape"),
    [(0, "trunk", (128,)), (1, "maps", (96, 9, 12)), ("all", "pixels", (3, 72, 96))],
)
def test_a_net_takes_the_rows_at_its_trunks_cut(trained_blocks, name, shape):
    trunk = build_trunk("compact", "none", "average", trained_blocks, "eval", seed=0)
    seen = describe_input(trunk, "float32")
    assert (seen.name, seen.recipe.name, seen.recipe.shape) == (name, name, shape)
    rows = seen.finish(np.stack([seen.look(noise(0))]))
    assert (rows.shape, rows.dtype.name) == ((1, *shape), seen.recipe.dtype)


def test_another_trunk_has_another_recipe():
    def digest(
        pooling="average",
        trained_blocks=0,
        dtype="float32",
        seed=0,
        normalisation="usual",
        passing=EXACT,
    ):
        trunk = build_trunk("compact", "none", pooling, trained_blocks, "eval", seed, normalisation)
        return TrunkDescriptor(trunk, dtype, passing).recipe.digest

    others = [
        digest(pooling="gem"),
        digest(trained_blocks=1),
        digest(dtype="float16"),
        digest(seed=1),
        digest(normalisation="samespace"),
        digest(passing=Passing("torch", "bfloat16")),
    ]
    assert len({digest(), *others}) == 7
    assert digest() == digest()


@pytest.mark.parametrize(("name", "value"), [("CODE", "2"), ("version", lambda library: "0.1")])
def test_other_code_is_another_recipe(name, value, monkeypatch):
    trunk = build_trunk("compact", "none", "average", 0, "eval", seed=0)
    before = TrunkDescriptor(trunk, "float32").recipe
    monkeypatch.setattr(trunk_module, name, value)
    assert TrunkDescriptor(trunk, "float32").recipe.digest != before.digest


def test_recipes_name_the_libraries_that_compute_rows(monkeypatch):
    monkeypatch.setattr(trunk_module, "version", lambda library: f"{len(library)}.0")
    trunk = build_trunk("compact", "none", "average", 0, "eval", seed=0)
    for backbone, library in (("vgg16", "torchvision 11.0"), ("timm/resnet18", "timm 4.0")):
        parts = TrunkDescriptor(replace(trunk, backbone=backbone), "float32").recipe.parts
        assert dict(parts)["library"] == library
    assert {"imagehash", "numpy", "scipy", "PyWavelets"} <= dict(HashDescriptor.recipe.parts).keys()

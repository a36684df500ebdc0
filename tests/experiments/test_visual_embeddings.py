"""Which triplets are measured, what may be learned for them, and what the page says of it."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file

from experiments.visual_embeddings import latency
from experiments.visual_embeddings.contenders import list_contenders
from experiments.visual_embeddings.embeddings import Embedding, Projections, Recipe
from experiments.visual_embeddings.measure import judge
from experiments.visual_embeddings.shares import measure_gain, measure_share
from experiments.visual_embeddings.sight import NETWORKS, Network, look_through
from experiments.visual_embeddings.table import METRICS, PAGE, fill_page, write_table
from experiments.visual_embeddings.triplets import (
    Fold,
    Triplets,
    list_triplets,
    make_folds,
    plan_copies,
    split_homes,
)
from seentwice.bank.bank import open_bank
from seentwice.data.pairs import PairTable
from seentwice.detectors.similarity import ZeroShot
from seentwice.detectors.trunk import FEATURES
from seentwice.detectors.windows import WINDOWS
from seentwice.edits import STRENGTHS
from seentwice.models.backbones import find_backbone
from seentwice.models.weights import NoDownloadError
from seentwice.records import Photo, View

HOMES = "abcdef"
PHOTOS = tuple(
    Photo(
        Path(f"{home}{room}{k}.jpg"), f"{room}/{home}_{room}_{k}.jpg", f"{home}{room}", home, room
    )
    for home, room, k in product(HOMES, ("bath", "bed"), (1, 2, 3))
)
VIEWS, STRENGTH = plan_copies(PHOTOS, seed=0)
OWNER = [PHOTOS.index(view.photo) for view in VIEWS]


def list_all(contents: np.ndarray) -> tuple[Triplets, list[Fold]]:
    splits = split_homes(PHOTOS)
    of_views = contents[OWNER]
    triplets = list_triplets(VIEWS, STRENGTH, of_views, splits)
    return triplets, make_folds(VIEWS, STRENGTH, of_views, splits)


def shown(triplets: Triplets) -> list[tuple[str, str, str, str]]:
    """Return query, duplicate, stranger and strength of each triplet."""
    pairs, found = triplets.pairs, []
    for positive, negative, strength in zip(
        triplets.positive, triplets.negative, triplets.strength, strict=True
    ):
        one = {pairs.left[positive], pairs.right[positive]}
        other = {pairs.left[negative], pairs.right[negative]}
        ((query,), (duplicate,), (stranger,)) = one & other, one - other, other - one
        keys = (VIEWS[index].photo.key for index in (query, duplicate, stranger))
        found.append((*keys, str(strength)))
    return found


def test_every_triplet_is_there_once() -> None:
    contents = np.arange(len(PHOTOS), dtype=np.uint64)
    contents[1] = contents[0]  # two files of one picture
    expected = []
    for query, stranger in product(range(len(PHOTOS)), repeat=2):
        one, other = PHOTOS[query], PHOTOS[stranger]
        if one.property == other.property or one.room_type != other.room_type:
            continue
        expected += [(one.key, one.key, other.key, name) for name in STRENGTHS]
        expected += [
            (one.key, photo.key, other.key, "")
            for number, photo in enumerate(PHOTOS)
            if number != query and photo.place == one.place and contents[number] != contents[query]
        ]
    triplets, _ = list_all(contents)
    assert sorted(shown(triplets)) == sorted(expected)


def test_what_is_learned_for_a_triplet_is_of_neither_home() -> None:
    triplets, folds = list_all(np.arange(len(PHOTOS), dtype=np.uint64))
    pairs = triplets.pairs
    for number, fold in enumerate(folds):
        here = triplets.fold == number
        assert here.any()
        used = np.concatenate([triplets.positive[here], triplets.negative[here]])
        tested = {
            VIEWS[index].photo.property for index in np.append(pairs.left[used], pairs.right[used])
        }
        for table in (fold.train, fold.validation):
            sides = np.append(table.left, table.right)
            assert not tested & {VIEWS[index].photo.property for index in sides}
            assert (STRENGTH[sides] == "").all()


def test_every_edit_has_its_turn() -> None:
    names = {strength: set() for strength in STRENGTHS}
    for view, strength in zip(VIEWS, STRENGTH, strict=True):
        if strength:
            names[strength].add("|".join(part.split(":")[0] for part in view.edit.split("|")))
    assert len(names["web"]) == len(STRENGTHS["web"])
    assert len(names["attack"]) >= len(STRENGTHS["attack"])  # of "watermark/logo" one is chosen


def make_pairs_of(count: int) -> PairTable:
    left, right = np.triu_indices(count, k=1)
    views = tuple(View(PHOTOS[index]) for index in range(count))
    label = np.zeros(len(left), dtype=bool)
    return PairTable(views, left, right, label, np.zeros(len(left), np.int8))


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("bits", [False, True])
def test_an_embedding_is_that_of_its_recipe(power: float, bits: bool) -> None:
    generator = np.random.default_rng(1)
    features, others = generator.random((6, 5), np.float32), generator.random((40, 5), np.float32)
    pairs = make_pairs_of(6)
    train = pairs.take(np.arange(1))  # photos 0 and 1
    rows = {FEATURES: features}
    embedding = Embedding(Recipe(power, 3, bits), Projections(train, rows, others))
    embedding.fit(train, train, rows)

    fitted = np.concatenate([features[:2], others]).astype(float)
    fitted /= np.linalg.norm(fitted, axis=1, keepdims=True)
    mean = fitted.mean(axis=0)
    _, singular, components = np.linalg.svd(fitted - mean, full_matrices=False)
    variance = singular**2 / (len(fitted) - 1)
    scale = (1 + variance / variance.mean()) ** (-power / 2)

    def project(unit: np.ndarray) -> np.ndarray:
        return ((unit - mean) @ (components.T * scale))[:, :3]

    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    own = project(unit)
    if bits:
        above = own > np.median(project(fitted), axis=0)
        expected = [
            -np.count_nonzero(above[i] != above[j])
            for i, j in zip(pairs.left, pairs.right, strict=True)
        ]
    else:
        own /= np.linalg.norm(own, axis=1, keepdims=True)
        expected = (own[pairs.left] * own[pairs.right]).sum(axis=1)
    np.testing.assert_allclose(embedding.of(pairs, rows), expected, atol=1e-5)


def test_a_tie_is_wrong() -> None:
    pairs = make_pairs_of(3)  # 0-1, 0-2, 1-2
    near = np.array([0.5, 0.4, 0.5])
    one = np.array([0, 0])
    triplets = Triplets(
        pairs, one, np.array([1, 2]), np.array(["", ""]), one, np.array([1, 1]), one
    )
    evidence = ZeroShot(lambda pairs, rows: near[pairs.left + pairs.right - 1])
    hits = judge(evidence, Fold(pairs, pairs), {}, triplets, np.ones(2, dtype=bool))
    assert hits.tolist() == [True, False]


def test_a_gain_is_the_difference_of_two_shares() -> None:
    generator = np.random.default_rng(0)
    query, negative = generator.integers(5, size=(2, 400))
    hits, baseline = generator.random(400) < 0.8, generator.random(400) < 0.6
    gain = measure_gain(hits, baseline, query, negative)
    shares = [measure_share(each, query, negative).value for each in (hits, baseline)]
    assert gain.value == pytest.approx(shares[0] - shares[1])
    assert gain.low < gain.value < gain.high
    none = measure_gain(hits, hits, query, negative)
    assert (none.low, none.value, none.high) == (0, 0, 0)


@pytest.mark.parametrize("contender", list_contenders(), ids=lambda contender: contender.key)
def test_bytes_are_those_of_the_numbers_that_are_kept(contender) -> None:
    count, _, kind = contender.kept.replace(",", "").rpartition(" ")
    if kind in ("floats", "bits") and "×" not in count:
        assert contender.bytes * 8 == int(count) * {"floats": 32, "bits": 1}[kind]
    if contender.network is not None and contender.name in ("features", "binarised"):
        backbone = NETWORKS[contender.network].backbone
        assert find_backbone(backbone).feature_size == int(count)


def test_no_two_contenders_share_a_name() -> None:
    shown = [(one.network, one.name, one.kept) for one in list_contenders()]
    assert len(set(shown)) == len(shown)


def test_a_query_finds_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "PHOTOS", 50)
    monkeypatch.setattr(latency, "BLOCK", 25)
    monkeypatch.setattr(latency, "BEST", 1)
    assert latency.search_bits(128)().tolist() == [0]  # the query is the first row
    assert latency.search_windows(2, 8)().tolist()[0] % 25 == 0
    monkeypatch.setattr(latency, "BEST", 20)
    rows = np.random.default_rng(0).standard_normal((50, 16), np.float32)
    expected = np.argsort(rows @ rows[0])[-20:]
    assert sorted(latency.search_floats(16)()) == sorted(expected)


def test_a_network_without_weights_is_told_and_never_random(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(name: str, weights: str, *_: object, **__: object) -> None:
        asked.append(weights)
        raise NoDownloadError("cannot download it", ())

    monkeypatch.setattr("experiments.visual_embeddings.sight.build_trunk", refuse)
    monkeypatch.setattr("experiments.visual_embeddings.sight.ROOT", tmp_path)
    with pytest.raises(NoDownloadError):
        Network("googlenet", "googlenet").build()
    (tmp_path / "checkpoints").mkdir()
    file = tmp_path / "checkpoints" / "googlenet_imagenet.safetensors"
    file.touch()
    with pytest.raises(NoDownloadError):
        Network("googlenet", "googlenet").build()
    assert asked == ["imagenet", str(file)]


@pytest.mark.parametrize("name", ["googlenet", "mobilenet_v2"])
def test_a_network_whose_weights_are_in_their_file_is_looked_through(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = NETWORKS[name]
    monkeypatch.setattr("experiments.visual_embeddings.sight.ROOT", tmp_path)
    network.file.parent.mkdir()
    save_file(find_backbone(network.backbone).build().state_dict(), network.file)
    path = tmp_path / "photo.png"
    Image.effect_noise((64, 48), 50).convert("RGB").save(path)
    photo = Photo(path, "photo.png", "place")
    views = (View(photo), View(photo, "hflip"))
    rows = look_through(network, network.build(), views, open_bank(tmp_path / "bank", 1), 1)
    assert rows[FEATURES].shape == (2, find_backbone(network.backbone).feature_size)
    assert not np.array_equal(rows[FEATURES][0], rows[FEATURES][1])
    assert (WINDOWS in rows) == network.windows


def test_what_was_not_measured_stands_last_with_no_number() -> None:
    share = {"value": 0.5, "low": 0.25, "high": 0.75}
    row = {
        "network": "n",
        "name": "features",
        "kept": "8 floats",
        "bytes": 32,
        "query_ms": 0.5,
        "other_photo": share,
        "over_baseline": share,
        "copies": share,
    }
    lost = row | {"name": "lost", "other_photo": None, "over_baseline": None, "copies": None}
    lines = write_table({"rows": [lost, row]}).splitlines()
    assert lines[2] == (
        "| n | features | 8 floats | 0.500 [0.250, 0.750] | +0.500 [+0.250, +0.750] | "
        "0.500 [0.250, 0.750] | 32 | 0.50 |"
    )
    assert lines[3] == "| n | lost | 8 floats | not measured | – | not measured | 32 | 0.50 |"


def test_the_page_says_what_was_measured_of_every_contender() -> None:
    text, measured = PAGE.read_text(), json.loads(METRICS.read_text())
    assert fill_page(text, measured) == text
    rows = [(row["network"], row["name"], row["kept"]) for row in measured["rows"]]
    assert rows == [(one.network, one.name, one.kept) for one in list_contenders()]
    for row in measured["rows"]:
        assert (row["not_measured"] is None) == (row["other_photo"] is not None)
    assert measured["machine"]
    assert measured["versions"]
    assert not measured["git_commit"].endswith("+")

"""What is compared: a row of the table each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from experiments.visual_embeddings.embeddings import RIDGE, Embedding, Projections, Recipe
from experiments.visual_embeddings.latency import (
    search_bits,
    search_floats,
    search_histograms,
    search_windows,
    time_local_features,
    time_query,
)
from experiments.visual_embeddings.sight import Unlabelled
from experiments.visual_embeddings.trained import NUMBERS, CombinedEvidence, TrainedEmbedding
from seentwice.data.source import tell_nobody
from seentwice.detectors.descriptor import Rows
from seentwice.detectors.hashes import hash_similarity
from seentwice.detectors.histogram import histogram_similarity
from seentwice.detectors.keypoints import LOCAL_FEATURES, MOST, POSITION_BYTES
from seentwice.detectors.protocol import Evidence
from seentwice.detectors.regions import RegionSimilarity
from seentwice.detectors.similarity import ZeroShot
from seentwice.detectors.verification import VerifiedMatches
from seentwice.detectors.whitening import WhitenedCosine
from seentwice.models.trunk import Trunk

FLOAT_BYTES = 4
WHITENED = 1.0  # powers of the whitening, as `fit_whitening` takes them
HALF_WHITENED = 0.5
PCA = 0.0
WINDOWS = 16
COLOURS = 512
HASH_BITS = 64
LOCAL_BYTES = MOST * (POSITION_BYTES + LOCAL_FEATURES["sift"].bytes)


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What a fold makes a measure of, beside its pairs."""

    rows: Rows  # of all views
    trunk: Trunk | None  # the network; None for what takes none
    unlabelled: Unlabelled | None  # as the network sees them
    projections: Projections | None


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to say how near two photos are."""

    network: str | None  # a key of `NETWORKS`; None for what takes none
    name: str
    kept: str  # of a photo, in words
    bytes: int  # likewise
    learns: bool  # from photos of other homes, so that each fold has its own
    make: Callable[[Material], Evidence]
    time: Callable[[Rows], float]  # milliseconds of a query, given the plain rows

    @property
    def key(self) -> str:
        """What tells it from the others."""
        return f"{self.network or 'none'}: {self.name}, {self.kept}"


def list_contenders() -> tuple[Contender, ...]:
    """Return all of them, in the order in which they are measured."""
    paper = [
        _project("vgg16_pool5", "features", 25_088, Recipe()),
        _project("vgg16_fc7", "features", 4_096, Recipe()),
        _project("googlenet", "features", 1_024, Recipe()),
        _project("googlenet", "binarised", 1_024, Recipe(bits=True)),
    ]
    pooled = [
        _project("mobilenet_v2_gem", "features", 1_280, Recipe()),
        _project("mobilenet_v2_gem", "binarised", 1_280, Recipe(bits=True)),
        _project("mobilenet_v2_gem", "whitened", 256, Recipe(WHITENED, 256)),
    ]
    return (
        *paper,
        *_list_projected("mobilenet_v2"),
        *pooled,
        *_list_projected("efficientnet_lite2"),
        *_list_learned("mobilenet_v2"),
        *_list_learned("efficientnet_lite2"),
        *_list_plain(),
    )


def _list_projected(network: str) -> list[Contender]:
    """Return pooling, binarising and projections of a network of 1,280 features."""
    return [
        _project(network, "features", 1_280, Recipe()),
        _project(network, "binarised", 1_280, Recipe(bits=True)),
        _project(network, "PCA", 256, Recipe(PCA, 256)),
        _project(network, "PCA", 128, Recipe(PCA, 128)),
        # A whitening's bits are the same ones: it scales each number by itself.
        _project(network, "PCA, binarised", 1_280, Recipe(PCA, bits=True)),
        _project(network, "PCA, binarised", 256, Recipe(PCA, 256, bits=True)),
        _project(network, "half-whitened", 1_280, Recipe(HALF_WHITENED)),
        _project(network, "half-whitened", 256, Recipe(HALF_WHITENED, 256)),
        _project(network, "half-whitened", 128, Recipe(HALF_WHITENED, 128)),
        _project(network, "whitened", 1_280, Recipe(WHITENED)),
        _project(network, "whitened", 256, Recipe(WHITENED, 256)),
        _project(network, "whitened", 128, Recipe(WHITENED, 128)),
    ]


def _project(network: str, name: str, numbers: int, recipe: Recipe) -> Contender:
    kind, size = ("bits", numbers // 8) if recipe.bits else ("floats", FLOAT_BYTES * numbers)
    search = search_bits if recipe.bits else search_floats

    def make(material: Material) -> Evidence:
        assert material.projections is not None
        return Embedding(recipe, material.projections)

    learns = recipe.bits or recipe.power is not None
    kept = f"{numbers:,} {kind}"
    return Contender(
        network, name, kept, size, learns, make, lambda rows: time_query(search(numbers))
    )


def _list_learned(network: str) -> list[Contender]:
    """Return a trained embedding, the windows of the map, and all measures combined."""
    windows_bytes = FLOAT_BYTES * WINDOWS * 1_280
    members_bytes = windows_bytes + FLOAT_BYTES * (1_280 + COLOURS) + LOCAL_BYTES

    def time_windows(rows: Rows) -> float:
        return time_query(search_windows(WINDOWS, 1_280))

    def time_members(rows: Rows) -> float:
        others = time_query(search_floats(1_280)) + time_query(search_histograms(COLOURS))
        return time_windows(rows) + others + time_local_features(rows["sift"])

    return [
        Contender(
            network,
            "trained by triplets",
            f"{NUMBERS} floats",
            FLOAT_BYTES * NUMBERS,
            True,
            _make_trained,
            lambda rows: time_query(search_floats(NUMBERS)),
        ),
        Contender(
            network,
            "regions",
            f"{WINDOWS} × 1,280 floats",
            windows_bytes,
            True,
            _make_regions,
            time_windows,
        ),
        Contender(
            network,
            "combined",
            "whitened, regions, colours, SIFT",
            members_bytes,
            True,
            lambda material: CombinedEvidence(_make_members(material)),
            time_members,
        ),
    ]


def _list_plain() -> list[Contender]:
    return [
        Contender(
            None,
            "pHash",
            f"{HASH_BITS} bits",
            HASH_BITS // 8,
            False,
            lambda material: ZeroShot(hash_similarity("perception")),
            lambda rows: time_query(search_bits(HASH_BITS)),
        ),
        Contender(
            None,
            "SIFT, verified",
            f"{MOST} points",
            LOCAL_BYTES,
            False,
            lambda material: VerifiedMatches("sift", 1, tell_nobody),
            lambda rows: time_local_features(rows["sift"]),
        ),
        Contender(
            None,
            "colour histogram",
            f"{COLOURS} floats",
            FLOAT_BYTES * COLOURS,
            False,
            lambda material: ZeroShot(histogram_similarity),
            lambda rows: time_query(search_histograms(COLOURS)),
        ),
    ]


def _make_trained(material: Material) -> Evidence:
    assert material.trunk is not None
    return TrainedEmbedding(material.trunk, _features(material))


def _make_regions(material: Material) -> Evidence:
    assert material.unlabelled is not None
    return RegionSimilarity(WHITENED, RIDGE, material.unlabelled.windows, tell_nobody)


def _make_members(material: Material) -> Mapping[str, Evidence]:
    """Return what experiments/same_place combines."""
    return {
        "whitened_cosine": WhitenedCosine(WHITENED, RIDGE, _features(material)),
        "regions": _make_regions(material),
        "histogram": ZeroShot(histogram_similarity),
        "sift": VerifiedMatches("sift", 1, tell_nobody),
    }


def _features(material: Material) -> np.ndarray:
    assert material.unlabelled is not None
    return material.unlabelled.features

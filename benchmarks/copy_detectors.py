"""Everything that scores a copy beside an original in benchmarks/copies.py, by name."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from copy_measures import CrossPairs
from hydra import compose, initialize_config_dir
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from seentwice.commands.application import find_configs
from seentwice.commands.nets import net_trainer
from seentwice.data.pairs import PairTable, make_pairs
from seentwice.data.sampling.items import codes_of
from seentwice.data.sampling.mix import MixedPolicy, NegativeMix, PositiveMix
from seentwice.detectors.calibration import Calibration, fit_calibration
from seentwice.detectors.combined import Combination, fit_combination
from seentwice.detectors.descriptor import Rows
from seentwice.detectors.familiarity import measure_familiarity
from seentwice.detectors.hashes import hash_column
from seentwice.detectors.histogram import HistogramDescriptor
from seentwice.detectors.trunk import FEATURES, unit_rows
from seentwice.hamming import hamming_bits
from seentwice.hashing import HASHES
from seentwice.models.difference_heads import L2Head
from seentwice.models.nets import SiameseNet, embed_views
from seentwice.models.towers import WhitenedTower
from seentwice.models.trunk import Trunk
from seentwice.records import View

PEER_CNN, PEER_HASH = "imagededup_cnn", "imagededup_phash"
"""Names of the rows that imagededup makes, and of the detectors."""

POWER, RIDGE = 1.0, 1.0  # of the whitening, as `compare` has them
NEIGHBOURS = 1  # of a copy in the background; chosen on validation homes
BLOCK = 64  # queries that are scored at once: bounds the memory of what is between
TRAINING = (
    "training.epochs=8",
    "training.batch_size=128",
    "training.batches_per_epoch=20",
    "optimizer.lr=0.0001",
)
POLICY = MixedPolicy(
    3_000,
    6_000,
    PositiveMix(edited=1.0, same_place=1.0, exact_copy=1.0),
    NegativeMix(uniform=1.0, hash_weighted=0.0, same_property=0.0, same_room_type=0.0, hard=0.0),
)

Views = NDArray[np.int64]
Scorer = Callable[[Views, Views], NDArray[np.float32]]
"""From views (q,) and views (r,) to how surely each shows what each of the others does, (q, r)."""
Embed = Callable[[Views], NDArray[np.float32]]
"""From views (n,) to their embeddings (n, e)."""


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What detectors of one strength learn from; indices are into the views."""

    views: Sequence[View]
    rows: Rows
    photos: Views  # of the learning homes, as they are
    copies: Views  # of some of these, edited
    originals: Views  # of these few, as they are
    validation: CrossPairs


def make_scorers(lesson: Lesson, trunk: Trunk, weights: str) -> dict[str, Scorer]:
    """Fit every detector that learns, and return all by name."""
    rows = lesson.rows
    features = torch.from_numpy(rows[FEATURES])
    both = np.concatenate([lesson.photos, lesson.copies])
    plain, copied = (fit_tower(features, views) for views in (lesson.photos, both))
    l2, infonce = (train_net(head, lesson, trunk, weights) for head in ("l2", "infonce"))
    hashes = {name: hash_scorer(hash_column(rows, name)) for name in HASHES}
    histogram, difference = histogram_scorer(rows[HistogramDescriptor.name]), hashes["difference"]
    cnn = unit_rows(rows[PEER_CNN])
    unit = unit_rows(rows[FEATURES])
    normalised = normalised_scorer(copied, lesson.photos)
    return {
        **hashes,
        PEER_HASH: hash_scorer(rows[PEER_HASH][:, 0]),
        PEER_CNN: product_scorer(lambda views: cnn[views]),
        "histogram": histogram,
        "cosine": product_scorer(lambda views: unit[views]),
        "whitened_cosine, photos": product_scorer(plain),
        "whitened_cosine": product_scorer(copied),
        "l2": distance_scorer(scale_by_head(l2, features)),
        "infonce": product_scorer(embed_with(infonce, features)),
        "normalised_cosine": normalised,
        "normalised_cosine of infonce": normalised_scorer(
            embed_with(infonce, features), lesson.photos
        ),
        "combined": combine([normalised, histogram, difference], lesson.validation),
    }


def score_all(scorer: Scorer, query: Views, reference: Views) -> NDArray[np.float32]:
    """Score every query beside every reference, (q, r), a block of queries at a time."""
    scores = np.empty((len(query), len(reference)), np.float32)
    for start in range(0, len(query), BLOCK):
        scores[start : start + BLOCK] = scorer(query[start : start + BLOCK], reference)
    return scores


def hash_scorer(hashes: NDArray[np.uint64]) -> Scorer:
    """Score by minus the Hamming distance of hashes (v,)."""

    def score(query: Views, reference: Views) -> NDArray[np.float32]:
        bits = hamming_bits(hashes[query][:, np.newaxis], hashes[reference])
        return -bits.astype(np.float32)

    return score


def histogram_scorer(histograms: NDArray[np.float32]) -> Scorer:
    """Score by the intersection of histograms (v, 512), as `histogram_similarity` does."""

    def score(query: Views, reference: Views) -> NDArray[np.float32]:
        others = histograms[reference]
        return np.stack([np.minimum(own, others).sum(axis=1) for own in histograms[query]])

    return score


def product_scorer(embed: Embed) -> Scorer:
    """Score by the product of embeddings: of unit length, their cosine."""
    return lambda query, reference: embed(query) @ embed(reference).T


def distance_scorer(embed: Embed) -> Scorer:
    """Score by minus the squared distance of embeddings."""

    def score(query: Views, reference: Views) -> NDArray[np.float32]:
        own, others = embed(query), embed(reference)
        squares = (own**2).sum(axis=1)[:, np.newaxis] + (others**2).sum(axis=1)
        distances: NDArray[np.float32] = 2 * own @ others.T - squares
        return distances

    return score


def normalised_scorer(embed: Embed, background: Views) -> Scorer:
    """Score by the cosine less the query's familiarity with the background."""
    known = embed(background)

    def score(query: Views, reference: Views) -> NDArray[np.float32]:
        own = embed(query)
        familiarity = measure_familiarity(own, known, NEIGHBOURS)
        return own @ embed(reference).T - familiarity[:, np.newaxis]

    return score


def combine(members: Sequence[Scorer], validation: CrossPairs) -> Scorer:
    """Weigh calibrated detectors as `combined` does, on all cross pairs of the validation homes."""
    counted = np.nonzero(validation.counts)
    label = validation.is_true[counted]
    evidence = [
        score_all(member, validation.query, validation.reference)[counted] for member in members
    ]
    calibrations = [fit_calibration(column, label) for column in evidence]
    said = np.stack([fit(column) for fit, column in zip(calibrations, evidence, strict=True)], 1)
    homes = len(np.unique(validation.home))
    return combined_scorer(members, calibrations, fit_combination(said, label, homes))


def combined_scorer(
    members: Sequence[Scorer], calibrations: Sequence[Calibration], combination: Combination
) -> Scorer:
    """Score by the logit of a combination."""

    def score(query: Views, reference: Views) -> NDArray[np.float32]:
        said = [
            calibrate(member(query, reference).ravel())
            for calibrate, member in zip(calibrations, members, strict=True)
        ]
        total = combination.logits(np.stack(said, axis=1))
        return total.reshape(len(query), len(reference)).astype(np.float32)

    return score


def fit_tower(features: Tensor, views: Views) -> Embed:
    """Return the whitened embeddings, of unit length, by a whitening of some views."""
    tower = WhitenedTower(features.shape[1], features.shape[1])
    tower.start_from(features[torch.from_numpy(views)], POWER, RIDGE)
    return keep_embeddings(lambda: tower(features).detach().numpy())


def embed_with(net: SiameseNet, features: Tensor) -> Embed:
    """Return the embeddings of a trained net."""
    every = torch.arange(len(features))
    return keep_embeddings(lambda: embed_views(net, features, every).numpy())


def scale_by_head(net: SiameseNet, features: Tensor) -> Embed:
    """Return embeddings whose squared distance is the weighted difference of an L2 head."""
    head = net.head
    if not isinstance(head, L2Head):
        raise TypeError(f"{type(head).__name__}: an L2 head alone is a distance")
    scale = F.softplus(head.raw_weight).sqrt().detach().numpy()
    embed = embed_with(net, features)
    return lambda views: embed(views) * scale


def keep_embeddings(compute: Callable[[], NDArray[np.float32]]) -> Embed:
    """Compute the embeddings of all views once."""
    kept = compute()
    return lambda views: kept[views]


def train_net(head: str, lesson: Lesson, trunk: Trunk, weights: str) -> SiameseNet:
    """Train a head as `seentwice train` does, on the copies of the learning homes."""
    words = ("data=houses", "backbone=mobilenet_v2", f"backbone.weights={weights}")
    with initialize_config_dir(str(find_configs()), version_base="1.3"):
        config = compose("train", [*words, f"head={head}", *TRAINING])
    train = draw_table(lesson, np.concatenate([lesson.originals, lesson.copies]))
    checked = np.concatenate([lesson.validation.query, lesson.validation.reference])
    with tempfile.TemporaryDirectory() as folder:
        trainer = net_trainer(
            config, head, trunk, Path(folder), None, None, None, False, lambda done, total: None
        )
        return trainer(train, draw_table(lesson, checked), lesson.rows[FEATURES])


def draw_table(lesson: Lesson, members: Views) -> PairTable:
    """Draw pairs of some views, by `POLICY`."""
    keys = codes_of([view.photo.key for view in lesson.views]).astype(np.uint64)
    return make_pairs(tuple(lesson.views), np.sort(members), keys, keys, POLICY, None, 1, [0])


DETECTORS: Mapping[str, str] = {
    "histogram": "colours",
    "cosine": "features",
    "whitened_cosine, photos": "features whitened by the learning homes' photos",
    "whitened_cosine": "and by their copies",
    "l2": "an L2 head trained on those copies",
    "infonce": "a projection trained on them without labels",
    "normalised_cosine": "whitened_cosine less the copy's familiarity",
    "normalised_cosine of infonce": "infonce less the copy's familiarity",
    "combined": "normalised_cosine, histogram and difference, weighed on validation homes",
}
"""What each of ours but the hashes compares."""

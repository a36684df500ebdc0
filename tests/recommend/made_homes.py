"""An index of made photos, and the slow way to recommend from it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seentwice.index.near_index import NearIndex
from seentwice.recommend.listing_columns import list_records
from seentwice.recommend.listing_table import replace_listings
from seentwice.recommend.listings import ListingRecord, Listings
from seentwice.recommend.photo_reader import ReaderChoice
from seentwice.recommend.photo_table import describe_photos
from seentwice.recommend.recommender import Recommender
from seentwice.recommend.scores import ScoreWeights
from seentwice.recommend.snapshot import LISTINGS, About, Snapshot
from seentwice.records import TagHead, TagSet

TAGS = TagSet(
    (
        TagHead("front", ("front", "room")),
        TagHead("style", ("modern", "ranch", "spanish")),
        TagHead("room_type", ("kitchen", "bath")),
        TagHead("pool", ("yes", "no")),
    )
)
ABOUT = About(
    generation=0,
    fingerprint="made",
    tags=TAGS,
    reader=ReaderChoice("tagger", "made.safetensors", None, 10**8),
    grouping="table",
    weights=ScoreWeights(),
)


def make_values(seed: int, photos: int, size: int = 6) -> NDArray[np.float32]:
    """Probabilities of which some are sure, and embeddings of which some are equal."""
    rng = np.random.default_rng(seed)
    heads = [rng.dirichlet([0.4] * len(head.labels), photos) for head in TAGS.heads]
    embeddings = rng.normal(size=(photos, size)).round()
    embeddings[:, 0] += 0.5  # none is zero
    return np.concatenate([*heads, embeddings], axis=1).astype(np.float32)


def make_snapshot(values: NDArray[np.float32]) -> Snapshot:
    """Photos named p0, p1, ... with these values."""
    digests = np.random.default_rng(1).integers(0, 256, (len(values), 32)).astype(np.uint8)
    keys = [f"p{number}" for number in range(len(values))]
    photos, rows = describe_photos(keys, digests, TAGS, values)
    near = NearIndex.create(rows.shape[1])
    near.add(np.arange(len(rows)), rows)
    return Snapshot(ABOUT, photos, near)


def make_records(seed: int, photos: int) -> list[ListingRecord]:
    """Listings of up to four photos, in two cities; some photos are shown by two, some by none."""
    rng = np.random.default_rng(seed)
    return [
        ListingRecord(
            f"L{number:03}",
            tuple(f"p{photo}" for photo in rng.choice(photos, rng.integers(1, 5), replace=False)),
            {"city": ("Paris", "Lyon")[number % 2], "price": str(number * 1_000)},
        )
        for number in range(photos // 2)
    ]


def open_made(folder: Path, snapshot: Snapshot, records: list[ListingRecord]) -> Recommender:
    replace_listings(folder / LISTINGS, records)
    return Recommender(folder, folder, snapshot, list_records(records, snapshot.photos.number()))


def score_slowly(
    values: NDArray[np.float32], asked: int, found: int, weights: ScoreWeights
) -> tuple[float, float, float]:
    """The three parts of the score of two photos, one by one."""
    labels = []
    for photo in (asked, found):
        chosen = []
        for head, columns in zip(TAGS.heads, TAGS.columns, strict=True):
            likely = values[photo, columns]
            best = int(likely.argmax())
            chosen.append(head.labels[best] if likely[best] >= 0.5 else None)
        if chosen[0] == "front":
            chosen[2] = None
        else:
            chosen[1] = None
        labels.append(chosen)
    one, other = labels
    class_points = weights.class_points * (one[0] == other[0] == "front")
    agree = sum(a is not None and a == b for a, b in zip(one[1:], other[1:], strict=True))
    known = sum(a is not None for a in one[1:])
    tag_points = weights.tag_points * agree / known if known else 0.0
    left, right = (values[photo, TAGS.width :].astype(np.float64) for photo in (asked, found))
    cosine = left @ right / (np.linalg.norm(left) * np.linalg.norm(right))
    visual = weights.visual_similarity * (1 + cosine) / 2
    return class_points, tag_points, visual


def list_shown(listings: Listings) -> dict[str, list[int]]:
    return {
        listings.ids[number]: listings.photos_of(number).tolist() for number in range(len(listings))
    }

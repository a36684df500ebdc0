"""Fit what weighs the likeness of two photos where there are no weights of a network.

    python benchmarks/hash_verifier.py data/raw/houses

The learning homes of the Houses-dataset (houses_split.py) give originals; every edit of every
strength (`seentwice.edits.STRENGTHS`) gives a copy of each, saved as JPEG. Pairs of an original and
any other photo or copy teach where one of their hashes is at most 18 bits apart: a copy of it, or a
stranger. Strangers weigh as if the catalogue had 100,000 photos, of which there are so many more
pairs; pairs that the set is known to hold twice (houses_duplicates.csv) are left out. The second
fit is of copies that are mirrored or turned besides, each in one of seven ways.

Two cores, 6 minutes. Writes src/seentwice/dedupe/hash_verifier.json; what it is worth on other
homes is measured by benchmarks/dedupe.py.
"""

import csv
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
from houses_split import split_houses
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

import seentwice.data.houses as houses
from seentwice.block_hashing import SIGNATURE_BYTES, BlockLook, look_at_blocks
from seentwice.commands.progress import open_console, show_progress
from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.dedupe.likeness import FEATURES, TURNED_FEATURES, measure_likeness, measure_turned
from seentwice.dedupe.pictures import PhotoTable
from seentwice.dedupe.turning import orient, turn_signatures
from seentwice.edits import STRENGTHS, apply_edit, draw_edits
from seentwice.files import write_atomically
from seentwice.hamming import hamming_bits
from seentwice.photos import read_photo
from seentwice.photos.block_means import decode_block_means
from seentwice.records import Photo

RESULT = Path(houses.__file__).parents[1] / "dedupe" / "hash_verifier.json"
TWINS = Path(houses.__file__).parent / "houses_duplicates.csv"
MAX_PIXELS = 100_000_000
MOST_BITS = 18
CATALOGUE_PHOTOS = 100_000
EDITS = tuple(dict.fromkeys(edit for edits in STRENGTHS.values() for edit in edits))
PENALTY = 1e4
TURNS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Originals and copies of photos."""

    table: PhotoTable
    photo: NDArray[np.int64]  # (n,) which photo each shows
    is_copy: NDArray[np.bool_]  # (n,)


def main() -> None:
    """Look, fit and write."""
    root = Path(sys.argv[1])
    photos = houses.read_houses(root).photos
    split = split_houses(photos)
    learning = [photos[n] for n in np.sort(np.concatenate((split.train, split.validation)))]
    looks = look_at_copies(learning)
    twins = read_twins(learning)
    upright = fit(*list_pairs(looks, twins), FEATURES)
    turned = fit(*list_turned_pairs(looks, twins), TURNED_FEATURES)
    result = {
        "command": " ".join(["python benchmarks/hash_verifier.py", *sys.argv[1:]]),
        "machine": describe_machine(),
        "git_commit": git_commit(),
        "versions": library_versions(),
        "photos": len(learning),
        "copies": int(looks.is_copy.sum()),
        "catalogue_photos": CATALOGUE_PHOTOS,
        "upright": upright,
        "turned": turned,
    }
    write_atomically(RESULT, json.dumps(result, indent=2) + "\n")
    open_console().print({name: result[name] for name in ("upright", "turned")})


def look_at_copies(photos: list[Photo]) -> Looks:
    """Hash every photo and a copy of it by every edit."""
    console, context = open_console(), get_context("spawn")
    looks: list[tuple[int, int, BlockLook]] = []
    number, is_copy = [], []
    with (
        show_progress("Looking at copies", console) as progress,
        ProcessPoolExecutor(os.cpu_count(), context) as pool,
    ):
        for photo, views in enumerate(pool.map(look_at_views, photos, chunksize=4)):
            for place, view in enumerate(views):
                looks.append(view)
                number.append(photo)
                is_copy.append(place > 0)
            progress(photo + 1, len(photos))
    count = len(looks)
    table = PhotoTable(
        keys=pa.array([str(n).encode() for n in range(count)], pa.large_binary()),
        size_bytes=np.zeros(count, np.int64),
        modified_ns=np.zeros(count, np.int64),
        sha256=np.zeros((count, 32), np.uint8),
        width=np.array([width for width, _, _ in looks], np.uint32),
        height=np.array([height for _, height, _ in looks], np.uint32),
        hashes=np.array([look.hashes for _, _, look in looks], np.uint64),
        signature=np.frombuffer(b"".join(look.signature for _, _, look in looks), np.uint8).reshape(
            count, SIGNATURE_BYTES
        ),
        has_content=np.array([look.has_content for _, _, look in looks]),
        is_own=np.ones(count, bool),
    )
    return Looks(table, np.array(number), np.array(is_copy))


def look_at_views(photo: Photo) -> list[tuple[int, int, BlockLook]]:
    """Return the sizes and looks of a photo, then of its copies."""
    image = read_photo(photo.path, MAX_PIXELS)
    seen = [decode_block_means(photo.path.read_bytes(), photo.path, MAX_PIXELS)]
    for edit in draw_edits(photo.key, EDITS, 0):
        stream = BytesIO()
        apply_edit(image, edit).save(stream, "JPEG", quality=95, subsampling="4:4:4")
        seen.append(decode_block_means(stream.getvalue(), photo.path, MAX_PIXELS))
    return [(view.width, view.height, look_at_blocks(view.means)) for view in seen]


def read_twins(photos: list[Photo]) -> set[tuple[int, int]]:
    """Return the pairs of photos that show one thing in truth, in both orders."""
    number = {photo.path.name: n for n, photo in enumerate(photos)}
    with TWINS.open(newline="") as file:
        pairs = [
            (number.get(row["left"]), number.get(row["right"])) for row in csv.DictReader(file)
        ]
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    return {*known, *((b, a) for a, b in known)}


Pairs = tuple[NDArray[np.float64], NDArray[np.bool_], int]
"""Features (m, f), whether each pair is of a copy (m,), photos."""


def list_pairs(looks: Looks, twins: set[tuple[int, int]]) -> Pairs:
    """Measure pairs of an original and another look whose hashes are near as they are."""
    hashes, features, labels = looks.table.hashes, [], []
    for original in np.flatnonzero(~looks.is_copy).tolist():
        bits = hamming_bits(hashes[original], hashes).min(axis=1)
        other = choose_others(looks, original, bits, twins)
        features.append(measure_likeness(looks.table, np.full(len(other), original), other))
        labels.append(looks.photo[other] == looks.photo[original])
    return np.concatenate(features), np.concatenate(labels), int(looks.photo.max()) + 1


def list_turned_pairs(looks: Looks, twins: set[tuple[int, int]]) -> Pairs:
    """Measure pairs of an original and another look that is turned, in a way of its own."""
    turns = np.random.default_rng(0).integers(1, TURNS, len(looks.photo)).astype(np.uint8)
    turns[~looks.is_copy] = 0
    on_side = turns >= TURNS // 2
    table = PhotoTable(
        keys=looks.table.keys,
        size_bytes=looks.table.size_bytes,
        modified_ns=looks.table.modified_ns,
        sha256=looks.table.sha256,
        width=np.where(on_side, looks.table.height, looks.table.width),
        height=np.where(on_side, looks.table.width, looks.table.height),
        hashes=looks.table.hashes,
        signature=turn_signatures(looks.table.signature, turns),
        has_content=looks.table.has_content,
        is_own=looks.table.is_own,
    )
    orientations = orient(table.signature)
    features, labels = [], []
    for original in np.flatnonzero(~looks.is_copy).tolist():
        near = hamming_bits(orientations.hashes[original, 0], orientations.hashes).min(axis=1)
        other = choose_others(looks, original, near, twins)
        alike = measure_turned(table, orientations, np.full(len(other), original), other)
        features.append(alike.features[alike.is_turned])
        labels.append((looks.photo[other] == looks.photo[original])[alike.is_turned])
    return np.concatenate(features), np.concatenate(labels), int(looks.photo.max()) + 1


def choose_others(
    looks: Looks, original: int, bits: NDArray[np.uint8], twins: set[tuple[int, int]]
) -> NDArray[np.int64]:
    """Return the looks near an original, but it, blank ones and those of its twin."""
    near = np.flatnonzero((bits <= MOST_BITS) & looks.table.has_content)
    own = int(looks.photo[original])
    twin = [b for a, b in twins if a == own]
    return near[(near != original) & ~np.isin(looks.photo[near], twin)]


def fit(
    features: NDArray[np.float64], labels: NDArray[np.bool_], photos: int, names: tuple[str, ...]
) -> dict[str, object]:
    """Fit a logistic regression; strangers weigh as in a catalogue of `CATALOGUE_PHOTOS`."""
    weights = np.where(labels, 1.0, CATALOGUE_PHOTOS / photos)
    scale = features.std(axis=0)
    model = LogisticRegression(C=PENALTY, max_iter=5000).fit(features / scale, labels, weights)
    coefficients = model.coef_[0] / scale
    return {
        "copies": int(labels.sum()),
        "strangers": int((~labels).sum()),
        "coefficients": {
            name: round(float(value), 4) for name, value in zip(names, coefficients, strict=True)
        },
        "intercept": round(float(model.intercept_[0]), 4),
    }


if __name__ == "__main__":
    main()

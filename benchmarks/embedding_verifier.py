"""Fit what weighs the embeddings of two photos beside their hashes, for any checkpoint.

    seentwice variants PHOTOS COPIES/mls --strength mls   (and web, attack)
    python benchmarks/embedding_verifier.py PHOTOS COPIES WEIGHTS

PHOTOS is data/raw/houses, WEIGHTS those of MobileNetV2 as a safetensors file. The photos of the
learning homes (houses_split.py) are a catalogue together with the copies of 300 of them. Pairs of
a photo as it is and any other picture teach that are candidates (`EmbeddingVerifier`), and all
copies. Strangers weigh as if the catalogue had 100,000 photos, as in hash_verifier.py, whose score
is one of the features.

So that the weights serve other checkpoints, they are fitted on five towers at once, from features
as they are to whitened ones: the nearer strangers of one come to copies, the farther a pair of it
must have come. What the weights are worth on other homes is measured by benchmarks/dedupe.py.

One core: 4 minutes of its time. Writes src/seentwice/dedupe/embedding_verifier.json.
"""

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from hash_verifier import CATALOGUE_PHOTOS, MAX_PIXELS, fit, read_twins
from houses_split import split_houses
from numpy.typing import NDArray

import seentwice.data.houses as houses
from seentwice.commands.progress import open_console, show_progress
from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.dedupe.embedding import Embeddings
from seentwice.dedupe.embedding_verifier import FEATURES, EmbeddingVerifier
from seentwice.dedupe.looking import Looking, look_at_files
from seentwice.dedupe.pictures import PhotoTable
from seentwice.dedupe.turning import orient
from seentwice.detectors.embedding_rows import embed_photos
from seentwice.detectors.trunk import unit_rows
from seentwice.edits import STRENGTHS
from seentwice.files import write_atomically
from seentwice.hamming import hamming_bits
from seentwice.models.backbones import build_trunk
from seentwice.models.engines import Passing, open_engine
from seentwice.models.towers import WhitenedTower
from seentwice.records import Photo

RESULT = Path(houses.__file__).parents[1] / "dedupe" / "embedding_verifier.json"
COPIED_PHOTOS = 300
MOST_BITS = 12
TOWERS: tuple[tuple[float, int], ...] = ((1, 1280), (1, 256), (0.5, 1280), (0.25, 256), (0, 1280))
"""Power of a whitening, 0 for none, and the size of its embeddings."""


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """Photos and copies of some."""

    files: Sequence[Path]
    photo: NDArray[np.int64]  # (n,) which photo each shows
    is_copy: NDArray[np.bool_]  # (n,)


def main() -> None:
    """Look, embed, fit and write."""
    root, copies, weights = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    photos = houses.read_houses(root).photos
    split = split_houses(photos)
    learning = [photos[n] for n in np.sort(np.concatenate((split.train, split.validation)))]
    catalogue = list_pictures(learning, copies)
    table = look_at(catalogue)
    features = embed(catalogue, weights)
    parts = [
        list_pairs(catalogue, table, apply_tower(features, power, size), read_twins(learning))
        for power, size in TOWERS
    ]
    measured, labels = (np.concatenate(values) for values in zip(*parts, strict=True))
    result = {
        "command": "python benchmarks/embedding_verifier.py PHOTOS COPIES WEIGHTS",
        "machine": describe_machine(),
        "git_commit": git_commit(),
        "versions": library_versions(),
        "photos": len(learning),
        "pictures": len(catalogue.files),
        "catalogue_photos": CATALOGUE_PHOTOS,
        "towers": len(TOWERS),
        **fit(measured, labels, len(learning), FEATURES),
    }
    write_atomically(RESULT, json.dumps(result, indent=2) + "\n")
    open_console().print(result["coefficients"], result["intercept"])


def list_pictures(photos: Sequence[Photo], copies: Path) -> Catalogue:
    """List all photos, and the copies of some that are spread evenly over them."""
    chosen = np.linspace(0, len(photos) - 1, COPIED_PHOTOS).round().astype(int)
    number = {photos[n].path.name: n for n in chosen.tolist()}
    files, photo = [each.path for each in photos], list(range(len(photos)))
    for strength in STRENGTHS:
        with (copies / strength / "variants.csv").open(newline="") as table:
            for row in csv.DictReader(table):
                if row["edit"] and row["photo"] in number:
                    files.append(copies / strength / row["file"])
                    photo.append(number[row["photo"]])
    return Catalogue(files, np.array(photo), np.arange(len(files)) >= len(photos))


def look_at(catalogue: Catalogue) -> PhotoTable:
    """Return the table of these pictures."""
    looking = Looking(Path("/"), "blocks", MAX_PIXELS)
    rows = look_at_files(looking, [str(file.absolute())[1:] for file in catalogue.files])
    digests, signatures = (
        np.frombuffer(b"".join(values), np.uint8).reshape(len(rows), -1)
        for values in ([row.sha256 for row in rows], [row.signature for row in rows])
    )
    return PhotoTable(
        keys=pa.array([row.key.encode() for row in rows], pa.large_binary()),
        size_bytes=np.array([row.size_bytes for row in rows]),
        modified_ns=np.array([row.modified_ns for row in rows]),
        sha256=digests,
        width=np.array([row.width for row in rows], np.uint32),
        height=np.array([row.height for row in rows], np.uint32),
        hashes=np.array([row.hashes for row in rows], np.uint64),
        signature=signatures,
        has_content=np.array([row.has_content for row in rows]),
        is_own=np.zeros(len(rows), bool),
    )


def embed(catalogue: Catalogue, weights: str) -> NDArray[np.float32]:
    """Return the features of MobileNetV2, (n, d)."""
    trunk = build_trunk("mobilenet_v2", weights, "average", 0, "eval", seed=0)
    engine = open_engine(trunk.frozen, trunk.preprocessing, Passing("openvino", "float32"))
    with show_progress("Embedding photos", open_console()) as progress:
        batches = embed_photos(catalogue.files, engine, "reduced", 1, MAX_PIXELS, progress)
        return np.concatenate([batch.rows for batch in batches])


def apply_tower(features: NDArray[np.float32], power: float, size: int) -> NDArray[np.float32]:
    """Return embeddings of length 1, (n, size)."""
    if not power:
        return unit_rows(features)
    tower = WhitenedTower(features.shape[1], size)
    tower.start_from(torch.from_numpy(features), power, 1.0)
    with torch.inference_mode():
        embeddings: NDArray[np.float32] = tower(torch.from_numpy(features)).numpy()
    return embeddings


def list_pairs(
    catalogue: Catalogue,
    table: PhotoTable,
    rows: NDArray[np.float32],
    twins: set[tuple[int, int]],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Measure candidates and copies among the pairs of a photo and another picture."""
    count = len(rows)
    embeddings = Embeddings(rows, np.arange(count), np.ones(count, bool), ())
    verifier = EmbeddingVerifier(table, embeddings, orient(table.signature), 10)
    features, labels = [], []
    for photo in np.flatnonzero(~catalogue.is_copy & table.has_content).tolist():
        twin = [b for a, b in twins if a == photo]
        # Of two photos as they are, the pair comes once.
        is_other = (catalogue.is_copy | (np.arange(count) > photo)) & table.has_content
        other = np.flatnonzero(is_other & ~np.isin(catalogue.photo, twin))
        left = np.full(len(other), photo)
        is_true = catalogue.photo[other] == photo
        is_near = hamming_bits(table.hashes[photo], table.hashes[other]).min(axis=1) <= MOST_BITS
        cosine = (rows[other] @ rows[photo]).astype(np.float64)
        is_near |= verifier.measure_advance(left, other, cosine) > 0
        chosen = np.flatnonzero(is_true | is_near)
        pairs = left[chosen], other[chosen]
        by_hashes = verifier.hashes.score(*pairs)
        features.append(verifier.measure_pairs(*pairs, cosine[chosen], by_hashes))
        labels.append(is_true[chosen])
    return np.concatenate(features), np.concatenate(labels)


if __name__ == "__main__":
    main()

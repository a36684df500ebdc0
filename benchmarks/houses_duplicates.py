r"""Which photos the Houses-dataset holds twice: the same bytes, or saved again in another size.

    python benchmarks/houses_duplicates.py data/raw/houses \
        > src/seentwice/data/houses_duplicates.csv

Two cores, 20 seconds. Expected of houses 1 to 400: 23 pairs, 13 of them of the same bytes. The
margin, on stderr, says that no other pair comes near: perceptual hashes 12 bits apart or more,
grey thumbnails correlated to 0.85 at most.

Every pair of photos is compared, whatever house and room their names tell. A photo that was
mirrored or cut would not be found. SIFT keypoints, matched once among the 12 photos of the nearest
MobileNetV2 features (6 mirrored ones), gave no further pair: what else matched was watermarks.
"""

import csv
import hashlib
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seentwice.hamming import hamming_bits
from seentwice.hashing import hash_photo
from seentwice.photos import find_photos, read_photo

MAX_PIXELS = 100_000_000
MOST_BITS = 6
LEAST_CORRELATION = 0.99
SIDE_PX = 32


def main() -> None:
    """Compare, and write the pairs to stdout and the margin to stderr."""
    files = sorted(find_photos(Path(sys.argv[1]))[0], key=number_and_room)
    photos = [read_photo(file, MAX_PIXELS) for file in files]
    hashes = np.concatenate([hash_photo(photo, ("perception",)) for photo in photos])
    thumbnails = np.stack([standardise(photo) for photo in photos])
    digests = [digest(file) for file in files]
    left, right = np.triu_indices(len(files), 1)
    bits = hamming_bits(hashes[left], hashes[right])
    correlation = (thumbnails @ thumbnails.T)[left, right]
    found = (bits <= MOST_BITS) & (correlation >= LEAST_CORRELATION)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["left", "right", "how"])
    for one, other in zip(left[found], right[found], strict=True):
        how = "same bytes" if digests[one] == digests[other] else "saved again"
        writer.writerow([files[one].name, files[other].name, how])
    print(
        f"{found.sum()} pairs; all others: {bits[~found].min()} bits apart or more, "
        f"correlated to {correlation[~found].max():.3f} at most",
        file=sys.stderr,
    )


def number_and_room(file: Path) -> tuple[int, str]:
    """Order `9_kitchen.jpg` before `10_bathroom.jpg`."""
    number, _, room = file.stem.partition("_")
    return int(number), room


def standardise(photo: Image.Image) -> NDArray[np.float32]:
    """Return the grey thumbnail, (SIDE_PX²,), of mean 0 and length 1."""
    small = photo.convert("L").resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX)
    grey = np.asarray(small, np.float32).ravel()
    centred = grey - grey.mean()
    return centred / np.linalg.norm(centred)


def digest(file: Path) -> str:
    """Return the SHA-256 of the file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


if __name__ == "__main__":
    main()

import numpy as np
import pytest
from dedupe_real import describe_drift, hash_file, save_png
from PIL import Image

from seentwice.hashing import hash_photo


def test_drift_counts_bits_of_each_hash():
    one = np.zeros((4, 2), np.uint64)
    other = np.array([[0, 1], [0, 3], [0, 0], [7, 0]], np.uint64)

    drift = describe_drift(one, other)

    assert drift["perception"] == {
        "mean_bits": 0.75,
        "p95_bits": 3.0,
        "most_bits": 3,
        "share_moved": 0.25,
    }
    assert drift["difference"]["mean_bits"] == 0.75
    assert drift["difference"]["share_moved"] == 0.5


@pytest.fixture
def photo(tmp_path):
    pixels = np.random.default_rng(0).integers(256, size=(6, 8, 3), dtype=np.uint8)
    file = tmp_path / "a.jpg"
    Image.fromarray(pixels).resize((320, 240), Image.Resampling.BICUBIC).save(file)
    return file


def test_a_png_holds_the_pixels_of_the_photo(photo, tmp_path):
    (tmp_path / "png").mkdir()

    saved = save_png(tmp_path / "png", photo)

    assert np.array_equal(np.asarray(Image.open(saved)), np.asarray(Image.open(photo)))


def test_a_full_decoding_hashes_as_imagehash_does(photo):
    expected = hash_photo(Image.open(photo), ("perception", "difference"))

    assert hash_file("full", photo) == tuple(expected.tolist())
    assert len(hash_file("blocks", photo)) == 2


def test_a_file_without_a_photo_ends_the_measuring(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")

    with pytest.raises(SystemExit, match=r"a\.jpg: .*give a folder of whole photos"):
        hash_file("blocks", tmp_path / "a.jpg")

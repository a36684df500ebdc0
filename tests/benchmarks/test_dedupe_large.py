import csv

import numpy as np
from dedupe_copies import VARIANTS
from dedupe_large import change_files, choose_files
from PIL import Image

from seentwice.edits import STRENGTHS


def test_photos_as_they_are_come_once_and_then_copies_of_all(tmp_path):
    for strength in STRENGTHS:
        (tmp_path / strength).mkdir()
        with (tmp_path / strength / VARIANTS).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["file", "photo", "edit", "sha256"])
            for photo in ("a", "b"):
                writer.writerows([f"{photo}_{n}.jpg", f"{photo}.jpg", "", ""] for n in range(3))

    every = [str(path.relative_to(tmp_path)) for path in choose_files(tmp_path, 100)]

    assert every[:2] == ["mls/a_0.jpg", "mls/b_0.jpg"]
    firsts = [f"{s}/{photo}_1.jpg" for photo in ("a", "b") for s in sorted(STRENGTHS)]
    assert every[2:8] == firsts
    assert len(set(every)) == len(every) == 2 + 2 * 2 * len(STRENGTHS)
    assert [str(path.relative_to(tmp_path)) for path in choose_files(tmp_path, 5)] == every[:5]


def test_files_are_changed_without_their_other_names(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(256, size=(40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "one.jpg", quality=50)
    whole = (tmp_path / "one.jpg").read_bytes()
    for number in range(10):
        (folder / f"{number}.jpg").hardlink_to(tmp_path / "one.jpg")

    change_files(folder, 0.2)

    assert (tmp_path / "one.jpg").read_bytes() == whole
    assert sum(file.read_bytes() != whole for file in folder.iterdir()) == 2
    assert len(list(folder.iterdir())) == 10

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seentwice.data.variants import write
from seentwice.data.variants.plan import VariantSettings, variants_of
from seentwice.data.variants.write import WritingJob, write_all, write_photo
from seentwice.edits import apply_edit
from seentwice.errors import UserError
from seentwice.photos import read_photo
from seentwice.records import Reason, Unreadable

SETTINGS = VariantSettings(0, ("crop", "resize|hflip"), "png")


@pytest.fixture
def job(few_rooms: Path, tmp_path: Path) -> WritingJob:
    photos = tmp_path / "photos"
    (photos / "kitchen").mkdir(parents=True)
    for number, file in enumerate(sorted(few_rooms.rglob("*.jpg"))[:5]):
        shutil.copy(file, photos / "kitchen" / f"{number}.jpg")
    return WritingJob(photos, tmp_path / "out", SETTINGS, 10**8)


def keys_of(job: WritingJob) -> list[str]:
    return sorted(path.relative_to(job.photos).as_posix() for path in job.photos.rglob("*.*"))


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_the_photo_is_copied_and_lossless_copies_hold_the_edits_pixels(job: WritingJob) -> None:
    original, *copies = variants_of("kitchen/0.jpg", SETTINGS)
    digests = write_photo(job, "kitchen/0.jpg")
    source = job.photos / "kitchen/0.jpg"
    assert (job.out / original.file).read_bytes() == source.read_bytes()
    photo = read_photo(source, 10**8)
    for copy in copies:
        written = read_photo(job.out / copy.file, 10**8)
        expected = apply_edit(photo, copy.edit)
        assert (written.size, written.tobytes()) == (expected.size, expected.tobytes())
    files = [job.out / variant.file for variant in (original, *copies)]
    assert digests == tuple(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
    assert len(contents(job.out)) == 3


def test_jpeg_copies_are_near(job: WritingJob) -> None:
    job = replace(job, settings=replace(SETTINGS, format="jpeg"))
    write_photo(job, "kitchen/0.jpg")
    copy = variants_of("kitchen/0.jpg", job.settings)[1]
    expected = apply_edit(read_photo(job.photos / "kitchen/0.jpg", 10**8), copy.edit)
    written = read_photo(job.out / copy.file, 10**8)
    difference = np.asarray(written).astype(int) - np.asarray(expected)
    assert 0 < np.abs(difference).mean() < 3


def test_processes_change_nothing_and_outcomes_come_in_order(job: WritingJob) -> None:
    keys = keys_of(job)
    one = list(write_all(job, keys, 1))
    two = list(write_all(replace(job, out=job.out / "two"), keys, 2))
    assert one == two
    assert [key for key, _ in two] == keys
    second = contents(job.out / "two")
    shutil.rmtree(job.out / "two")
    assert contents(job.out) == second


def test_only_what_is_missing_is_written(job: WritingJob, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write_photo(job, "kitchen/0.jpg")
    original, crop, _ = (job.out / v.file for v in variants_of("kitchen/0.jpg", SETTINGS))
    before = contents(job.out)
    stamp = original.stat().st_mtime_ns - 10**10
    for file in job.out.rglob("*.*"):
        os.utime(file, ns=(stamp, stamp))
    with monkeypatch.context() as patch:
        patch.setattr(write, "read_photo", None)  # nothing is missing, so nothing is decoded
        assert write_photo(job, "kitchen/0.jpg") == first
    crop.unlink()
    assert write_photo(job, "kitchen/0.jpg") == first
    assert contents(job.out) == before
    renewed = {file for file in job.out.rglob("*.*") if file.stat().st_mtime_ns != stamp}
    assert renewed == {crop}


def test_a_photo_that_changed_is_made_anew(job: WritingJob) -> None:
    write_photo(job, "kitchen/0.jpg")
    source = job.photos / "kitchen/0.jpg"
    stale = contents(job.out)
    # As a photo of the same length, which no fingerprint of sizes tells apart.
    shutil.copy(job.photos / "kitchen/1.jpg", source)
    digests = write_photo(job, "kitchen/0.jpg")
    again = replace(job, out=job.out.with_name("again"))
    assert write_photo(again, "kitchen/0.jpg") == digests
    renewed = contents(job.out)
    for name, content in contents(again.out).items():
        assert renewed[name] == content != stale[name]


def test_without_the_photos_own_copy_the_others_may_be_of_anything(job: WritingJob) -> None:
    first = write_photo(job, "kitchen/0.jpg")
    original, crop, other = (job.out / v.file for v in variants_of("kitchen/0.jpg", SETTINGS))
    original.unlink()  # as where the run was stopped
    shutil.copy(other, crop)
    assert write_photo(job, "kitchen/0.jpg") == first


def test_a_copy_that_would_grow_too_large_is_listed(job: WritingJob) -> None:
    width, height = read_photo(job.photos / "kitchen/0.jpg", 10**8).size
    growing = replace(
        job,
        settings=VariantSettings(0, ("resize:2|resize:2|resize:0.1",), "png"),
        max_pixels=16 * width * height,
    )
    assert isinstance(write_photo(growing, "kitchen/0.jpg"), tuple)
    less = replace(growing, out=job.out / "less", max_pixels=16 * width * height - 1)
    outcome = write_photo(less, "kitchen/0.jpg")
    assert isinstance(outcome, Unreadable)
    assert outcome.reason is Reason.TOO_LARGE
    assert f"makes {4 * width} x {4 * height} pixels of it, more than" in outcome.detail
    assert contents(less.out) == {}


def test_a_photo_that_gives_no_pixels_leaves_no_file(job: WritingJob) -> None:
    write_photo(job, "kitchen/0.jpg")
    variants = variants_of("kitchen/0.jpg", SETTINGS)
    (job.out / variants[1].file).unlink()
    (job.photos / "kitchen/0.jpg").write_bytes(b"no photo")
    (job.photos / "kitchen/1.jpg").write_bytes(b"")
    outcomes = dict(write_all(job, keys_of(job), 1))
    assert outcomes["kitchen/0.jpg"].reason is Reason.NOT_AN_IMAGE
    assert outcomes["kitchen/1.jpg"].reason is Reason.EMPTY
    assert len(contents(job.out)) == 3 * 3


def test_what_no_jpeg_can_hold_is_listed(job: WritingJob) -> None:
    Image.new("RGB", (65_501, 1)).save(job.photos / "long.png")
    small = replace(job, settings=VariantSettings(0, ("resize:0.5", "hflip"), "jpeg"))
    outcome = write_photo(small, "long.png")
    assert isinstance(outcome, Unreadable)
    assert outcome.reason is Reason.TOO_LARGE
    assert "--format png" in outcome.detail
    assert contents(job.out) == {}
    assert isinstance(write_photo(job, "long.png"), tuple)


def test_too_little_memory_is_told_in_one_line(
    job: WritingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(image, text):
        raise MemoryError

    monkeypatch.setattr(write, "apply_edit", fail)
    with pytest.raises(UserError, match=r"kitchen/0.jpg: the memory does not suffice.*--workers"):
        list(write_all(job, ["kitchen/0.jpg"], 1))
    assert contents(job.out) == {}


def test_a_process_that_is_killed_is_told_in_one_line(job: WritingJob) -> None:
    with pytest.raises(UserError, match="a process ended"):
        list(write_all(job, _KILLING, 2))


class _Killer(str):
    """A key that ends the process that unpacks it."""

    def __reduce__(self):
        return os._exit, (9,)


_KILLING = [_Killer("kitchen/0.jpg")]


_MANY = """
import sys
from pathlib import Path
from seentwice.data.variants.plan import VariantSettings
from seentwice.data.variants.write import WritingJob, write_all

if __name__ == "__main__":
    photos, out = map(Path, sys.argv[1:])
    job = WritingJob(photos, out, VariantSettings(0, ("crop",), "png"), 10**8)
    for key, _ in write_all(job, [f"kitchen/{number}.jpg" for number in range(10**6)], 2):
        print(key, flush=True)
"""


def test_no_process_outlives_a_parent_that_is_killed(job: WritingJob, tmp_path: Path) -> None:
    (tmp_path / "many.py").write_text(_MANY)
    words = [sys.executable, str(tmp_path / "many.py"), str(job.photos), str(job.out)]
    parent = subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert parent.stdout.readline() == b"kitchen/0.jpg\n"
        parent.kill()
        # The output ends when the last process that holds it has ended.
        parent.communicate(timeout=30)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(parent.pid, signal.SIGKILL)


def test_who_stops_early_leaves_whole_files_and_goes_on(job: WritingJob) -> None:
    outcomes = write_all(job, keys_of(job), 2)
    next(outcomes)
    outcomes.close()
    assert not list(job.out.rglob("*.partial"))
    for name in contents(job.out):
        read_photo(job.out / name, 10**8)
    assert [key for key, _ in write_all(job, keys_of(job), 1)] == keys_of(job)
    assert len(contents(job.out)) == 3 * 5

"""Name what was done to each copy, by the key points that it shares with the photo to keep."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from PIL import Image

from seentwice.data.source import Progress
from seentwice.dedupe.findings import Duplicates, Evidence, Group, Match
from seentwice.detectors.alignment import Alignment, align_photos
from seentwice.detectors.explanation import explain_copy
from seentwice.photos import PhotoError, read_photo

SIDE_PX = 1024
"""Photos are decoded to little more, which shows their key points."""
UNCONFIRMED = "not confirmed by key points"
"""What is said of a match whose key points no homography relates, such as a blurred photo's."""
_EXACT = (Evidence.SAME_BYTES, Evidence.SAME_PIXELS)


def name_edits(
    duplicates: Duplicates, max_pixels: int, workers: int, on_progress: Progress
) -> Duplicates:
    """Return what was found, with the edit of each match whose photos one homography relates.

    Matches of the same bytes or pixels have none; of others whose key points do not agree it says
    so, see `UNCONFIRMED`.

    Args:
        duplicates: as found.
        max_pixels: photos with more are not decoded.
        workers: threads.
        on_progress: told of the matches that are done.

    Raises:
        UserError: OpenCV is not installed.
    """
    matches = [match for group in duplicates.groups for match in group.matches]
    asked = [match for match in matches if match.evidence[0] not in _EXACT]
    edits: dict[tuple[str, str], str] = {}
    with ThreadPoolExecutor(workers) as pool:
        try:
            named = pool.map(lambda match: _name_edit(duplicates.root, match, max_pixels), asked)
            for done, (match, edit) in enumerate(zip(asked, named, strict=True), 1):
                edits[match.left, match.right] = edit
                on_progress(done, len(asked))
        finally:
            pool.shutdown(cancel_futures=True)
    return replace(duplicates, groups=tuple(_with_edits(duplicates.groups, edits)))


def _name_edit(root: Path, match: Match, max_pixels: int) -> str:
    photos = _read_pair(root, match.left, match.right, max_pixels)
    if photos is None:
        return ""
    explained = explain_copy(*photos)
    return explained.edit if explained.is_verified else UNCONFIRMED


def read_aligned(root: Path, left: str, right: str, max_pixels: int) -> Alignment | None:
    """Return how one photo of a folder lies over another; None where one is gone by now.

    Args:
        root: the folder.
        left: key of the photo.
        right: key of the other one.
        max_pixels: photos with more are not decoded.

    Raises:
        UserError: OpenCV is not installed.
    """
    photos = _read_pair(root, left, right, max_pixels)
    return None if photos is None else align_photos(*photos)


def _read_pair(
    root: Path, left: str, right: str, max_pixels: int
) -> tuple[Image.Image, Image.Image] | None:
    try:
        one, other = (
            read_photo(root / key, max_pixels, (SIDE_PX, SIDE_PX)) for key in (left, right)
        )
    except PhotoError:  # gone or changed since; the next run tells
        return None
    return one, other


def _with_edits(groups: Sequence[Group], edits: dict[tuple[str, str], str]) -> Iterator[Group]:
    for group in groups:
        matches = (
            replace(match, edit=edits.get((match.left, match.right), "")) for match in group.matches
        )
        yield replace(group, matches=tuple(matches))

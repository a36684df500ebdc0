"""Name what was done to each copy, by the key points that it shares with the photo to keep."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from seentwice.data.source import Progress
from seentwice.dedupe.findings import Duplicates, Evidence, Group, Match
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
    try:
        left, right = (
            read_photo(root / key, max_pixels, (SIDE_PX, SIDE_PX))
            for key in (match.left, match.right)
        )
    except PhotoError:  # gone or changed since; the next run tells
        return ""
    explained = explain_copy(left, right)
    return explained.edit if explained.is_verified else UNCONFIRMED


def _with_edits(groups: Sequence[Group], edits: dict[tuple[str, str], str]) -> Iterator[Group]:
    for group in groups:
        matches = (
            replace(match, edit=edits.get((match.left, match.right), "")) for match in group.matches
        )
        yield replace(group, matches=tuple(matches))

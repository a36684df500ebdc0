"""`groups.csv`: one row a photo, to be opened in a spreadsheet."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from seentwice.dedupe.findings import Duplicates, FoundPhoto, Match
from seentwice.dedupe.report.reasons import find_reasons, other_of
from seentwice.dedupe.report.writing import round_measure, spell_name, spell_time
from seentwice.files import open_atomically

COLUMNS = (
    *("group", "keep", "path", "width", "height", "bytes", "modified", "matches", "score"),
    *("evidence", "hash_bits", "similarity", "edit", "product", "seller"),
)
_FORMULA = "=+-@\t\r\n＝＋－＠"  # the wide ones too: some spreadsheets narrow them


def write_csv(path: Path, duplicates: Duplicates) -> None:
    r"""Write one row a photo that is in a group, the one to keep first; of a catalogue none is.

    `matches` is the photo that score, evidence, hash_bits, similarity and edit compare with: the
    one to keep, or the surest other where it does not match that one itself. `edit` is what makes
    this photo of that one.

    The file is UTF-8 and says so in its first bytes, without which Excel takes it for another
    encoding ("utf-8-sig" in Python). A text that a spreadsheet would run as a formula, since it
    begins with = + - @, a tab or a line end, has an apostrophe put before it, and so has one that
    begins with an apostrophe: take the first apostrophe of a text away to have it as it was.
    Bytes of names that are not UTF-8 are `\udc80` to `\udcff`; the JSON has them as they are.

    Args:
        path: In a folder that exists.
        duplicates: What was found.

    Raises:
        UnwritableError: The folder is missing or cannot be written, or the disk is full.
    """
    with open_atomically(path) as file:
        text = io.TextIOWrapper(file, "utf-8-sig", newline="")
        writer = csv.writer(text)
        writer.writerow(COLUMNS)
        writer.writerows(_rows(duplicates))
        text.detach()


def _rows(duplicates: Duplicates) -> Iterator[tuple[object, ...]]:
    for number, group in enumerate(duplicates.groups, 1):
        reasons = find_reasons(group)
        for place, photo in enumerate(group.photos):
            keep = "" if duplicates.products is not None else "no" if place else "yes"
            yield (
                *(number, keep, guard_cell(photo.key)),
                *(photo.width, photo.height, photo.size_bytes, spell_time(photo.modified_seconds)),
                *_reason_cells(photo, reasons.get(photo.key)),
                *(guard_cell(photo.product), guard_cell(photo.seller)),
            )


def _reason_cells(photo: FoundPhoto, match: Match | None) -> tuple[object, ...]:
    if match is None:
        return (None,) * 6
    return (
        guard_cell(other_of(match, photo.key)),
        round_measure(match.score),
        ", ".join(match.evidence),
        match.hash_bits,
        round_measure(match.similarity),
        # Of the other photo it would say how that one came of this one.
        guard_cell(match.edit if match.right == photo.key else ""),
    )


def guard_cell(text: str | None) -> str:
    """Return a text as no spreadsheet runs it: with an apostrophe before what begins a formula."""
    spelled = spell_name(text or "")
    return f"'{spelled}" if spelled.startswith((*_FORMULA, "'")) else spelled

"""What `seentwice check --json` tells of one photo, as `schema/check.schema.json` describes it."""

import json
from collections.abc import Sequence
from pathlib import Path

from seentwice.dedupe.findings import Match
from seentwice.dedupe.report.writing import name_fields, round_measure, spell_name
from seentwice.records import Unreadable

SCHEMA = {"id": "urn:seentwice:check:1", "version": 1}


def spell_copies(photo: Path, root: Path, copies: Sequence[tuple[Match, bool]]) -> str:
    """Return the line of a photo that was checked.

    Args:
        photo: as it was asked for.
        root: the folder that the paths of copies lie below.
        copies: photos of the index, the surest first, each with whether its file is there.
    """
    told = [
        {
            **name_fields("path", match.left),
            "is_there": is_there,
            "score": round_measure(match.score),
            "evidence": [evidence.value for evidence in match.evidence],
            "hash_bits": match.hash_bits,
        }
        for match, is_there in copies
    ]
    return _spell({**_begin(photo), **name_fields("root", str(root)), "copies": told})


def spell_problem(photo: Path, problem: Unreadable) -> str:
    """Return the line of a file that gave no photo."""
    told = {"reason": problem.reason.value, "detail": spell_name(problem.detail)}
    return _spell({**_begin(photo), **told})


def _begin(photo: Path) -> dict[str, object]:
    return {"schema": SCHEMA, **name_fields("photo", str(photo))}


def _spell(record: dict[str, object]) -> str:
    return json.dumps(record, ensure_ascii=False, allow_nan=False)

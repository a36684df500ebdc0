from pathlib import Path

import pytest
from PIL import Image

from seentwice.dedupe.findings import Duplicates, Evidence, FoundPhoto, Group, Match
from seentwice.dedupe.naming import UNCONFIRMED, name_edits


def found(path: Path) -> FoundPhoto:
    return FoundPhoto(path.name, path, 1, 1, 1, 0.0, "")


def test_edits_are_named_where_key_points_tell(few_rooms: Path, tmp_path: Path) -> None:
    pytest.importorskip("cv2")
    rooms = sorted(few_rooms.rglob("*_1.jpg"))
    with Image.open(rooms[0]) as room, Image.open(rooms[-1]) as other:
        room.save(tmp_path / "a.png")
        room.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "mirrored.png")
        other.save(tmp_path / "other.png")
    names = ("a.png", "mirrored.png", "other.png", "gone.png", "same.png")
    evidence = [Evidence.NEAR_ONCE_TURNED, Evidence.NEAR_HASHES, Evidence.NEAR_HASHES]
    matches = [
        Match("a.png", name, 0.9, (why,))
        for name, why in zip(names[1:], [*evidence, Evidence.SAME_BYTES], strict=True)
    ]
    group = Group(tuple(found(tmp_path / name) for name in names), tuple(matches))
    told: list[tuple[int, int]] = []
    named = name_edits(
        Duplicates(tmp_path, (group,), (), 5, 0, ()),
        10**8,
        2,
        lambda done, total: told.append((done, total)),
    )
    edits = {match.right: match.edit for match in named.groups[0].matches}
    assert "mirrored" in edits["mirrored.png"]
    assert edits["other.png"] == UNCONFIRMED
    assert (edits["gone.png"], edits["same.png"]) == ("", "")
    assert told == [(1, 3), (2, 3), (3, 3)]

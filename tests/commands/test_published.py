import hashlib
from pathlib import Path

import pytest

from seentwice.commands.published import PublishedCheckpoint, find_table, read_published
from seentwice.errors import UserError
from seentwice.models.checkpoint import read_record
from seentwice.models.tagger_checkpoint import read_tagger_record

SHA = "ab" * 32
TABLE = f"""\
# Checkpoints

| other | table |
| --- | --- |
| not | ours |

| name | file or URL | sha256 | bytes |
| --- | --- | --- | ---: |
| rooms_l2 | rooms/l2.safetensors | `{SHA}` | 12,345 |
| large-1.0 | <https://example.org/a.safetensors?x=1> | {SHA} | 7 |

After it.
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "README.md"
    path.write_text(text)
    return path


def test_rows_are_read_by_name(tmp_path: Path) -> None:
    rows = read_published(write(tmp_path, TABLE))
    assert rows == {
        "rooms_l2": PublishedCheckpoint("rooms_l2", "rooms/l2.safetensors", SHA, 12345),
        "large-1.0": PublishedCheckpoint(
            "large-1.0", "https://example.org/a.safetensors?x=1", SHA, 7
        ),
    }
    assert [row.is_remote for row in rows.values()] == [False, True]


def test_the_repositorys_own_table_can_be_read() -> None:
    table = find_table()
    rows = read_published(table)
    assert "rooms" in rows
    for row in rows.values():
        if not row.is_remote:
            content = (table.parent / row.where).read_bytes()
            assert (len(content), hashlib.sha256(content).hexdigest()) == (row.bytes, row.sha256)


def test_the_page_tells_of_the_rooms_what_their_checkpoint_claims() -> None:
    table = find_table()
    claimed = read_record(table.parent / "rooms.safetensors").test_metrics
    assert (
        f"average precision {claimed['average_precision']:.3f} and a ROC AUC of "
        f"{claimed['roc_auc']:.3f} on rendered rooms"
    ) in " ".join(table.read_text().split())


def test_the_page_tells_of_the_tagger_what_its_checkpoint_claims() -> None:
    table = find_table()
    record = read_tagger_record(table.parent / "tagger.safetensors")
    claimed = record.test_metrics
    assert (
        f"an accuracy of {claimed['front/accuracy']:.3f} and of "
        f"{claimed['room_type/accuracy']:.3f} on photos of the Houses-dataset"
    ) in " ".join(table.read_text().split())
    assert not record.bundled


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (f"| A b | x | {SHA} | 1 |", "name 'A b': give a-z, 0-9, _, . and -"),
        (f"| ../a | x | {SHA} | 1 |", "name '../a'"),
        (f"| a | ../x | {SHA} | 1 |", "file or URL '../x': give a file beside, or https"),
        (f"| a | /etc/x | {SHA} | 1 |", "file or URL '/etc/x'"),
        (f"| a | C:x | {SHA} | 1 |", "file or URL 'C:x'"),
        (f"| a |  | {SHA} | 1 |", "file or URL ''"),
        ("| a | x | abc | 1 |", "sha256 'abc': give 64 hexadecimal digits"),
        (f"| a | x | {SHA} | many |", "bytes 'many': give a whole number"),
        (f"| a | x | {SHA} | 0 |", "bytes '0'"),
        (f"| a | x | {SHA} |", "3 cells instead of 4: name, file or URL, sha256, bytes"),
        (f"| rooms_l2 | x | {SHA} | 1 |", "rooms_l2 stands there twice"),
    ],
)
def test_a_wrong_row_is_named_by_its_line(tmp_path: Path, row: str, complaint: str) -> None:
    path = write(tmp_path, TABLE.replace("\nAfter", f"{row}\n\nAfter"))
    with pytest.raises(UserError) as error:
        read_published(path)
    assert f"{path}, line 11: {complaint}" in str(error.value)


def test_a_table_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the table of checkpoints cannot be read"):
        read_published(tmp_path / "README.md")

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seentwice.block_hashing import BLOCK_HASHES, SIGNATURE_BYTES
from seentwice.dedupe.pictures import Pictures, group_same, merge_pictures, paths_of, read_table
from seentwice.index.photo_row import PhotoRow, StoreMeta
from seentwice.index.store import PhotoStore

META = StoreMeta("/photos", BLOCK_HASHES, "blocks", SIGNATURE_BYTES)
KINDS = st.lists(st.integers(0, 5), max_size=40)


def number_slowly(kinds: list[int]) -> tuple[list[int], list[int]]:
    """The picture of each photo, and the first photo of each picture, in their order."""
    first: dict[int, int] = {}
    for photo, kind in enumerate(kinds):
        first.setdefault(kind, photo)
    numbers = {kind: number for number, kind in enumerate(first)}
    return [numbers[kind] for kind in kinds], list(first.values())


def lists_of(pictures: Pictures) -> tuple[list[int], list[int]]:
    return pictures.of_photo.tolist(), pictures.first.tolist()


def digests(kinds: list[int]) -> np.ndarray:
    """Rows of 32 bytes that differ in one of them alone."""
    rows = np.zeros((len(kinds), 32), np.uint8)
    for row, kind in enumerate(kinds):
        rows[row, kind * 5] = kind
    return rows


@given(KINDS)
def test_equal_rows_are_one_picture_numbered_by_its_first_photo(kinds: list[int]) -> None:
    assert lists_of(group_same(digests(kinds))) == number_slowly(kinds)


@given(KINDS, st.randoms(use_true_random=False))
def test_merged_pictures_are_numbered_by_their_first_photos(kinds: list[int], chance) -> None:
    pictures = group_same(digests(kinds))
    count = len(pictures.first)
    same_as = list(range(count))
    for picture in range(1, count):
        other = chance.randrange(count)
        if same_as[other] == other < picture and picture not in same_as[:picture]:
            same_as[picture] = other
    merged = merge_pictures(pictures, np.array(same_as, np.int64))
    expected = [same_as[picture] for picture in pictures.of_photo.tolist()]
    assert lists_of(merged) == number_slowly(expected)


def row(key: str, number: int, reason: str = "") -> PhotoRow:
    is_photo = not reason
    return PhotoRow(
        key=key,
        size_bytes=number,
        modified_ns=number + 1,
        inode=number + 2,
        sha256=bytes([number]) * 32,
        width=(number + 3) * is_photo,
        height=(number + 4) * is_photo,
        hashes=(number, 2**64 - number) if is_photo else (),
        decoding="blocks",
        signature=bytes([number]) * SIGNATURE_BYTES if is_photo else b"",
        has_content=is_photo and number % 2 == 0,
        reason=reason,
        detail=reason,
    )


def test_the_table_has_the_photos_alone_in_the_order_of_their_keys(tmp_path: Path) -> None:
    rows = [row("b.jpg", 4), row("bad.jpg", 5, "damaged"), row("a\udcff.jpg", 6), row("c/a.jpg", 7)]
    with PhotoStore.open(tmp_path, META, lambda: None) as store:
        assert len(read_table(store)) == 0
        store.write(rows[:2])
        store.write(rows[2:])
        table = read_table(store)
    assert [table.key(photo) for photo in range(3)] == ["a\udcff.jpg", "b.jpg", "c/a.jpg"]
    assert table.size_bytes.tolist() == [6, 4, 7]
    assert table.modified_ns.tolist() == [7, 5, 8]
    assert table.width.tolist() == [9, 7, 10]
    assert table.height.tolist() == [10, 8, 11]
    assert table.hashes.tolist() == [[6, 2**64 - 6], [4, 2**64 - 4], [7, 2**64 - 7]]
    assert table.sha256[:, 31].tolist() == [6, 4, 7]
    assert table.signature[:, -1].tolist() == [6, 4, 7]
    assert table.has_content.tolist() == [True, True, False]
    assert paths_of(table, np.array([2, 0]), Path("/r")) == [
        Path("/r/c/a.jpg"),
        Path("/r/a\udcff.jpg"),
    ]

"""Everything that a folder may hold, from the files to the groups; see zoo.py."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest
from zoo import make_zoo
from zoo_words import ALONE, HIDDEN, LIMIT, LINKED, Zoo

from seentwice.dedupe.findings import Duplicates, Evidence
from seentwice.dedupe.folder import (
    Searched,
    describe_searched,
    search_folder,
    verify_by_hashes,
)
from seentwice.dedupe.looking import Decoding, Looking
from seentwice.dedupe.verify import SearchSettings
from seentwice.index.photo_row import PhotoRow
from seentwice.index.store import PhotoStore
from seentwice.records import Reason


@dataclass(frozen=True, slots=True)
class Visit:
    """What came of one run over the zoo."""

    searched: Searched
    found: Duplicates
    rows: dict[str, PhotoRow]


def ignore(done: int, total: int) -> None:
    pass


def read_rows(store: PhotoStore) -> dict[str, PhotoRow]:
    with store.snapshot():
        return {row.key: row for row in store.read_rows(store.scan(()).places)}


def visit(root: Path, index: Path, workers: int, decoding: Decoding = "blocks") -> Visit:
    looking = Looking(root, decoding, LIMIT)
    settings = SearchSettings(6, 0.5, same_pixels=True, max_pixels=LIMIT, workers=workers)
    with PhotoStore.open(index, looking.meta, lambda: None) as store:
        searched = search_folder(
            store,
            looking,
            settings,
            verify_by_hashes(is_turned=False),
            None,
            ignore,
            ignore,
        )
        found = describe_searched(searched, root, "largest", settings)
        return Visit(searched, found, read_rows(store))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("zoo") / "photos"


@pytest.fixture(scope="module")
def zoo(folder: Path) -> Zoo:
    return make_zoo(folder)


@pytest.fixture(scope="module")
def visited(zoo: Zoo, folder: Path) -> Visit:
    return visit(folder, folder.parent / "index", workers=2)


def test_the_zoo_is_large(zoo: Zoo) -> None:
    assert len(zoo) > 200
    assert {given for given in zoo.values() if isinstance(given, Reason)} == {
        *(Reason.MISSING, Reason.NOT_A_FILE, Reason.EMPTY, Reason.NOT_AN_IMAGE, Reason.UNDECODED),
        *(Reason.MISNAMED, Reason.TRUNCATED, Reason.TOO_LARGE, Reason.DAMAGED),
    }


def test_every_file_gives_a_photo_or_its_reason(zoo: Zoo, folder: Path, visited: Visit) -> None:
    given = {key: row.reason or "photo" for key, row in visited.rows.items()}
    given |= {
        problem.path.relative_to(folder).as_posix(): problem.reason.value
        for problem in visited.searched.updated.unreadable
    }
    given |= {same.key: LINKED for same in visited.searched.updated.same_files}
    words = (HIDDEN, LINKED)
    expected = {
        key: gives.value if isinstance(gives, Reason) else gives if gives in words else "photo"
        for key, gives in zoo.items()
    }
    assert given == {key: gives for key, gives in expected.items() if gives != HIDDEN}


def test_nothing_is_told_twice(zoo: Zoo, folder: Path, visited: Visit) -> None:
    updated = visited.searched.updated
    told = Counter(list(visited.rows))
    told.update(problem.path.relative_to(folder).as_posix() for problem in updated.unreadable)
    told.update(same.key for same in updated.same_files)
    assert set(told.values()) == {1}
    assert told.keys() == {key for key, gives in zoo.items() if gives != HIDDEN}
    assert updated.read == len(visited.rows)
    assert (updated.kept, updated.removed) == (0, 0)


def test_a_reason_is_one_line(visited: Visit) -> None:
    for problem in visited.searched.unreadable:
        assert problem.detail.isprintable()
        assert 0 < len(problem.detail) <= 200


def test_photos_of_one_picture_are_one_group_and_no_others_are(zoo: Zoo, visited: Visit) -> None:
    families = defaultdict(set)
    for key, gives in zoo.items():
        if not isinstance(gives, Reason) and gives not in (ALONE, HIDDEN, LINKED):
            families[gives].add(key)
    found = {frozenset(photo.key for photo in group.photos) for group in visited.found.groups}
    assert found == {frozenset(family) for family in families.values()}


def test_blank_photos_match_by_their_bytes_or_pixels_alone(visited: Visit) -> None:
    (blanks,) = [
        group for group in visited.found.groups if group.photos[0].key.startswith("blank/")
    ]
    evidence = {match.evidence for match in blanks.matches}
    assert evidence <= {(Evidence.SAME_BYTES,), (Evidence.SAME_PIXELS,)}
    blank = {key for key in visited.rows if key.startswith("blank/")}
    assert len(blank) > 40
    assert not any(visited.rows[key].has_content for key in blank)
    links = {key for match in visited.found.links for key in (match.left, match.right)}
    assert not links & blank


def test_the_same_pixels_in_other_formats_are_told(visited: Visit) -> None:
    (group,) = [
        group
        for group in visited.found.groups
        if any(photo.key == "formats/plain.png" for photo in group.photos)
    ]
    kept = group.photos[0].key
    evidence = {match.right: match.evidence[0] for match in group.matches}
    evidence[kept] = Evidence.SAME_PIXELS
    lossless = ("plain.png", "same pixels.bmp", "same pixels.tif", "lossless.webp", "big.tiff")
    assert kept.removeprefix("formats/") in (*lossless, "lzw.tiff", "cmyk.tif", "sixteen bits.png")
    for name in lossless:
        assert evidence[f"formats/{name}"] is Evidence.SAME_PIXELS
    assert evidence["formats/q90.jpg"] is Evidence.NEAR_HASHES


def test_deep_grey_is_not_saturated(visited: Visit) -> None:
    plain = visited.rows["grey/8.png"]
    for name in ("16.png", "16.tif", "float.tif", "32.tif", "alpha.png"):
        row = visited.rows[f"grey/{name}"]
        assert (row.hashes, row.signature) == (plain.hashes, plain.signature), name
    assert plain.has_content


def test_hidden_colour_changes_nothing(visited: Visit) -> None:
    plain = visited.rows["alpha/on white.png"]
    for seed in (4, 5):
        for suffix in ("png", "webp", "tif"):
            row = visited.rows[f"alpha/hidden {seed}.{suffix}"]
            assert (row.hashes, row.signature) == (plain.hashes, plain.signature), row.key


def test_upright_copies_have_the_same_sizes_and_hashes(visited: Visit) -> None:
    for form in ("png", "jpg", "webp"):
        rows = [visited.rows[f"turned/{orientation}.{form}"] for orientation in range(1, 9)]
        assert {(row.width, row.height) for row in rows} == {(256, 192)}
        if form == "png":  # of the same pixels
            assert len({(row.hashes, row.signature) for row in rows}) == 1


def test_any_number_of_processes_gives_the_same_rows_and_groups(
    zoo: Zoo, folder: Path, visited: Visit, tmp_path: Path
) -> None:
    alone = visit(folder, tmp_path / "index", workers=1)
    assert alone.rows == visited.rows
    assert alone.found == visited.found
    assert sorted(alone.searched.updated.same_files, key=str) == sorted(
        visited.searched.updated.same_files, key=str
    )


def test_a_second_run_reads_what_may_be_other_by_now_alone(folder: Path, visited: Visit) -> None:
    again = visit(folder, folder.parent / "index", workers=2)
    assert again.rows == visited.rows
    assert again.found == visited.found
    # Another limit, more memory or an extra may do.
    tried = (Reason.TOO_LARGE, Reason.UNDECODED)
    count = sum(row.reason in tried for row in visited.rows.values())
    assert again.searched.updated.read == count >= len(tried)
    assert again.searched.updated.kept == len(visited.rows) - count


def test_decoding_whole_finds_the_same_groups(
    zoo: Zoo, folder: Path, visited: Visit, tmp_path: Path
) -> None:
    whole = visit(folder, tmp_path / "index", 1, "full")
    assert {key: row.reason for key, row in whole.rows.items()} == {
        key: row.reason for key, row in visited.rows.items()
    }
    groups = [
        {frozenset(photo.key for photo in group.photos) for group in each.found.groups}
        for each in (whole, visited)
    ]
    assert groups[0] == groups[1]

"""What the tests of moves share: files, what was found among them, and what became of them."""

import hashlib
import os
from pathlib import Path

from seentwice.dedupe.findings import Duplicates, Evidence, FoundPhoto, Group, Match

GROUP = ["a.jpg", "b.jpg", "sub/c.jpg"]
OLD_NS = 1_234_567_890_123_456_789


def ignore(done, total):
    assert 0 < done <= total


def write_file(path: Path, content: bytes = b"a photo") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o640)
    os.utime(path, ns=(OLD_NS, OLD_NS + len(content)))
    return path


def find_photo(root: Path, key: str) -> FoundPhoto:
    path = root / key
    seen = path.stat()
    return FoundPhoto(
        key=key,
        path=path,
        width=4,
        height=3,
        size_bytes=seen.st_size,
        modified_seconds=seen.st_mtime,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def match(left: str, right: str) -> Match:
    return Match(left, right, 0.9, (Evidence.NEAR_HASHES,))


def find_duplicates(root: Path, *groups, matches=None) -> Duplicates:
    """The first of each group matches all others, unless told otherwise."""
    found = tuple(
        Group(
            tuple(find_photo(root, key) for key in keys),
            tuple(match(keys[0], key) for key in keys[1:]) if matches is None else matches,
        )
        for keys in groups
    )
    return Duplicates(root, found, (), sum(map(len, groups)), 0, ())


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def read_tree(root: Path) -> dict[str, tuple[bytes, int, int]]:
    """Every file's content, time and permissions by its path; hidden ones, too."""
    return {
        str(path.relative_to(root)): (
            os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes(),
            path.lstat().st_mtime_ns,
            path.lstat().st_mode,
        )
        for path in root.rglob("*")
        if path.is_symlink() or path.is_file()
    }

"""Findings for the tests of reports, made up but whole."""

import os
from pathlib import Path

from seentwice.dedupe.findings import Duplicates, Evidence, FoundPhoto, Group, Match
from seentwice.records import Reason, Unreadable

NOT_UTF8 = os.fsdecode(b"caf\xe9.jpg")
HOSTILE = (
    """<script>alert(1)</script>.jpg""",
    """"><img src=x onerror=alert(2)>.jpg""",
    """</script><script>alert(3)</script>'`${alert(4)}&amp;.jpg""",
    "two\nlines\u202egpj.exe\u2028.jpg",
    NOT_UTF8,
    "<!--<script>.jpg",
)


def make_photo(
    key: str, number: int = 0, root: Path = Path("/photos"), seller: str | None = None
) -> FoundPhoto:
    return FoundPhoto(
        key=key,
        path=root / key,
        width=1200,
        height=800 + number,
        size_bytes=1000 * (number + 1),
        modified_seconds=1_600_000_000.75 + number,
        sha256=f"{number:064x}",
        product=None if seller is None else f"P{number}",
        seller=seller,
    )


def make_group(
    *keys: str,
    score: float = 1.0,
    evidence: Evidence = Evidence.SAME_BYTES,
    root: Path = Path("/photos"),
) -> Group:
    photos = tuple(make_photo(key, number, root) for number, key in enumerate(keys))
    return Group(photos, tuple(Match(keys[0], key, score, (evidence,)) for key in keys[1:]))


def make_duplicates(
    groups: tuple[Group, ...],
    links: tuple[Match, ...] = (),
    unreadable: tuple[Unreadable, ...] = (),
    root: Path = Path("/photos"),
) -> Duplicates:
    return Duplicates(root, groups, links, 10_000, 0, unreadable)


def make_chain() -> Group:
    """Three photos of which the last matches only the second, and from the other side."""
    photos = tuple(
        make_photo(key, number, seller=seller)
        for number, (key, seller) in enumerate([("a.jpg", "s1"), ("b.jpg", "=s2"), ("é/c.jpg", "")])
    )
    near = Match("a.jpg", "b.jpg", 0.987654321, (Evidence.NEAR_HASHES,), 3, edit="-5 % brighter")
    far = Match(
        *("é/c.jpg", "b.jpg", 0.75, (Evidence.NEAR_HASHES, Evidence.NEAR_EMBEDDINGS)),
        **{"hash_bits": 9, "similarity": 0.9000001, "edit": "cropped"},
    )
    return Group(photos, (near, far))


EVERYTHING = make_duplicates(
    (make_chain(), make_group(*HOSTILE)),
    (Match("b.jpg", NOT_UTF8, 0.5, (Evidence.NEAR_EMBEDDINGS,), similarity=-0.25),),
    (
        Unreadable(Path("/photos") / NOT_UTF8, Reason.TRUNCATED, "ends early"),
        Unreadable(Path("/photos/x"), Reason.NOT_SERVED, "404", "https://example.com/x"),
    ),
)

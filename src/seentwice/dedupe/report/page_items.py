"""Groups and links as the script of the page takes them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from seentwice.data.tabular.labels import fold_label
from seentwice.dedupe.findings import Duplicates, FoundPhoto, Group, Match
from seentwice.dedupe.report.limits import PageLimits
from seentwice.dedupe.report.reasons import find_reasons, other_of
from seentwice.dedupe.report.thumbnail_budget import ThumbnailBudget, ThumbnailRow
from seentwice.dedupe.report.writing import round_measure, spell_time
from seentwice.display import name_bytes, show_text

Record = dict[str, Any]
T = TypeVar("T")
BATCH = 64  # groups or links of which thumbnails are made at once


@dataclass(frozen=True, slots=True)
class Item:
    """A group or a link; the browser reads its thumbnails only when it comes into view."""

    kind: str  # "group" or "link"
    record: Record
    thumbnails: tuple[str, ...]  # JPEG in base64; photos of the same bytes share one


def make_items(
    duplicates: Duplicates,
    limits: PageLimits,
    budget: ThumbnailBudget,
    on_progress: Callable[[int, int], None],
) -> Iterator[Item]:
    """Give the groups and then the links that the page shows, one by one."""
    groups, links = duplicates.groups[: limits.groups], duplicates.links[: limits.links]
    known = _find_photos(duplicates, links)
    total, done = len(groups) + len(links), 0
    for some in _batch(groups):
        paths: dict[str, Path] = {}
        for photo in chain.from_iterable(group.photos[: limits.photos] for group in some):
            paths.setdefault(photo.sha256, photo.path)
        budget.prepare(paths)
        for group in some:
            done += 1
            yield _group_item(done, group, duplicates.products is not None, limits, budget)
            on_progress(done, total)
    for some_links in _batch(links):
        keys = [key for link in some_links for key in (link.left, link.right)]
        budget.prepare(dict(_locate(key, known, duplicates.root) for key in keys))
        for link in some_links:
            done += 1
            yield _link_item(done - len(groups), link, duplicates.root, known, budget)
            on_progress(done, total)


def _batch(items: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


def _locate(key: str, known: Mapping[str, FoundPhoto], root: Path) -> tuple[str, Path]:
    """Return the content and the path of a photo of a link; each unknown one is its own."""
    photo = known.get(key)
    return (photo.sha256, photo.path) if photo else (key, root / key)


def _group_item(
    number: int, group: Group, is_catalogue: bool, limits: PageLimits, budget: ThumbnailBudget
) -> Item:
    reasons = find_reasons(group)
    kept = group.photos[0].key
    row = budget.begin_row()
    photos = [
        {**_describe(photo, row), "reason": _reason(photo.key, reasons.get(photo.key), kept)}
        for photo in group.photos[: limits.photos]
    ]
    # Of all photos, so that the filters know of those that are not shown.
    others = [reasons[photo.key] for photo in group.photos[1:] if photo.key in reasons]
    spare_bytes = sum(photo.size_bytes for photo in group.photos[1:])
    products = len({photo.product for photo in group.photos if photo.product})
    record: Record = {
        "number": number,
        "size": len(group.photos),
        # Of a catalogue nothing is kept or could go.
        "spare": None if is_catalogue else name_bytes(spare_bytes),
        "products": products if is_catalogue else None,
        "spareBytes": spare_bytes,
        "sellers": _count_sellers(photo.seller for photo in group.photos),
        "photos": photos,
        **_summarise(others or list(group.matches)),
    }
    return Item("group", record, row.taken)


def _link_item(
    number: int,
    link: Match,
    root: Path,
    known: Mapping[str, FoundPhoto],
    budget: ThumbnailBudget,
) -> Item:
    row = budget.begin_row()
    photos: list[Record] = []
    for key in (link.left, link.right):
        photo = known.get(key)
        content, path = _locate(key, known, root)
        shown = _describe(photo, row) if photo else _name(key, path, row, content)
        photos.append({**shown, "reason": None})
    photos[1]["reason"] = _reason(link.right, link, link.left)
    sellers = _count_sellers(known[key].seller for key in (link.left, link.right) if key in known)
    record: Record = {
        **{"number": number, "size": 2, "spareBytes": 0, "sellers": sellers},
        **{"photos": photos, **_summarise([link])},
    }
    return Item("link", record, row.taken)


def _count_sellers(sellers: Iterable[str | None]) -> int:
    return len({fold_label(seller) for seller in sellers if seller})


def _find_photos(duplicates: Duplicates, links: tuple[Match, ...]) -> Mapping[str, FoundPhoto]:
    """Return what is known of the photos of links: only of those that are in a group."""
    wanted = {key for link in links for key in (link.left, link.right)}
    photos = (photo for group in duplicates.groups for photo in group.photos)
    return {photo.key: photo for photo in photos if photo.key in wanted} if wanted else {}


def _summarise(matches: list[Match]) -> Record:
    """Return what the filters ask: the least score, and each kind of surest evidence."""
    return {
        "score": round_measure(min(match.score for match in matches)),
        "kinds": sorted({match.evidence[0].value for match in matches}),
    }


def _describe(photo: FoundPhoto, row: ThumbnailRow) -> Record:
    return {
        **_name(photo.key, photo.path, row, photo.sha256),
        "px": f"{photo.width:,} × {photo.height:,}",
        "bytes": name_bytes(photo.size_bytes),
        "date": spell_time(photo.modified_seconds),
        "product": show_text(photo.product or ""),
        "seller": show_text(photo.seller or ""),
    }


def _name(key: str, path: Path, row: ThumbnailRow, content: str) -> Record:
    # Quoted from its bytes, so a link to a file whose name is not UTF-8 opens that file.
    return {
        "name": show_text(key),
        "href": path.absolute().as_uri(),
        "thumbnail": row.take(content),
    }


def _reason(key: str, match: Match | None, kept: str) -> Record | None:
    if match is None:
        return None
    other = other_of(match, key)
    return {
        "score": round_measure(match.score),
        "evidence": [evidence.value for evidence in match.evidence],
        "bits": match.hash_bits,
        "similarity": round_measure(match.similarity),
        "edit": show_text(match.edit) if match.right == key else "",
        "other": "" if other == kept else show_text(other),
    }

"""`report.html`: the groups with their photos side by side, to be looked through."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from seentwice.dedupe.findings import Duplicates, Evidence
from seentwice.dedupe.report.counts import count_duplicates
from seentwice.dedupe.report.limits import PageLimits
from seentwice.dedupe.report.page_items import make_items
from seentwice.dedupe.report.thumbnail_budget import ThumbnailBudget
from seentwice.display import name_bytes, name_count, show_text
from seentwice.pages import load_template, write_pieces


def write_page(
    path: Path,
    duplicates: Duplicates,
    thumbnail: Callable[[Path], bytes | None],
    on_progress: Callable[[int, int], None],
    limits: PageLimits | None = None,
    threads: int = 1,
) -> None:
    """Write the page; it holds the thumbnails of some dozens of groups at once, not of all.

    Args:
        path: In a folder that exists.
        duplicates: What was found.
        thumbnail: Makes a small JPEG of a photo; None where that cannot be read.
        on_progress: Called with (done, total) groups and links.
        limits: On what the page holds.
        threads: That call `thumbnail` at once.

    Raises:
        UnwritableError: The folder is missing or cannot be written, or the disk is full.
    """
    limits = limits or PageLimits()
    with ThreadPoolExecutor(threads) as executor:
        budget = ThumbnailBudget(thumbnail, limits.thumbnail_bytes, executor)
        write_pieces(path, _render(duplicates, budget, on_progress, limits))


def describe_found(duplicates: Duplicates) -> str:
    """Say in a sentence what was found."""
    counts = count_duplicates(duplicates)
    searched = name_count(counts.searched, "photo", "photos")
    if not counts.groups:
        return f"{searched} searched, no duplicates found."
    if duplicates.products is not None:
        return (
            f"{searched} searched. {name_count(counts.groups, 'group', 'groups')} of copies, with "
            f"photos of {name_count(duplicates.products, 'product', 'products')}; products.json "
            "tells which products are duplicates."
        )
    spare = name_count(counts.spare_photos, "photo", "photos")
    return (
        f"{searched} searched. {name_count(counts.groups, 'group', 'groups')} of duplicates: "
        f"with one photo of each kept, {spare} ({name_bytes(counts.spare_bytes)}) could go. "
        "Nothing was deleted."
    )


def _render(
    duplicates: Duplicates,
    budget: ThumbnailBudget,
    on_progress: Callable[[int, int], None],
    limits: PageLimits,
) -> Iterator[str]:
    yield from load_template("duplicates.html.jinja").generate(
        title=f"Duplicates in {show_text(duplicates.root.name or str(duplicates.root))}",
        root=show_text(str(duplicates.root)),
        summary=describe_found(duplicates),
        counts=count_duplicates(duplicates),
        products=duplicates.products,
        kinds=[evidence.value for evidence in Evidence],
        has_sellers=any(photo.seller for group in duplicates.groups for photo in group.photos),
        items=make_items(duplicates, limits, budget, on_progress),
        unreadable=[
            (show_text(file.name), file.reason.value, show_text(file.detail))
            for file in duplicates.unreadable[: limits.unreadable]
        ],
        reasons=Counter(file.reason.value for file in duplicates.unreadable).most_common(),
        left_out=lambda: _describe_left_out(duplicates, limits, budget),
    )


def _describe_left_out(
    duplicates: Duplicates, limits: PageLimits, budget: ThumbnailBudget
) -> list[str]:
    """Say what the page has no room for; known once its items are made."""
    groups, links = len(duplicates.groups), len(duplicates.links)
    told = []
    if groups > limits.groups:
        told.append(f"The first {limits.groups:,} of {groups:,} groups are shown.")
    if any(len(group.photos) > limits.photos for group in duplicates.groups[: limits.groups]):
        told.append(f"Of large groups the first {limits.photos:,} photos are shown.")
    if links > limits.links:
        told.append(f"The first {limits.links:,} of {links:,} links are shown.")
    if budget.left_out:
        photos = name_count(budget.left_out, "photo is", "photos are")
        told.append(
            f"{photos} shown without a picture, to keep the page below "
            f"{name_bytes(limits.thumbnail_bytes)} of pictures."
        )
    return [*told, "groups.json and groups.csv hold everything."] if told else []

"""What a data set of listings holds."""

from collections import Counter
from dataclasses import dataclass, field

from rich.console import Console

from seentwice.commands.progress import describe_rejects, show_progress
from seentwice.data.source import ListingSource
from seentwice.data.tabular.rejects import collect_rejects
from seentwice.records import Listing, ListingPair


@dataclass(slots=True)
class _Counts:
    """Counted as listings and pairs go by: they are not kept."""

    listings: int = 0
    photos: int = 0
    missing: int = 0  # photos that should be here
    first_missing: str = ""
    pairs: Counter[str] = field(default_factory=Counter)  # by split, "" where none is told
    duplicates: Counter[str] = field(default_factory=Counter)
    unlabelled: int = 0

    def add_listing(self, listing: Listing, source: ListingSource) -> None:
        self.listings += 1
        self.photos += len(listing.photos)
        for reference in listing.photos:
            file = source.photo_file(reference)
            if file is not None and not file.is_file():
                self.missing += 1
                self.first_missing = self.first_missing or str(file)

    def add_pair(self, pair: ListingPair) -> None:
        split = pair.split or ""
        self.pairs[split] += 1
        self.duplicates[split] += pair.is_duplicate is True
        self.unlabelled += pair.is_duplicate is None


def count_listings(source: ListingSource, console: Console) -> list[str]:
    """Prepare the data set, read it once, and return the lines that tell of it.

    Raises:
        UserError: a file is missing or not what the data set needs.
    """
    counts = _Counts()
    with show_progress("Preparing listings", console) as progress:
        source.prepare(progress)
    with collect_rejects(source.rejects) as rejects:
        with show_progress("Reading listings", console) as progress:
            for listing in source.read_listings(rejects, progress):
                counts.add_listing(listing, source)
        with show_progress("Reading pairs", console) as progress:
            for pair in source.read_pairs(rejects, progress):
                counts.add_pair(pair)
    return [*_describe(counts), *describe_rejects(rejects.summary()), _next_step(source)]


def _describe(counts: _Counts) -> list[str]:
    photos = f" with {counts.photos:,} photos" if counts.photos else ""
    lines = [f"{counts.listings:,} listings{photos}"]
    if counts.missing:
        lines.append(f"  {counts.missing:,} photos are missing, first {counts.first_missing}")
    if counts.pairs:
        unlabelled = f", {counts.unlabelled:,} unlabelled" if counts.unlabelled else ""
        pairs, duplicates = counts.pairs.total(), counts.duplicates.total()
        lines.append(f"{pairs:,} pairs, {duplicates:,} duplicates{unlabelled}")
    for split, pairs in counts.pairs.items():
        if split:
            lines.append(f"  {split}: {pairs:,} pairs, {counts.duplicates[split]:,} duplicates")
    return lines


def _next_step(source: ListingSource) -> str:
    name = f"{type(source).__module__}.{type(source).__name__}"
    return f"Next: {name} gives them one at a time in Python (read_listings, read_pairs)"

"""How many duplicates there are, of which kind, and what they weigh."""

from dataclasses import dataclass

from seentwice.dedupe.findings import Duplicates


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers that a report begins with."""

    searched: int  # photos
    without_content: int  # of these
    groups: int
    photos: int  # in groups
    spare_photos: int  # of these: all but the one to keep of each group; 0 of a catalogue
    spare_bytes: int
    links: int
    unreadable: int


def count_duplicates(duplicates: Duplicates) -> Counts:
    """Count what was found."""
    groups = duplicates.groups
    photos = sum(len(group.photos) for group in groups)
    spare = [photo for group in groups for photo in group.photos[1:] if duplicates.products is None]
    return Counts(
        searched=duplicates.searched,
        without_content=duplicates.without_content,
        groups=len(groups),
        photos=photos,
        spare_photos=len(spare),
        spare_bytes=sum(photo.size_bytes for photo in spare),
        links=len(duplicates.links),
        unreadable=len(duplicates.unreadable),
    )

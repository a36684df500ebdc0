"""How much a page holds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageLimits:
    """What a browser still opens with ease; the page tells what it leaves out."""

    thumbnail_bytes: int = 60_000_000  # in base64, of all photos together
    groups: int = 20_000
    photos: int = 60  # of a group
    links: int = 1_000
    unreadable: int = 2_000

    def __post_init__(self) -> None:
        # A group with fewer shows nothing side by side.
        if self.photos < 2:
            raise ValueError(f"photos is {self.photos}, not 2 or more")

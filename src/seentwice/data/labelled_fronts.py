"""The house fronts of the Houses-dataset, with storeys and style as their tags."""

from dataclasses import dataclass, replace
from pathlib import Path

from seentwice.data.house_fronts import HouseFront, read_house_fronts
from seentwice.data.houses import HousesSource
from seentwice.data.source import PhotoSet, Progress
from seentwice.errors import UserError


@dataclass(frozen=True, slots=True)
class LabelledFrontsSource:
    """The labelled house fronts of a folder that `HousesSource` fills with the same arguments."""

    root: Path
    download_to: Path | None = None
    url: str = ""
    archive: Path | None = None

    def prepare(self, on_progress: Progress) -> None:
        """Fill the folder, unless it is."""
        self._houses().prepare(on_progress)

    def read(self) -> PhotoSet:
        """Find the fronts that have a label; a tag that is unclear is left out.

        A house listed twice is one home, as in the data set itself.

        Raises:
            UserError: see `read_houses`; or no front of the 400 labelled houses is there.
        """
        found = self._houses().read()
        labels = {front.photo: front for front in read_house_fronts()}
        photos = tuple(
            replace(photo, tags=_tags_of(labels[photo.path.name]))
            for photo in found.photos
            if photo.path.name in labels
        )
        if not photos:
            raise UserError(
                f"{self.root}: has no <number>_frontal.jpg of houses 1 to {len(labels)}, whose "
                "storeys are known"
            )
        return replace(found, name="house_fronts", photos=photos)

    def _houses(self) -> HousesSource:
        return HousesSource(self.root, self.download_to, self.url, self.archive)


def _tags_of(front: HouseFront) -> tuple[tuple[str, str], ...]:
    known = (("storeys", front.storeys), ("style", front.style))
    return tuple((name, value) for name, value in known if value is not None)

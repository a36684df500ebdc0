"""The Airbnb duplicate image set of Kaggle, downloaded on first use.

`Airbnb Data/{Training Data,Test Data}/<room type>/<city>_<listing>_<k>.jpg`: two photos show the
same place when both folders, the city and the listing agree
(https://www.kaggle.com/datasets/barelydedicated/airbnb-duplicate-image-detection).
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from seentwice.data.fetching.first_use import fill_folder
from seentwice.data.fetching.kaggle_download import download_dataset
from seentwice.data.fetching.photo_names import check_photo_names
from seentwice.data.folder import place_of, read_folder
from seentwice.data.source import PhotoSet, Progress
from seentwice.records import Photo

SLUG = "barelydedicated/airbnb-duplicate-image-detection"
PAGE = f"https://www.kaggle.com/datasets/{SLUG}"
TOP_FOLDER = "Airbnb Data"
TRAINING_PHOTOS = 631
_SPLIT_FOLDERS = {"training data", "test data"}


@dataclass(frozen=True, slots=True)
class AirbnbSource:
    """The photos in a folder, which is filled by a download or from a zip."""

    root: Path
    """With the photos; with `Airbnb Data` or without."""
    download_to: Path | None = None
    """Where this is `root`, a missing `root` is downloaded; nothing is downloaded elsewhere."""
    archive: Path | None = None
    """A zip to fill `root` from, instead of the download."""

    def prepare(self, on_progress: Progress) -> None:
        """Fill the folder, unless it is; see `fill_folder`."""
        fetch = partial(download_dataset, SLUG) if self.root == self.download_to else None
        fill_folder(self.root, self.archive, fetch, check_airbnb, on_progress)

    def read(self) -> PhotoSet:
        """Find the photos; see `read_airbnb`."""
        return read_airbnb(self.root)


def read_airbnb(root: Path) -> PhotoSet:
    """Find the photos of the set below `root`.

    A listing is one home, in one split with all its rooms unless the folders are the splits
    (`Assign.OWN`). Where it has photos of a room in the training and in the test folder, these are
    two places, since the set tells only within a folder what is the same, and one zone: they are
    no pair, neither positive nor negative.

    Raises:
        UserError: see `read_folder`.
    """
    while (root / TOP_FOLDER).is_dir():
        root = root / TOP_FOLDER
    found = read_folder(root)
    photos = tuple(map(_tell_listing, found.photos))
    trained = sum(photo.split == "train" for photo in photos)
    notes = () if trained == TRAINING_PHOTOS else (_count_training(trained),)
    return replace(found, name="airbnb", photos=photos, notes=notes, origin=PAGE)


def check_airbnb(folder: Path) -> None:
    """Refuse what was unpacked from another zip than Kaggle's.

    Raises:
        UserError: see `check_photo_names`.
    """
    names = "{Training Data,Test Data}/<room type>/<city>_<listing>_<k>.jpg"
    check_photo_names(folder, _is_named, names, PAGE)


def _is_named(key: str) -> bool:
    *above, _ = PurePosixPath(key).parts[:-1] or ("",)
    is_split = not _SPLIT_FOLDERS.isdisjoint(name.lower() for name in above)
    return is_split and place_of(key) is not None


def _count_training(photos: int) -> str:
    return (
        f"{photos:,} training photos, where the set on Kaggle has {TRAINING_PHOTOS}; results are "
        "those of the photos that are here"
    )


def _tell_listing(photo: Photo) -> Photo:
    listing = photo.place.rpartition("/")[2]
    return replace(
        photo,
        place=f"{photo.split}/{photo.place}" if photo.split else photo.place,
        property=photo.property or listing,
        zone=photo.zone or photo.place,
        city=listing.partition("_")[0],
    )

"""Photos with tags of any kind: a CSV with a column of photos, and one for each question.

    photo,home,storeys,style
    12/front.jpg,12,two,spanish
    13/front.jpg,13,one,

An empty cell is a tag that is not known. Two columns are no tags: `home`, since photos of one home
are never in two splits, and `split`, train or test, where the table decides that itself.
"""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from seentwice.data.plain_table import PlainRow, read_plain_table
from seentwice.data.source import PhotoSet, Progress
from seentwice.display import show_text
from seentwice.errors import UserError
from seentwice.records import Photo

PHOTO, HOME, SPLIT = "photo", "home", "split"
_NO_TAGS = (PHOTO, HOME, SPLIT)
_SPLITS = ("", "train", "test")


@dataclass(frozen=True, slots=True)
class TagsSource:
    """The photos that a table of tags names."""

    path: Path
    """The table."""
    root: Path
    """The folder below which it names photos."""

    def prepare(self, on_progress: Progress) -> None:
        """Do nothing: the photos are the user's own."""

    def read(self) -> PhotoSet:
        """Read the table; see `read_tagged_photos`."""
        return read_tagged_photos(self.path, self.root)


def read_tagged_photos(path: Path, root: Path) -> PhotoSet:
    """Read the photos of a table with their tags; each is a place of its own.

    Photos that are not there are found out by whoever opens them; not one that is there is an
    error.

    Args:
        path: the table.
        root: the folder below which it names photos, with forward slashes.

    Raises:
        UserError: no such folder or table, no photo of it, a table without tags, or a wrong row;
            see `read_plain_table`.
    """
    if not root.is_dir():
        raise UserError(f"{root}: no such folder; give that of the photos, data.root=PHOTOS")
    wanted = f"a column {PHOTO!r}, one for each tag"
    table = read_plain_table(path, PHOTO, wanted, "")
    if table is None:
        raise UserError(f"{path}: no such file; give the table of tags, data.path=TABLE.csv")
    tags = [name for name in table.columns if name not in _NO_TAGS]
    if not tags or "" in tags or len(set(tags)) < len(tags):
        found = ", ".join(table.columns)
        raise UserError(
            f"{path}: its columns are {show_text(found)}; beside {PHOTO!r} it needs one or more, "
            "each with a name of its own: the tags"
        )
    photos = [_read_photo(path, root, name, row, tags) for name, row in table.rows.items()]
    if not any(photo.path.exists() for photo in photos):
        first, row = next(iter(table.rows.items()))
        raise UserError(
            f"{path}, line {row.line}: no photo {first!r} below {root}, nor any other of the "
            "table; name photos by their paths below data.root"
        )
    photos.sort(key=lambda photo: photo.key)
    return PhotoSet(path.stem, tuple(photos), homes_hint=f"a column {HOME!r} names them")


def _read_photo(path: Path, root: Path, name: str, row: PlainRow, tags: list[str]) -> Photo:
    key = PurePosixPath(name)
    if key.is_absolute() or ".." in key.parts:
        raise UserError(
            f"{path}, line {row.line}: {name!r} is no path below data.root; name photos by such"
        )
    split = row.cells.get(SPLIT, "").strip()
    if split not in _SPLITS:
        raise UserError(
            f"{path}, line {row.line}: {SPLIT} is {show_text(split)!r}; choose train or test, or "
            "leave all empty"
        )
    return Photo(
        path=root / key,
        key=key.as_posix(),
        place=key.as_posix(),
        property=row.cells.get(HOME, "").strip() or None,
        split=split or None,
        tags=tuple((tag, row.cells[tag].strip()) for tag in tags if row.cells[tag].strip()),
    )

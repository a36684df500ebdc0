"""Labelled pairs of records as lines of text, the format of Ditto.

Li et al. 2020, "Deep entity matching with pre-trained language models", arXiv:2004.00584: a line
is `COL <name> VAL <value> COL ...<tab>COL ...<tab><0 or 1>`, in train.txt, valid.txt and test.txt.
"""

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from seentwice.data.source import Progress
from seentwice.data.tabular.inputs import keep_inputs
from seentwice.data.tabular.key_index import open_key_index
from seentwice.data.tabular.lines import open_table, read_lines
from seentwice.data.tabular.rejects import Rejects, RowError, collect_rejects
from seentwice.errors import UserError
from seentwice.records import Listing, ListingPair

SPLITS: Mapping[str, str] = {"train": "train", "valid": "validation", "test": "test"}
"""File name without `.txt` -> split."""

Fields = tuple[tuple[str, str], ...]
"""Names and values of one record, in order."""

_FIELD = re.compile(r"(?:^|(?<= ))COL (\S+) VAL(?: |$)")
_TITLES, _DESCRIPTION, _PRICE = ("title", "name"), "description", "price"


@dataclass(frozen=True, slots=True)
class TextPair:
    """One line: two records and whether they are the same thing."""

    left: Fields
    right: Fields
    is_duplicate: bool


@dataclass(frozen=True, slots=True)
class TextPairsSource:
    """A folder of such files; one or two of the three may be missing, which is told."""

    root: Path
    rejects: Path

    def __post_init__(self) -> None:
        keep_inputs("data.rejects", Path(self.rejects), self._files())

    def prepare(self, on_progress: Progress) -> None:
        """Do nothing: the files are the user's own."""

    def read_listings(self, rejects: Rejects, on_progress: Progress) -> Iterator[Listing]:
        """Yield each record once, however many pairs it is in.

        Its key tells the side, since both tables may hold the same text, and the text.
        """
        with open_key_index() as seen, collect_rejects(None) as told_by_pairs:
            for _, pair in self._read(told_by_pairs, on_progress):
                for listing in (to_listing("left", pair.left), to_listing("right", pair.right)):
                    if seen.add(listing.key, 0) is None:
                        yield listing

    def read_pairs(self, rejects: Rejects, on_progress: Progress) -> Iterator[ListingPair]:
        """Yield the pairs with their split; what is odd in the files is told here alone.

        Two records that are paired again, be it with the other label, are counted but kept: other
        things may have the same text, and published sets hold such pairs.
        """
        again = otherwise = 0
        with open_key_index() as seen:
            for split, pair in self._read(rejects, on_progress):
                left, right = key_of("left", pair.left), key_of("right", pair.right)
                label = seen.add(f"{left} {right}", int(pair.is_duplicate))
                again += label is not None
                otherwise += label is not None and bool(label) != pair.is_duplicate
                yield ListingPair(left, right, pair.is_duplicate, split=split)
        if again:
            rejects.add_hint(
                f"{self.root}: pairs with both texts of an earlier pair: {again:,}, of them with "
                f"the other label: {otherwise:,}; all are kept, since two things may have one text"
            )
        for file, split in self._files().items():
            if not file.is_file():
                rejects.add_hint(
                    f"{self.root}: holds no {file.name}, so there are no {split} pairs"
                )

    def photo_file(self, reference: str) -> Path | None:
        """Return None: there are no photos."""
        return None

    def _read(self, rejects: Rejects, on_progress: Progress) -> Iterator[tuple[str, TextPair]]:
        files = self._files()
        found = {file: split for file, split in files.items() if file.is_file()}
        if not found:
            names = ", ".join(file.name for file in files)
            raise UserError(f"{str(self.root)!r}: holds none of {names}; give the folder that does")
        for file, split in found.items():
            for pair in read_text_pairs(file, rejects, on_progress):
                yield split, pair

    def _files(self) -> dict[Path, str]:
        """Return the files that may be there, and their splits."""
        return {Path(self.root) / f"{name}.txt": split for name, split in SPLITS.items()}


def read_text_pairs(file: Path, rejects: Rejects, on_progress: Progress) -> Iterator[TextPair]:
    """Yield the pairs of one file.

    Raises:
        UserError: no such file, or no line in it can be read.
    """
    count = 0
    with open_table(file) as stream:
        for line in read_lines(stream, on_progress):
            text = line.text.rstrip("\r\n")
            if not text:
                continue
            try:
                if line.problem:
                    raise RowError(line.problem)
                pair = parse_line(text)
            except RowError as error:
                rejects.add(file, line.number, str(error), text)
            else:
                count += 1
                yield pair
        rejects.end_file(file, count)


def parse_line(line: str) -> TextPair:
    """Read one line, without its line end.

    The format has no escape: `COL <one word> VAL ` after a space begins a field wherever it
    stands. The words COL and VAL in other places are part of a value.

    Raises:
        RowError: not two records and a label, or a record that does not begin with a field.
    """
    parts = line.split("\t")
    if len(parts) != 3:
        raise RowError(f"{len(parts)} parts between tabs; needed are two records and a label")
    label = parts[2].strip()
    if label not in ("0", "1"):
        raise RowError(f"the label is {label[:40]!r}; needed is 0 or 1")
    return TextPair(_parse_record(parts[0]), _parse_record(parts[1]), label == "1")


def format_line(pair: TextPair) -> str:
    """Return the line, without its line end, that `parse_line` reads as this pair.

    Raises:
        UserError: a name or a value that the format cannot hold.
    """
    line = f"{_format_record(pair.left)}\t{_format_record(pair.right)}\t{int(pair.is_duplicate)}"
    for record in (pair.left, pair.right):
        text = _format_record(record)
        if not record or re.search(r"[\t\r\n]", text) or _fields_of(text) != record:
            raise UserError(
                f"{record[:1]}...: the format of text pairs cannot hold this record: names are one "
                "word, and values hold no tab, no line end and no 'COL <word> VAL'"
            )
    return line


def key_of(side: str, record: Fields) -> str:
    """Return the key of a record: equal for equal records of one side."""
    return f"{side}:{hashlib.sha256(_format_record(record).encode()).hexdigest()[:32]}"


def to_listing(side: str, record: Fields) -> Listing:
    """Make a listing of a record; fields that a listing has no place for become attributes.

    Args:
        side: "left" or "right", for its key.
        record: with a title or name, a description and a price, if any.
    """
    # Of fields of one name the first that says something counts, and the others are attributes.
    first: dict[str, tuple[int, str]] = {}
    for position, (name, value) in enumerate(record):
        if value.strip():
            first.setdefault(name, (position, value))
    nothing = (-1, "")
    title_at, title = next((first[name] for name in _TITLES if name in first), nothing)
    description_at, description = first.get(_DESCRIPTION, nothing)
    price_at, price_text = first.get(_PRICE, nothing)
    price = _price(price_text)
    taken = {title_at, description_at, -1 if price is None else price_at}
    return Listing(
        key=key_of(side, record),
        title=title,
        description=description,
        price=price,
        attributes=tuple(
            field for position, field in enumerate(record) if position not in taken and field[1]
        ),
    )


def _price(text: str) -> float | None:
    """Return a price; None for what is none, which stays an attribute."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _parse_record(text: str) -> Fields:
    if not _FIELD.match(text):
        raise RowError(f"a record begins with {text[:40]!r}; needed is COL <name> VAL <value>")
    return _fields_of(text)


def _fields_of(text: str) -> Fields:
    _, *found = _FIELD.split(text)
    # The space after a value, which the last one may lack, stands before the next COL.
    values = [value.removesuffix(" ") for value in found[1::2]]
    return tuple(zip(found[::2], values, strict=True))


def _format_record(record: Fields) -> str:
    return "".join(f"COL {name} VAL {value} " for name, value in record)

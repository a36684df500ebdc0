"""The arguments and options of `seentwice dedupe`."""

from argparse import ArgumentTypeError
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from seentwice.commands.matching_options import HASH_BITS, LEAST_SCORE, add_matching_options
from seentwice.commands.options import OptionParser, whole_number
from seentwice.commands.photo_index import index_of
from seentwice.data.tabular.columns import PHOTO_SEPARATOR, Columns
from seentwice.data.tabular.photo_references import check_separator
from seentwice.dedupe.keeping import KEEP
from seentwice.dedupe.looking import Decoding
from seentwice.errors import UserError

BY = ("bytes", "pixels", "hashes", "embeddings")
"""What duplicates can be found by; the first three without a detector."""
_APPLY = tuple(f"keep-{name}" for name in KEEP)
_CATALOGUE = Columns(
    id="id", photos="photos", category="category", family="productFamily", seller="seller"
)
_EXAMPLES = """\
  seentwice dedupe PHOTOS                                  groups as a page, JSON and CSV
  seentwice dedupe PHOTOS --by bytes,pixels                nothing but the very same pictures
  seentwice dedupe PHOTOS --detector outputs/train/...     by a trained checkpoint, too
  seentwice dedupe PHOTOS --explain                        and what was done to each copy
  seentwice dedupe PHOTOS --apply keep-largest --to AWAY         what would move, and where to
  seentwice dedupe PHOTOS --apply keep-largest --to AWAY --yes   moves it
  seentwice dedupe --undo AWAY/undo-TIME.jsonl             puts everything back
  seentwice dedupe PHOTOS --catalogue products.csv         duplicates among products
"""


@dataclass(frozen=True, slots=True)
class CatalogueOptions:
    """The table of products, and how it is read."""

    file: Path
    columns: Columns
    is_row_a_photo: bool
    photo_separator: str
    delimiter: str | None


@dataclass(frozen=True, slots=True)
class DedupeOptions:
    """What to search, by what, and what to do with what is found."""

    photos: Path
    out: Path | None  # None is a new folder of outputs/dedupe
    index: Path
    by: tuple[str, ...]
    bits: int
    least_score: float
    is_turned: bool  # whether mirrored and turned photos are copies
    detector: Path | None
    is_confirmed: bool  # whether key points must confirm what nothing but embeddings shows
    weights: str | None
    decoding: Decoding
    keep: str
    is_explained: bool
    move_to: Path | None
    is_move_meant: bool  # or a plan alone
    catalogue: CatalogueOptions | None
    workers: int | None  # None is one a core
    max_pixels: int


@dataclass(frozen=True, slots=True)
class UndoOptions:
    """An undo file whose moves are taken back."""

    undo: Path


def read_options(arguments: Sequence[str]) -> DedupeOptions | UndoOptions:
    """Parse what stands after the command.

    Raises:
        UserError: wrong arguments.
    """
    given = _make_parser().parse(arguments)
    if given.undo is not None:
        if given.photos is not None:
            raise UserError("--undo FILE knows its folders; leave PHOTOS out")
        return UndoOptions(given.undo)
    if given.photos is None:
        raise UserError("give the folder of the photos; see seentwice dedupe --help")
    if given.weights is not None and given.detector is None:
        raise UserError("--weights: of which detector? add --detector CHECKPOINT")
    if given.unconfirmed and given.detector is None:
        raise UserError("--unconfirmed: of which detector? add --detector CHECKPOINT")
    if given.detector is not None and not given.unconfirmed and find_spec("cv2") is None:
        raise UserError(
            "--detector: key points confirm what it finds, by OpenCV; "
            "pip install 'seentwice[opencv]', or add --unconfirmed, which groups other views of "
            "one room as well"
        )
    if (given.apply is None) != (given.to is None):
        raise UserError("--apply and --to belong together: --apply keep-largest --to FOLDER")
    if given.yes and given.apply is None:
        raise UserError("--yes: moves what --apply keep-largest --to FOLDER plans; add those")
    if given.apply is not None and given.catalogue is not None:
        raise UserError(
            "--apply: products of a catalogue may share photos; leave --catalogue or --apply out"
        )
    keep = given.keep or (given.apply or _APPLY[0]).removeprefix("keep-")
    if given.apply is not None and given.apply != f"keep-{keep}":
        raise UserError(f"--keep {keep} and --apply {given.apply} differ; leave --keep out")
    by = _choose_by(given.by, given.detector)
    _check_weighed(by, given.bits, given.least_score, given.upright)
    decoding: Decoding = "full" if given.full_decode else "blocks"
    return DedupeOptions(
        photos=given.photos,
        out=given.out,
        index=given.index or index_of(given.photos, decoding),
        by=by,
        bits=HASH_BITS if given.bits is None else given.bits,
        least_score=given.least_score or LEAST_SCORE,
        is_turned=not given.upright,
        detector=given.detector,
        is_confirmed=given.detector is not None and not given.unconfirmed,
        weights=given.weights,
        decoding=decoding,
        keep=keep,
        is_explained=given.explain,
        move_to=given.to,
        is_move_meant=given.yes,
        catalogue=_read_catalogue_options(
            given.catalogue, given.column, given.rows, given.photo_separator, given.delimiter
        ),
        workers=given.workers,
        max_pixels=given.max_pixels,
    )


def _choose_by(given: tuple[str, ...] | None, detector: Path | None) -> tuple[str, ...]:
    """Return what duplicates are found by: all that there is, unless it was said."""
    if given is None:
        return BY if detector is not None else BY[:-1]
    if "embeddings" in given and detector is None:
        raise UserError("--by embeddings: of which detector? add --detector CHECKPOINT")
    if "embeddings" not in given and detector is not None:
        raise UserError(f"--detector: --by {','.join(given)} has no use for it; add embeddings")
    return given


def _check_weighed(
    by: Sequence[str], bits: int | None, least_score: float | None, is_upright: bool
) -> None:
    """Refuse options without effect: the very same bytes and pixels are not weighed."""
    is_weighed = "hashes" in by or "embeddings" in by
    idle = {
        "--bits": bits is not None and "hashes" not in by,
        "--least-score": least_score is not None and not is_weighed,
        "--upright": is_upright and not is_weighed,
    }
    for option, is_idle in idle.items():
        if is_idle:
            raise UserError(f"{option}: --by {','.join(by)} has no use for it; add hashes")


def _read_catalogue_options(
    file: Path | None,
    columns: Sequence[tuple[str, str]] | None,
    rows: str | None,
    photo_separator: str | None,
    delimiter: str | None,
) -> CatalogueOptions | None:
    if file is None:
        needless = {
            "--column": columns,
            "--rows": rows,
            "--photo-separator": photo_separator,
            "--delimiter": delimiter,
        }
        for option, value in needless.items():
            if value is not None:
                raise UserError(f"{option}: of which table? add --catalogue FILE")
        return None
    if photo_separator is not None:
        check_separator("--photo-separator", photo_separator)
    named = {field: column or None for field, column in columns or ()}
    return CatalogueOptions(
        file,
        replace(_CATALOGUE, **named),
        rows == "photo",
        PHOTO_SEPARATOR if photo_separator is None else photo_separator,
        delimiter,
    )


def _read_by(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in BY:
            raise ArgumentTypeError(f"{name!r}: choose some of {','.join(BY)}")
    return names


def _read_column(text: str) -> tuple[str, str]:
    fields = ("id", "photos", "category", "family", "seller")
    field, equals, column = text.partition("=")
    if field not in fields or not equals:
        raise ArgumentTypeError(f"{text!r}: give FIELD=COLUMN, FIELD one of {', '.join(fields)}")
    if field == "id" and not column:
        raise ArgumentTypeError("'id=': name the column that tells one product from another")
    return field, column


def _make_parser() -> OptionParser:
    parser = OptionParser(
        "dedupe",
        "Finds photos that are there twice, at any depth of a folder: the same bytes, the same\n"
        "pixels, copies that were saved again, resized, marked, mirrored or turned, and with a\n"
        "trained detector cropped and rotated ones. Writes report.html, groups.json and\n"
        "groups.csv (a cell that begins with - = + or @ has ' before it there, lest a spreadsheet\n"
        "runs it); deletes nothing. A second run reads only what is new or has changed.\n"
        "It ends with 1 where files gave no photo, or where rows of a catalogue or photos of its\n"
        "products are missing: they are told, the rest is done; with 2 for wrong input.",
        _EXAMPLES,
    )
    parser.add_argument("photos", nargs="?", type=Path, metavar="PHOTOS", help="folder of photos")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="of the results")
    parser.add_argument(
        "--index", type=Path, metavar="FOLDER", help="of what is known of these photos"
    )
    finding = parser.add_argument_group("what is a duplicate")
    finding.add_argument(
        "--by",
        type=_read_by,
        metavar="LIST",
        help=f"some of {','.join(BY)} (default: all, embeddings with --detector); the same bytes "
        "always count, and embeddings are weighed together with hashes",
    )
    add_matching_options(finding)
    finding.add_argument(
        "--detector",
        type=Path,
        metavar="CHECKPOINT",
        help="what seentwice train wrote: finds cropped and rotated copies, too; key points "
        "confirm them (needs OpenCV)",
    )
    finding.add_argument(
        "--unconfirmed",
        action="store_true",
        help="with --detector: key points need not confirm its matches, so other views of one "
        "room are grouped as well",
    )
    finding.add_argument(
        "--weights", metavar="W", help="of its trunk: imagenet or a file, if it holds none"
    )
    finding.add_argument(
        "--full-decode",
        action="store_true",
        help="hashes are those of imagehash; slower, in an index of its own",
    )
    doing = parser.add_argument_group("what to do with them")
    doing.add_argument(
        "--keep",
        choices=KEEP,
        help="of each group: the most pixels, of equal ones the older file; the sharpest; or the "
        "oldest file (default: largest). Bars around a screenshot are pixels, too: look at what "
        "goes before --apply",
    )
    doing.add_argument(
        "--explain",
        action="store_true",
        help="compare key points, to name what was done to each copy (needs OpenCV)",
    )
    doing.add_argument("--apply", choices=_APPLY, help="plan to move all but one away")
    doing.add_argument("--to", type=Path, metavar="FOLDER", help="where to")
    doing.add_argument("--yes", action="store_true", help="move them; FOLDER gets an undo file")
    doing.add_argument("--undo", type=Path, metavar="FILE", help="put back what was moved")
    products = parser.add_argument_group("a catalogue of products")
    products.add_argument(
        "--catalogue",
        type=Path,
        metavar="FILE",
        help="CSV, TSV, JSON or JSON Lines, whose paths of photos start in PHOTOS: products of "
        "one category and not of one family are compared, and products.json is written",
    )
    products.add_argument(
        "--column",
        type=_read_column,
        action="append",
        metavar="FIELD=COLUMN",
        help="of id, photos, category, family (default: productFamily), seller; nothing for none",
    )
    products.add_argument("--rows", choices=("product", "photo"), help="what each row is")
    products.add_argument("--photo-separator", metavar="TEXT", help="within a cell (default: ,)")
    products.add_argument("--delimiter", metavar="CHAR", help="between cells")
    count = whole_number(1)
    parser.add_argument("--workers", type=count, help="processes (default: one a core)")
    parser.add_argument(
        "--max-pixels",
        type=count,
        default=100_000_000,
        help="photos with more are listed as unreadable (default: 100,000,000)",
    )
    return parser

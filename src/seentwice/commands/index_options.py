"""The arguments and options of `seentwice index`."""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seentwice.commands.options import OptionParser, whole_number
from seentwice.commands.photo_index import index_of
from seentwice.commands.score_options import WEIGHTS, read_weight
from seentwice.data.tabular.rows import read_delimiter
from seentwice.errors import UserError
from seentwice.recommend.listings import Grouping

_EXAMPLES = """\
  seentwice index PHOTOS --tagger outputs/tagger/...       tags and embeddings of each photo
  seentwice index PHOTOS --detector CHECKPOINT             embeddings alone, by a trained detector
  seentwice index PHOTOS --listings listings.csv           again: what is new, and these listings
  seentwice index PHOTOS --each folder                     a folder is a listing
  seentwice index PHOTOS --learn-from triplets.csv         weights of the score from triplets
  seentwice index PHOTOS --weight tag_points=0.5           or as given, the others as usual
  seentwice index PHOTOS --back                            as before the last such change
"""


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """Which photos, what looks at them, and what a listing is; None is as in the run before."""

    photos: Path
    index: Path
    tagger: Path | None
    detector: Path | None
    weights: str | None
    listings: Path | None
    delimiter: str | None
    each: Grouping | None  # "photo" or "folder"
    triplets: Path | None
    parts: dict[str, float] | None  # weights of the score that differ from the usual; None: as were
    is_back: bool
    workers: int | None  # None is one a core
    max_pixels: int


def read_options(arguments: Sequence[str]) -> IndexOptions:
    """Parse what stands after the command.

    Raises:
        UserError: wrong arguments.
    """
    given = _make_parser().parse(arguments)
    if given.weights is not None and given.tagger is None and given.detector is None:
        raise UserError("--weights: of which trunk? add --tagger or --detector CHECKPOINT")
    if given.delimiter is not None and given.listings is None:
        raise UserError("--delimiter: of which table? add --listings FILE")
    if given.back:
        _refuse_besides(given)
    return IndexOptions(
        photos=given.photos,
        index=given.index or index_of(given.photos, "blocks"),
        tagger=given.tagger,
        detector=given.detector,
        weights=given.weights,
        listings=given.listings,
        delimiter=read_delimiter("--delimiter", given.delimiter),
        each=given.each,
        triplets=given.learn_from,
        parts=_read_parts(given.weight),
        is_back=given.back,
        workers=given.workers,
        max_pixels=given.max_pixels,
    )


def _make_parser() -> OptionParser:
    parser = OptionParser(
        "index",
        "Looks at the photos of a folder, and keeps tags and embeddings, so that seentwice\n"
        "recommend can say which listings look alike. A photo is decoded to be hashed, as\n"
        "seentwice dedupe does in the same index, and once more to pass through one network. A\n"
        "second run looks at what is new alone, and needs no checkpoint named again. It ends with\n"
        "1 where files gave no photo, rows of a table no listing, or photos of listings are\n"
        "missing: they are told with the reason, and the rest is done.",
        _EXAMPLES,
    )
    parser.add_argument("photos", type=Path, metavar="PHOTOS", help="folder of photos")
    parser.add_argument(
        "--index", type=Path, metavar="FOLDER", help="of what is known of these photos"
    )
    looking = parser.add_argument_group("what looks at photos")
    which = looking.add_mutually_exclusive_group()
    which.add_argument(
        "--tagger", type=Path, metavar="CHECKPOINT", help="what seentwice tagger wrote"
    )
    which.add_argument(
        "--detector",
        type=Path,
        metavar="CHECKPOINT",
        help="what seentwice train wrote: no tags, so class and tag points are 0",
    )
    looking.add_argument(
        "--weights", metavar="W", help="of its trunk: imagenet or a file, if it holds none"
    )
    listings = parser.add_argument_group("what a listing is")
    one = listings.add_mutually_exclusive_group()
    one.add_argument(
        "--listings",
        type=Path,
        metavar="FILE",
        help="CSV, TSV, JSON or JSON Lines with the columns id and photos (paths in PHOTOS joined "
        "by |, or a row a photo), the title photo first; any other column is a filter",
    )
    one.add_argument("--each", choices=("photo", "folder"), help="without a table (default: photo)")
    listings.add_argument("--delimiter", metavar="CHAR", help="between cells")
    parser.add_argument(
        "--learn-from",
        type=Path,
        metavar="FILE",
        help="learn the weights of the score: a table of photos of PHOTOS with the columns query, "
        "positive, negative",
    )
    parser.add_argument(
        "--weight",
        type=_read_weight,
        action="append",
        metavar="PART=W",
        help=f"of the score from now on, PART one of {', '.join(WEIGHTS)}; those that are not "
        "given are 1, 0.3, 1, and so are all with --weight default",
    )
    parser.add_argument(
        "--back",
        action="store_true",
        help="go back to the state before the last run that changed what looks at photos, the "
        "listings or the weights; once more comes back from there",
    )
    count = whole_number(1)
    parser.add_argument("--workers", type=count, help="processes (default: one a core)")
    parser.add_argument(
        "--max-pixels",
        type=count,
        default=100_000_000,
        help="photos with more are listed as unreadable (default: 100,000,000)",
    )
    return parser


def _read_weight(text: str) -> tuple[str, float] | None:
    return None if text == "default" else read_weight(text)


def _read_parts(given: Sequence[tuple[str, float] | None] | None) -> dict[str, float] | None:
    return None if given is None else dict(one for one in given if one is not None)


def _refuse_besides(given: Namespace) -> None:
    others = ("tagger", "detector", "listings", "each", "learn_from", "weight")
    for name in others:
        if getattr(given, name) is not None:
            raise UserError(
                f"--back and --{name.replace('_', '-')}: go back first, then change it in a run "
                "of its own"
            )

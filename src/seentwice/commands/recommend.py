"""Which listings of an index look most like a photo."""

from argparse import ArgumentTypeError
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from seentwice.commands.options import OptionParser, whole_number
from seentwice.commands.photo_index import choose_index
from seentwice.commands.progress import open_console
from seentwice.commands.score_options import WEIGHTS, read_weight
from seentwice.errors import UserError
from seentwice.recommend.candidates import Title
from seentwice.recommend.filters import Filter, read_filter

ON_STOP = "nothing was changed"
_EXAMPLES = """\
  seentwice recommend PHOTO --among PHOTOS            PHOTOS is a folder that index has read
  seentwice recommend 4711 --photo front --top 100    listing 4711, by the best house fronts
  seentwice recommend PHOTO --where city=Paris --where 'price<=500000'
  seentwice recommend PHOTO --html like-it.html       with pictures
"""


@dataclass(frozen=True, slots=True)
class RecommendOptions:
    """What is asked, and how the answer is shown."""

    asked: str  # a file, or the id of a listing
    index: Path
    top: int
    filters: tuple[Filter, ...]
    title: Title
    weights: dict[str, float]  # those that differ from the index's
    is_json: bool
    html: Path | None


def run(arguments: Sequence[str]) -> int:
    """Print what looks most alike; 1 where the file gives no photo."""
    options = _read_options(arguments)
    from seentwice.commands.recommend_job import answer  # brings numba, which --help need not

    return answer(options, open_console())


def _read_options(arguments: Sequence[str]) -> RecommendOptions:
    given = _make_parser().parse(arguments)
    if not given.asked.strip():
        raise UserError("PHOTO|ID: is empty; give a file, or the id of a listing")
    return RecommendOptions(
        asked=given.asked,
        index=choose_index(given.index, given.among, "--among", "index"),
        top=given.top,
        filters=tuple(given.where or ()),
        title=given.photo,
        weights=dict(given.weight or ()),
        is_json=given.json,
        html=given.html,
    )


def _make_parser() -> OptionParser:
    parser = OptionParser(
        "recommend",
        "Tells which listings look most like a photo or a listing: class points where both photos\n"
        "show house fronts, tag points for equal tags, and visual similarity. The index is what\n"
        "seentwice index made of a folder. The photo itself and its listing are no results.",
        _EXAMPLES,
    )
    parser.add_argument("asked", metavar="PHOTO|ID", help="a file, or the id of a listing")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--among",
        type=Path,
        metavar="PHOTOS",
        help="folder that index has read (default: the only index below data/prepared/index)",
    )
    which.add_argument("--index", type=Path, metavar="FOLDER", help="as index --index named it")
    parser.add_argument(
        "--top", type=whole_number(1), default=20, metavar="N", help="listings (default: 20)"
    )
    parser.add_argument(
        "--where",
        type=_read_where,
        action="append",
        metavar="COLUMN=VALUE",
        help="of the listings, or a tag of the photo; also != (which those without a "
        "value pass, too) <= >= < >; all must pass",
    )
    parser.add_argument(
        "--photo",
        choices=get_args(Title),
        default="first",
        help="of a listing, that is compared: the first, the best house front, or whichever looks "
        "most alike (default: first)",
    )
    parser.add_argument(
        "--weight",
        type=read_weight,
        action="append",
        metavar="PART=W",
        help=f"of the score, PART one of {', '.join(WEIGHTS)} (default: those of the index)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with pictures")
    return parser


def _read_where(text: str) -> Filter:
    try:
        return read_filter(text)
    except UserError as error:
        raise ArgumentTypeError(str(error)) from error

"""The arguments and options of `seentwice variants`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seentwice.commands.options import OptionParser, whole_number
from seentwice.data.folder import Homes
from seentwice.data.variants.plan import FORMATS, VariantSettings
from seentwice.edits import STRENGTHS, draw_edits, expand_strengths
from seentwice.errors import UserError

MOST_ROWS = 10**8
_LARGEST_SEED = 2**31 - 1
_EXAMPLES = """\
  seentwice variants PHOTOS OUT                          watermark, crop, rotation: the MLS study
  seentwice variants PHOTOS OUT --strength attack        what hides a photo on purpose
  seentwice variants PHOTOS OUT --edit "rotate:7|jpeg:60" --edit crop --format png
  seentwice variants PHOTOS OUT --places                 PHOTOS hold several photos of one room
  seentwice variants PHOTOS OUT --places --homes name    and are named <home>_<room>_<k>.jpg
  seentwice compare data=folder data.root=OUT            compare detectors on them
"""


@dataclass(frozen=True, slots=True)
class VariantOptions:
    """What to make of which photos, and how."""

    photos: Path
    out: Path
    settings: VariantSettings
    has_places: bool  # names and manifest tell which photos show one place
    homes: Homes  # what names their homes; manifest without places
    pairs: str  # balanced or all
    may_be_large: bool  # a table of more than `MOST_ROWS`
    workers: int | None  # processes; None is one a core
    max_pixels: int


def read_options(arguments: Sequence[str]) -> VariantOptions:
    """Parse what stands after the command.

    Raises:
        UserError: wrong arguments; an edit that does not exist, or one that is named twice.
    """
    given = _make_parser().parse(arguments)
    names = expand_strengths(given.edit or [given.strength])
    draw_edits("", names, given.seed)
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise UserError(f"--edit: {_describe_twice(twice[0], given.edit)}")
    homes = Homes(given.homes)
    if homes is Homes.NAME and not given.places:
        raise UserError("--homes name: homes are kept together by their places; add --places")
    return VariantOptions(
        photos=given.photos,
        out=given.out,
        settings=VariantSettings(given.seed, names, given.format),
        has_places=given.places,
        homes=homes,
        pairs=given.pairs,
        may_be_large=given.yes,
        workers=given.workers,
        max_pixels=given.max_pixels,
    )


def _describe_twice(edit: str, given: Sequence[str]) -> str:
    """Say where an edit comes from that is meant twice, by its own name or by strengths."""
    strengths = [name for name in dict.fromkeys(given) if edit in STRENGTHS.get(name, ())]
    if not strengths:
        return f"{edit!r} stands there twice; name each edit once"
    if edit in given:
        return f"{strengths[0]} holds {edit!r} already; leave {edit!r} out"
    if len(strengths) > 1:
        return f"both {strengths[0]} and {strengths[1]} hold {edit!r}; leave one of them out"
    return f"{strengths[0]!r} stands there twice; name each edit once"


def _make_parser() -> OptionParser:
    parser = OptionParser(
        "variants",
        "Writes each photo of a folder and seeded edited copies of it into another folder, and\n"
        "pairs.csv with the duplicate flag. Photos are taken for unique but for files of the\n"
        "same bytes, of which the first is used; where several show one room or house front,\n"
        "name them as data=folder reads them and add --places. A second run makes only what is\n"
        "missing.",
        _EXAMPLES,
    )
    parser.add_argument("photos", type=Path, metavar="PHOTOS", help="folder of photos, any depth")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to write, outside PHOTOS")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--strength", choices=STRENGTHS, default="mls", help="default: mls")
    which.add_argument(
        "--edit",
        action="append",
        metavar="NAME",
        help="an edit of your own, such as crop, 'rotate|jpeg', rotate:7, or a strength for all of "
        "its edits; once for each copy",
    )
    parser.add_argument(
        "--places",
        action="store_true",
        help="names <room type>/<home>_<room>_<k>.jpg, and manifest.csv where PHOTOS has one, tell "
        "which photos show one place or zone. Two photos of one are neither copies nor strangers, "
        "so pairs.csv holds no pair of them, and OUT gets a manifest.csv by which data=folder "
        "keeps them together, too",
    )
    parser.add_argument(
        "--homes",
        choices=[homes.value for homes in Homes],
        default=Homes.MANIFEST.value,
        help="what names a photo's home, beside --places: the manifest.csv of PHOTOS alone, or "
        "the first part of its name, too; OUT's own manifest.csv then names it (default: manifest)",
    )
    seed = whole_number(0, _LARGEST_SEED)
    parser.add_argument("--seed", type=seed, default=0, help="of edits and pairs (default: 0)")
    parser.add_argument(
        "--pairs",
        choices=("balanced", "all"),
        default="balanced",
        help="all duplicates and as many others, or every pair (default: balanced)",
    )
    parser.add_argument("--yes", action="store_true", help=f"write more than {MOST_ROWS:,} rows")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="jpeg",
        help="of the copies: jpeg of quality 95, or png without loss (default: jpeg)",
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

"""Ask which photos of an index a photo is a copy of."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from seentwice.commands.matching_options import HASH_BITS, LEAST_SCORE, add_matching_options
from seentwice.commands.options import OptionParser, whole_number
from seentwice.commands.photo_index import choose_index
from seentwice.commands.progress import describe_unreadable, open_console, print_plainly
from seentwice.dedupe.check_json import spell_copies, spell_problem
from seentwice.dedupe.checking import CheckSettings, PhotoChecker
from seentwice.dedupe.findings import Match
from seentwice.index.store import PhotoStore
from seentwice.photos import PhotoError
from seentwice.records import Unreadable

ON_STOP = "nothing was changed"
UNREADABLE = 1
"""The exit code where a file gave no photo."""
_EXAMPLES = """\
  seentwice check PHOTO --against PHOTOS     PHOTOS is a folder that dedupe has read
  seentwice check *.jpg --json               against the only index, as JSON lines
"""


def run(arguments: Sequence[str]) -> int:
    """Check photos one after the other, and print what each is a copy of."""
    given = _make_parser().parse(arguments)
    settings = CheckSettings(
        hash_bits=HASH_BITS if given.bits is None else given.bits,
        least_score=given.least_score or LEAST_SCORE,
        is_turned=not given.upright,
        max_pixels=given.max_pixels,
        threads=os.cpu_count() or 1,
    )
    console = open_console()
    show = _print_json if given.json else _print_lines
    code = 0
    with PhotoStore.open_to_read(choose_index(given.index, given.against), lambda: None) as store:
        checker = PhotoChecker(store, settings)
        for photo in given.photos:
            try:
                show(photo, checker.check(photo), checker.root, console)
            except PhotoError as error:
                code = UNREADABLE
                _print_problem(photo, error.unreadable, given.json, console)
    return code


def _make_parser() -> OptionParser:
    parser = OptionParser(
        "check",
        "Tells which photos of an index one photo is a copy of, and why: a borrowed photo, or one\n"
        "that is about to be added again. The index is what seentwice dedupe made of a folder;\n"
        "photos that are gone since are marked so. Copies that embeddings alone find, such as\n"
        "crops to 60 % and turns by 5 degrees, are out of its reach: dedupe --detector finds\n"
        "them among the photos of a folder. It ends with 0 whether or not there are copies, with\n"
        "1 where a file gives no photo (the rest is done), 2 for wrong input, 130 after Ctrl-C.",
        _EXAMPLES,
    )
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="a file")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--against", type=Path, metavar="PHOTOS", help="folder that dedupe has read")
    which.add_argument("--index", type=Path, metavar="FOLDER", help="as dedupe --index named it")
    add_matching_options(parser)
    parser.add_argument(
        "--json",
        action="store_true",
        help="a line of JSON for each photo; its copies list is empty where there is none",
    )
    parser.add_argument(
        "--max-pixels",
        type=whole_number(1),
        default=100_000_000,
        help="a photo with more is not decoded (default: 100,000,000)",
    )
    return parser


def _print_lines(photo: Path, matches: Sequence[Match], root: Path, console: Console) -> None:
    if not matches:
        print_plainly(f"{photo}: no copy found", console)
        return
    print_plainly(f"{photo}: a copy of", console)
    for match, is_there in _look_for(matches, root):
        bits = "" if match.hash_bits is None else f", {match.hash_bits} of 64 bits"
        gone = "" if is_there else " (gone)"
        print_plainly(
            f"  {match.score:.3f}  {root / match.left}{gone}  ({match.evidence[0].value}{bits})",
            console,
        )


def _print_json(photo: Path, matches: Sequence[Match], root: Path, console: Console) -> None:
    sys.stdout.write(spell_copies(photo, root, _look_for(matches, root)) + "\n")


def _look_for(matches: Sequence[Match], root: Path) -> list[tuple[Match, bool]]:
    """Return each match with whether its photo is still where the index found it."""
    return [(match, os.path.exists(root / match.left)) for match in matches]  # noqa: PTH110


def _print_problem(photo: Path, problem: Unreadable, is_json: bool, console: Console) -> None:
    if is_json:
        sys.stdout.write(spell_problem(photo, problem) + "\n")
    else:
        print_plainly(describe_unreadable(problem), console)

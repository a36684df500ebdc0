"""Make edited copies of photos, and pairs of them with the duplicate flag."""

import os
import re
import shlex
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from seentwice.commands.options import OptionParser, whole_number
from seentwice.commands.progress import (
    describe_unreadable,
    open_console,
    print_plainly,
    show_progress,
)
from seentwice.data.variants.cells import Cells, open_cells
from seentwice.data.variants.folder import claim_folder
from seentwice.data.variants.pairs import all_pairs, balanced_pairs, count_all, count_balanced
from seentwice.data.variants.plan import FORMATS, VariantSettings, variants_of
from seentwice.data.variants.tables import open_table, write_pairs
from seentwice.data.variants.unique import UniquePhotos, find_unique
from seentwice.data.variants.write import WritingJob, write_all
from seentwice.edits import STRENGTHS, draw_edits
from seentwice.errors import UserError
from seentwice.records import Unreadable

ON_STOP = "the same command goes on where it stopped"
EXAMPLES = """\
  seentwice variants PHOTOS OUT                          watermark, crop, rotation: the MLS study
  seentwice variants PHOTOS OUT --strength attack        what hides a photo on purpose
  seentwice variants PHOTOS OUT --edits "rotate:7|jpeg:60" crop --format png
  seentwice compare data=folder data.root=OUT            compare detectors on them
"""

MOST_ROWS = 10**8
_LARGEST_SEED = 2**31 - 1
_LISTED = 20  # files that gave no photo, on the terminal; the table has them all


def run(arguments: Sequence[str]) -> None:
    """Write the variants that are missing, then the tables, and print what is there."""
    options = _parse(arguments)
    console = open_console()
    settings = _read_settings(options)
    with show_progress("Finding the same files", console) as progress:
        photos = find_unique(options.photos, progress)
    _check_size(len(photos.keys), settings, options)
    went_on = claim_folder(options.out, options.photos, settings, photos.fingerprint)
    if went_on:
        print_plainly(f"{options.out}: what is there stays, what is missing is made", console)
    with open_cells(options.out) as cells:
        readable, left_out, first = _write_photos(photos, settings, options, cells, console)
        _print_left_out(photos, left_out, first, console)
        if not readable:
            raise UserError(f"none of {len(photos.keys)} photos could be read; see unreadable.csv")
        print_plainly(
            f"{readable:,} photos, {readable * len(settings.edits):,} edited copies "
            f"in {options.out}",
            console,
        )
        _write_pairs(cells, readable, settings, options, console)
    words = ["seentwice", "compare", "data=folder", f"data.root={_quote_path(options.out)}"]
    print_plainly(f"Next: {shlex.join(words)}", console)


def _parse(arguments: Sequence[str]) -> Namespace:
    parser = OptionParser(
        "variants",
        "Writes each photo of a folder and seeded edited copies of it into another folder, and\n"
        "pairs.csv with the duplicate flag. Photos are taken for unique but for files of the\n"
        "same bytes, of which the first is used. A second run makes only what is missing.",
        EXAMPLES,
    )
    parser.add_argument("photos", type=Path, metavar="PHOTOS", help="folder of photos, any depth")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to write, outside PHOTOS")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--strength", choices=STRENGTHS, default="mls", help="default: mls")
    which.add_argument(
        "--edits",
        nargs="+",
        metavar="NAME",
        help="edits of your own, such as crop, 'rotate|jpeg' or rotate:7",
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
    return parser.parse_args(arguments)


def _read_settings(options: Namespace) -> VariantSettings:
    """Return the settings.

    Raises:
        UserError: an edit that does not exist, or one that is named twice.
    """
    names = tuple(options.edits or STRENGTHS[options.strength])
    draw_edits("", names, options.seed)
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise UserError(f"--edits: {twice[0]!r} stands there twice; name each edit once")
    return VariantSettings(options.seed, names, options.format)


def _check_size(photos: int, settings: VariantSettings, options: Namespace) -> None:
    """Refuse a table that is larger than meant, before anything is written."""
    count = count_all if options.pairs == "all" else count_balanced
    rows = count(photos, settings.versions).rows
    if rows > MOST_ROWS and not options.yes:
        fewer = "choose --pairs balanced" if options.pairs == "all" else "name fewer --edits"
        raise UserError(
            f"--pairs {options.pairs} of {photos:,} photos are {rows:,} rows, "
            f"more than {MOST_ROWS:,}; {fewer}, or add --yes"
        )


def _write_photos(
    photos: UniquePhotos,
    settings: VariantSettings,
    options: Namespace,
    cells: Cells,
    console: Console,
) -> tuple[int, int, list[Unreadable]]:
    """Write what is missing and the tables of files.

    Returns:
        How many photos have variants, which `cells` are told; how many files gave none, and the
        first of those.
    """
    job = WritingJob(options.photos, options.out, settings, options.max_pixels)
    readable = 0
    left_out = len(photos.unreadable)
    first_left_out = list(photos.unreadable[:_LISTED])
    total = len(photos.keys)
    with (
        show_progress("Writing variants", console) as progress,
        open_table(options.out / "variants.csv", ("file", "photo", "edit", "sha256")) as write_row,
        open_table(options.out / "unreadable.csv", ("file", "reason", "detail")) as write_left_out,
    ):
        for file in photos.unreadable:
            write_left_out(_unreadable_row(file, options.photos))
        outcomes = write_all(job, photos.keys, options.workers or os.cpu_count() or 1)
        for done, (key, outcome) in enumerate(outcomes, 1):
            if isinstance(outcome, Unreadable):
                write_left_out(_unreadable_row(outcome, options.photos))
                left_out += 1
                if len(first_left_out) < _LISTED:
                    first_left_out.append(outcome)
            else:
                readable += 1
                variants = variants_of(key, settings)
                cells.add(variants)
                for variant, digest in zip(variants, outcome, strict=True):
                    write_row((variant.file, key, variant.edit, digest))
            progress(done, total)
    with open_table(options.out / "same_bytes.csv", ("file", "same_as")) as write_row:
        for row in photos.repeated:
            write_row(row)
    return readable, left_out, first_left_out


def _unreadable_row(file: Unreadable, root: Path) -> tuple[str, str, str]:
    return file.path.relative_to(root).as_posix(), file.reason.value, file.detail


def _print_left_out(
    photos: UniquePhotos, left_out: int, first_left_out: Sequence[Unreadable], console: Console
) -> None:
    for file in first_left_out:
        print_plainly(describe_unreadable(file), console)
    if left_out > len(first_left_out):
        more = left_out - len(first_left_out)
        print_plainly(f"  and {more:,} more, in unreadable.csv", console)
    if photos.repeated:
        again, first = photos.repeated[0]
        print_plainly(
            f"  {len(photos.repeated):,} files left out, whose bytes came before "
            f"(same_bytes.csv): first {again}, as {first}",
            console,
        )


def _write_pairs(
    cells: Cells, photos: int, settings: VariantSettings, options: Namespace, console: Console
) -> None:
    versions = settings.versions
    if options.pairs == "all":
        count, blocks = count_all(photos, versions), all_pairs(photos, versions)
    else:
        count = count_balanced(photos, versions)
        blocks = balanced_pairs(photos, versions, settings.seed)
    print_plainly(
        f"pairs.csv: {count.rows:,} rows, {count.duplicates:,} of them duplicates", console
    )
    with show_progress("Writing pairs", console) as progress:
        write_pairs(options.out / "pairs.csv", cells, versions, blocks, count.rows, progress)


def _quote_path(path: Path) -> str:
    """Return the path as a value for Hydra, as it is where it is plain."""
    text = str(path)
    if re.fullmatch(r"[\w./:-]+", text):
        return text
    from seentwice.commands.application import quote_value  # brings Hydra

    return quote_value(text)

"""Make edited copies of photos, and pairs of them with the duplicate flag."""

import os
import shlex
from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from seentwice.commands.options import quote_path
from seentwice.commands.progress import open_console, print_plainly, show_progress
from seentwice.commands.unreadable import TABLE, open_unreadable
from seentwice.commands.variant_options import MOST_ROWS, VariantOptions, read_options
from seentwice.data.manifest import MANIFEST
from seentwice.data.variants.cells import Cells, open_cells
from seentwice.data.variants.folder import claim_folder
from seentwice.data.variants.pairs import all_pairs, balanced_pairs, count_all, count_balanced
from seentwice.data.variants.places import (
    PhotoPlaces,
    count_named_places,
    read_places,
    write_manifest,
)
from seentwice.data.variants.plan import variants_of
from seentwice.data.variants.tables import open_table, write_pairs
from seentwice.data.variants.unique import UniquePhotos, find_unique
from seentwice.data.variants.write import WritingJob, write_all
from seentwice.errors import UserError
from seentwice.files import UnwritableError
from seentwice.records import Unreadable

ON_STOP = "the same command goes on where it stopped"


def run(arguments: Sequence[str]) -> None:
    """Write the variants that are missing, then the tables, and print what is there."""
    options = read_options(arguments)
    try:
        _make(options, open_console())
    except UnwritableError as error:
        raise UserError(f"{error}; {ON_STOP}") from error
    except OSError as error:
        where = str(error.filename or options.out)
        raise UserError(
            f"{where!r}: {error.strerror or error}; see to it, and {ON_STOP}"
        ) from error


def _make(options: VariantOptions, console: Console) -> None:
    with show_progress("Finding the same files", console) as progress:
        photos = find_unique(options.photos, progress)
    places = read_places(photos, options.homes) if options.has_places else None
    codes = np.arange(len(photos.keys)) if places is None else places.codes
    _check_size(codes, options)
    went_on = claim_folder(options.out, options.photos, options.settings, photos.fingerprint)
    if went_on:
        print_plainly(f"{options.out}: what is there stays, what is missing is made", console)
    _tell_places(photos, places, options, console)
    with open_cells(options.out) as cells:
        readable = _write_photos(photos, options, cells, console)
        _write_pairs(cells, codes[readable], options, console)
    print_plainly(
        "  it is for other tools: compare draws pairs of its own from OUT, by the same rule",
        console,
    )
    words = ["seentwice", "compare", "data=folder", f"data.root={quote_path(options.out)}"]
    print_plainly(f"Next: {shlex.join(words)}", console)


def _check_size(codes: NDArray[np.int64], options: VariantOptions) -> None:
    """Refuse a table that is larger than meant, before anything is written."""
    count = count_all if options.pairs == "all" else count_balanced
    rows = count(codes, options.settings.versions).rows
    if rows > MOST_ROWS and not options.may_be_large:
        fewer = "choose --pairs balanced" if options.pairs == "all" else "name fewer edits"
        raise UserError(
            f"--pairs {options.pairs} of {len(codes):,} photos are {rows:,} rows, "
            f"more than {MOST_ROWS:,}; {fewer}, or add --yes"
        )


def _tell_places(
    photos: UniquePhotos, places: PhotoPlaces | None, options: VariantOptions, console: Console
) -> None:
    """Write the manifest where places are known; where they are not, say what names would tell.

    The manifest comes before the photos: however the run ends, nobody takes their copies for
    photos of different places.

    Raises:
        UserError: an earlier run knew places, and this one is not to.
    """
    manifest = options.out / MANIFEST
    if places is not None:
        write_manifest(options.out, photos.keys, places, options.settings)
        print_plainly(
            f"{len(photos.keys):,} photos show {places.count:,} places, as their names say: "
            "no pair of two photos of one place is written",
            console,
        )
        if not any(places.properties):
            print_plainly(
                "  no home is known; where the first part of their names is one, add --homes name",
                console,
            )
        if places.misplaced:
            print_plainly(
                f"  {places.misplaced:,} files name another place than the photo of the same "
                "bytes, which counts for its own alone (same_bytes.csv)",
                console,
            )
        return
    if manifest.exists():
        raise UserError(
            f"{str(manifest)!r} tells places, which pairs.csv would not know; add --places, or "
            "delete it"
        )
    told, named = count_named_places(photos.keys)
    if named < told:
        print_plainly(
            f"Names read as <room type>/<home>_<room>_<k>.jpg tell {named:,} places of {told:,} "
            "photos; if that is so, add --places, or two photos of one place get the flag 0",
            console,
        )


def _write_photos(
    photos: UniquePhotos, options: VariantOptions, cells: Cells, console: Console
) -> NDArray[np.int64]:
    """Write what is missing and the tables of files, and print what was left out.

    Returns:
        The numbers of the photos that have variants, which `cells` are told.

    Raises:
        UserError: not one photo could be read.
    """
    job = WritingJob(options.photos, options.out, options.settings, options.max_pixels)
    readable = array("q")
    total = len(photos.keys)
    with (
        show_progress("Writing variants", console) as progress,
        open_table(options.out / "variants.csv", ("file", "photo", "edit", "sha256")) as write_row,
        open_unreadable(options.out / TABLE, options.photos) as left_out,
    ):
        for file in photos.unreadable:
            left_out.add(file)
        outcomes = write_all(job, photos.keys, options.workers or os.cpu_count() or 1)
        for number, (key, outcome) in enumerate(outcomes):
            if isinstance(outcome, Unreadable):
                left_out.add(outcome)
            else:
                readable.append(number)
                variants = variants_of(key, options.settings)
                cells.add(variants)
                for variant, digest in zip(variants, outcome, strict=True):
                    write_row((variant.file, key, variant.edit, digest))
            progress(number + 1, total)
    with open_table(options.out / "same_bytes.csv", ("file", "same_as")) as write_row:
        for row in photos.repeated:
            write_row(row)
    for line in left_out.describe():
        print_plainly(line, console)
    if photos.repeated:
        again, first = photos.repeated[0]
        print_plainly(
            f"  {len(photos.repeated):,} files left out, whose bytes came before "
            f"(same_bytes.csv): first {again}, as {first}",
            console,
        )
    if not readable:
        raise UserError(f"none of {total} photos could be read; see {options.out / TABLE}")
    copies = len(readable) * len(options.settings.edits)
    print_plainly(f"{len(readable):,} photos, {copies:,} edited copies in {options.out}", console)
    return np.frombuffer(readable, np.int64)


def _write_pairs(
    cells: Cells, codes: NDArray[np.int64], options: VariantOptions, console: Console
) -> None:
    versions = options.settings.versions
    if options.pairs == "all":
        count, blocks = count_all(codes, versions), all_pairs(codes, versions)
    else:
        count = count_balanced(codes, versions)
        blocks = balanced_pairs(codes, versions, options.settings.seed)
    print_plainly(
        f"pairs.csv: {count.rows:,} rows, {count.duplicates:,} of them duplicates", console
    )
    with show_progress("Writing pairs", console) as progress:
        write_pairs(options.out / "pairs.csv", cells, versions, blocks, count.rows, progress)

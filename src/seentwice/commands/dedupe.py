"""Find the photos of a folder that are there twice."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from seentwice.commands.dedupe_moving import move_duplicates, undo
from seentwice.commands.dedupe_options import DedupeOptions, UndoOptions, read_options
from seentwice.commands.photo_index import index_of
from seentwice.commands.progress import open_console, print_plainly, show_progress
from seentwice.commands.result_folders import check_apart, make_folder
from seentwice.commands.unreadable import report_unreadable
from seentwice.data.source import Progress
from seentwice.data.variants.tables import open_table
from seentwice.dedupe.findings import Coverage, Duplicates, SameFile
from seentwice.dedupe.folder import (
    OpenVerifier,
    Searched,
    describe_searched,
    search_folder,
    verify_by_hashes,
)
from seentwice.dedupe.looking import Looking
from seentwice.dedupe.pictures import PhotoTable
from seentwice.dedupe.report import write_csv, write_json, write_page
from seentwice.dedupe.report.counts import count_duplicates
from seentwice.dedupe.report.csv_file import guard_cell
from seentwice.dedupe.report.thumbnails import choose_side_px, thumbnail_maker
from seentwice.dedupe.turning import orient
from seentwice.dedupe.verify import SearchSettings, Verifier
from seentwice.display import name_bytes, name_count
from seentwice.index.store import PhotoStore
from seentwice.photos.finding import check_root
from seentwice.records import Unreadable

if TYPE_CHECKING:
    from seentwice.commands.dedupe_catalogue import Catalogue

OUTPUTS = Path("outputs/dedupe")
ON_STOP = "the same command goes on where it stopped"
UNREADABLE = 1
"""The exit code where some files gave no photo, or a catalogue's rows or photos are missing."""


def run(arguments: Sequence[str]) -> int:
    """Search a folder and report what was found, or undo what was moved."""
    options = read_options(arguments)
    console = open_console()
    if isinstance(options, UndoOptions):
        return undo(options.undo, console)
    return _dedupe(options, console)


def _dedupe(options: DedupeOptions, console: Console) -> int:
    root = options.photos.absolute()
    check_root(root)
    out = _choose_out(options, root)
    settings = SearchSettings(
        hash_bits=options.bits if "hashes" in options.by else None,
        least_score=options.least_score,
        same_pixels="pixels" in options.by,
        max_pixels=options.max_pixels,
        workers=options.workers or os.cpu_count() or 1,
    )
    make_folder("--index", options.index)
    make_folder("--out", out)
    catalogue = None
    if options.catalogue is not None:
        # Here, for what it takes to import.
        from seentwice.commands.dedupe_catalogue import open_catalogue

        catalogue = open_catalogue(options.catalogue, root, out, console)
    searched, duplicates = _search(options, root, settings, catalogue, console)
    if catalogue is not None:
        duplicates = catalogue.keep_allowed(duplicates)
    if options.is_explained:
        from seentwice.dedupe.naming import name_edits  # brings pandas

        with show_progress("Naming edits", console) as progress:
            duplicates = name_edits(duplicates, settings.max_pixels, settings.workers, progress)
    _write_reports(duplicates, out, settings, console)
    is_whole = catalogue is None or catalogue.write_products(searched, out, console)
    _tell(searched, duplicates, out, console)
    code = UNREADABLE if duplicates.unreadable or not is_whole else 0
    if options.move_to is not None:
        moved = move_duplicates(duplicates, options.move_to, out, options.is_move_meant, console)
        code = max(code, moved)
    return code


def _choose_out(options: DedupeOptions, root: Path) -> Path:
    """Return the folder of the results.

    Raises:
        UserError: something would be written among the photos.
    """
    folders = {"--out": options.out, "--index": options.index, "--to": options.move_to}
    given = {option: folder for option, folder in folders.items() if folder is not None}
    usual = {} if options.out else {"--out": OUTPUTS}
    if options.index == index_of(options.photos, options.decoding):
        usual["--index"] = given.pop("--index")
    check_apart(root, given, usual)
    return options.out or OUTPUTS / f"{datetime.now():%Y-%m-%d_%H-%M-%S-%f}"


def _search(
    options: DedupeOptions,
    root: Path,
    settings: SearchSettings,
    catalogue: "Catalogue | None",
    console: Console,
) -> tuple[Searched, Duplicates]:
    looking = Looking(root, options.decoding, options.max_pixels)
    vanished: list[Unreadable] = []  # since they were read
    with (
        PhotoStore.open(options.index, looking.meta, _tell_waiting(options, console)) as store,
        show_progress("Reading photos", console) as on_read,
        show_progress("Embedding photos", console) as on_embed,
        show_progress("Comparing pixels", console) as on_compare,
    ):
        searched = search_folder(
            store,
            looking,
            settings,
            _choose_verifier(options, root, settings, vanished, on_embed),
            catalogue.choose_allowed if catalogue else None,
            on_read,
            on_compare,
        )
    if options.is_confirmed:
        from seentwice.dedupe.confirming import confirm_groups  # brings pandas

        with show_progress("Confirming groups", console) as on_confirm:
            found = confirm_groups(
                searched.found,
                searched.verifier,
                root,
                settings.max_pixels,
                settings.workers,
                on_confirm,
            )
        searched = replace(searched, found=found)
    duplicates = describe_searched(searched, root, options.keep, settings)
    return searched, replace(duplicates, unreadable=(*duplicates.unreadable, *vanished))


def _choose_verifier(
    options: DedupeOptions,
    root: Path,
    settings: SearchSettings,
    vanished: list[Unreadable],
    on_embed: Progress,
) -> OpenVerifier:
    """Return what opens the verifier that the options name; it adds photos that are gone."""
    checkpoint = options.detector
    if checkpoint is None:
        return verify_by_hashes(options.is_turned)

    def open_verifier(store: PhotoStore, table: PhotoTable) -> Verifier:
        from seentwice.dedupe.embedding_verifier import open_embedding_verifier  # brings torch

        verifier = open_embedding_verifier(
            store,
            table,
            root,
            checkpoint,
            options.weights,
            settings.max_pixels,
            settings.workers,
            orient(table.signature) if options.is_turned else None,
            settings.hash_bits,
            on_embed,
        )
        vanished.extend(verifier.embeddings.unreadable)
        return verifier

    return open_verifier


def _tell_waiting(options: DedupeOptions, console: Console) -> Callable[[], None]:
    """Return what says once that another run writes the same index."""

    @cache
    def tell() -> None:
        print_plainly(f"Another run writes {options.index}; waiting for it", console)

    return tell


def _write_reports(
    duplicates: Duplicates, out: Path, settings: SearchSettings, console: Console
) -> None:
    write_json(out / "groups.json", duplicates)
    write_csv(out / "groups.csv", duplicates)
    shown = sum(len(group.photos) for group in duplicates.groups)
    thumbnail = thumbnail_maker(settings.max_pixels, choose_side_px(shown))
    with show_progress("Writing the page", console) as progress:
        write_page(out / "report.html", duplicates, thumbnail, progress, threads=settings.workers)


def _tell(searched: Searched, duplicates: Duplicates, out: Path, console: Console) -> None:
    """Print what was read and found, and where it is written."""
    updated = searched.updated
    print_plainly(
        f"{name_count(duplicates.searched, 'photo', 'photos')}; of files "
        f"{name_count(updated.read, 'was', 'were')} read, "
        f"{name_count(updated.kept, 'was', 'were')} known, "
        f"{name_count(updated.removed, 'is', 'are')} gone since the last run",
        console,
    )
    if duplicates.without_content:
        print_plainly(
            f"  {duplicates.without_content:,} are blank or of two tones: only the same bytes or "
            "pixels match them",
            console,
        )
    for line in describe_coverage(duplicates.coverage):
        print_plainly(line, console)
    _tell_same_files(updated.same_files, out, console)
    for line in report_unreadable(duplicates.unreadable, out):
        print_plainly(line, console)
    print_plainly(
        f"{name_count(len(duplicates.groups), 'group', 'groups')} of duplicates; "
        f"{_describe_groups(duplicates)}; nothing was deleted",
        console,
    )
    unconfirmed = len(searched.found.unconfirmed.left)
    if unconfirmed:
        print_plainly(
            f"  {name_count(unconfirmed, 'match', 'matches')} by embeddings that no key points "
            "confirm, such as other views of one room: not grouped without --unconfirmed",
            console,
        )
    if duplicates.links:
        print_plainly(
            f"  {name_count(len(duplicates.links), 'match', 'matches')} more between photos that "
            "came into no group together",
            console,
        )
    print_plainly(f"Look: {out / 'report.html'}; also groups.json and groups.csv", console)


def _describe_groups(duplicates: Duplicates) -> str:
    """Say what could go, or whose photos are in the groups."""
    if duplicates.products is not None:
        return f"photos of {name_count(duplicates.products, 'product', 'products')} are in them"
    counts = count_duplicates(duplicates)
    spare = name_count(counts.spare_photos, "photo", "photos")
    return f"{spare} could go ({name_bytes(counts.spare_bytes)})"


def describe_coverage(coverage: Coverage) -> Iterator[str]:
    """Yield lines that tell what was not compared, though it may be near."""
    if coverage.neighbour_recall is not None:
        yield (
            "  so many photos that their nearest by embedding were looked for in parts: "
            f"{100 * coverage.neighbour_recall:.1f} % of those of a sample were found"
        )
    if coverage.nearest_only:
        yield (
            f"  {name_count(coverage.nearest_only, 'picture', 'pictures')} with the hash of very "
            "many unlike ones: each was compared with those nearest by their tones alone"
        )


def _tell_same_files(same_files: Sequence[SameFile], out: Path, console: Console) -> None:
    if not same_files:
        return
    with open_table(out / "same_files.csv", ("file", "same_as")) as write_row:
        for file in same_files:
            write_row((guard_cell(file.key), guard_cell(file.same_as)))
    first = same_files[0]
    print_plainly(
        f"  {name_count(len(same_files), 'link', 'links')} to files that are here under another "
        f"name, no duplicates (same_files.csv): first {first.key}, which is {first.same_as}",
        console,
    )

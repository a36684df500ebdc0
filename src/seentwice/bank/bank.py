"""The bank as a whole: who fills it, what it holds, and what goes when it is full."""

import json
import secrets
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from seentwice.bank.recipe import KEY, Recipe
from seentwice.bank.segment import ABOUT, KEYS, ROWS, SegmentWriter
from seentwice.bank.shelf import RECIPE, Shelf, list_segments, open_shelf
from seentwice.errors import UserError
from seentwice.files import write_atomically
from seentwice.locks import hold_lock, try_lock

_LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class Entry:
    """What one fill left in a bank."""

    segment: Path  # its files, without their extensions
    recipe: str  # the recipe's name
    parts: tuple[tuple[str, str], ...]  # of the recipe
    data: str  # name of the data set that was looked at
    rows: int
    bytes: int
    used: float  # seconds since 1970 when its rows were last asked for


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Bank:
    """A folder of rows, in it a folder for each recipe."""

    folder: Path
    max_bytes: int  # of all that it holds, locks aside

    def open(self, recipe: Recipe) -> Shelf:
        """Map what is there of a recipe; see `open_shelf`."""
        return open_shelf(self._folder_of(recipe), recipe)

    @contextmanager
    def alone(self, recipes: Sequence[Recipe], on_wait: Callable[[], None]) -> Iterator[None]:
        """Let no other process of this host add rows of these recipes during the block.

        Args:
            recipes: the rows' recipes; their folders are made where they are missing.
            on_wait: called again and again while another process fills one of them.

        Raises:
            OSError: the bank cannot be written.
        """
        with ExitStack() as held:
            # In one order for all processes, so that no two wait for each other.
            for recipe in sorted(recipes, key=lambda recipe: recipe.digest):
                folder = self._folder_of(recipe)
                folder.mkdir(parents=True, exist_ok=True)
                if not (folder / RECIPE).exists():
                    write_atomically(folder / RECIPE, recipe.to_json())
                held.enter_context(hold_lock(folder / _LOCK, on_wait))
            yield

    def make_room(self, wanted: int, held: Sequence[Recipe], needed: Set[Path]) -> None:
        """Throw away the least recently used rows until there is room for more.

        Args:
            wanted: bytes that are about to be added.
            held: the recipes that the caller is alone with.
            needed: segments that stay, since the caller uses them.

        Raises:
            UserError: there is not enough room without the other rows either.
        """
        entries = list_entries(self.folder)
        total = sum(entry.bytes for entry in entries) + wanted
        own = {self._folder_of(recipe) for recipe in held}
        for entry in sorted(entries, key=lambda entry: entry.used):
            if total <= self.max_bytes:
                return
            if entry.segment in needed:
                continue
            if entry.segment.parent in own:
                _remove_files(entry.segment)
                total -= entry.bytes
            elif remove_entry(entry):
                total -= entry.bytes
        if total > self.max_bytes:
            raise UserError(
                f"bank.max_gb={self.max_bytes / 1e9:g}: {total / 1e9:.2f} are needed; raise it, or "
                "choose bank.dtype=float16, or fewer photos or edits"
            )

    def begin_segment(self, recipe: Recipe, data: str) -> SegmentWriter:
        """Return what adds rows of a recipe that the caller is alone with.

        Args:
            recipe: of the rows.
            data: name of the data set, for people.

        Raises:
            OSError: the bank cannot be written.
        """
        return SegmentWriter(self._folder_of(recipe) / secrets.token_hex(8), recipe, data)

    def _folder_of(self, recipe: Recipe) -> Path:
        return self.folder / recipe.digest


def open_bank(folder: Path | None, max_gb: float) -> Bank:
    """Open a bank, which is made where it is missing.

    Args:
        folder: its own; None for one that is thrown away with the object, or at the end.
        max_gb: how many 10⁹ bytes it may hold.

    Raises:
        UserError: the folder cannot be made.
    """
    if folder is None:
        bank = Bank(Path(tempfile.mkdtemp(prefix="seentwice-bank-")), int(max_gb * 1e9))
        weakref.finalize(bank, shutil.rmtree, bank.folder, ignore_errors=True)
        return bank
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"bank.folder={folder}: cannot be made ({error.strerror}); choose another folder, or "
            "null to keep nothing"
        ) from error
    return Bank(folder, int(max_gb * 1e9))


def list_entries(folder: Path) -> list[Entry]:
    """Return what a bank holds, in the order of its files' names.

    Raises:
        OSError: a file cannot be read.
    """
    entries = []
    for file in sorted(folder.glob(f"*/{RECIPE}")):
        recipe = _read_json(file)
        for segment in list_segments(file.parent):
            with suppress(FileNotFoundError):  # thrown away by another process, just now
                entries.append(_describe(segment, recipe))
    return entries


def remove_entry(entry: Entry) -> bool:
    """Throw rows away, and say whether they were: not while a process adds to their folder.

    Processes that use the rows keep them until they end.
    """
    with try_lock(entry.segment.parent / _LOCK) as is_held:
        if is_held:
            _remove_files(entry.segment)
        return is_held


def _remove_files(segment: Path) -> None:
    # The keys first: rows without keys are nobody's.
    for suffix in (KEYS, ROWS, ABOUT):
        segment.with_suffix(suffix).unlink(missing_ok=True)


def _describe(segment: Path, recipe: dict[str, object]) -> Entry:
    about = segment.with_suffix(ABOUT)
    parts = recipe.get("parts")
    sizes = [segment.with_suffix(suffix).stat().st_size for suffix in (ROWS, KEYS, ABOUT)]
    return Entry(
        segment=segment,
        recipe=str(recipe.get("name", "unknown")),
        parts=tuple((k, str(v)) for k, v in parts.items()) if isinstance(parts, dict) else (),
        data=str(_read_json(about).get("data", "unknown")),
        rows=sizes[1] // KEY.itemsize,
        bytes=sum(sizes),
        used=about.stat().st_mtime,
    )


def _read_json(file: Path) -> dict[str, object]:
    """Read an object for people to see; nothing depends on it, so a damaged one is empty."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

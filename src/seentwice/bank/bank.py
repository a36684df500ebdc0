"""The bank as a whole: who fills it, what it holds, and what goes when it is full."""

import secrets
import shutil
import tempfile
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from seentwice.bank.entries import (
    LOCK,
    Entry,
    list_entries,
    list_folders,
    list_stems,
    read_recipe,
    remove_entry,
    remove_files,
)
from seentwice.bank.recipe import Recipe
from seentwice.bank.segment import RECORD, SegmentWriter, holds_records
from seentwice.bank.shelf import RECIPE, Shelf, open_shelf
from seentwice.errors import UserError
from seentwice.files import UnwritableError, write_atomically
from seentwice.locks import hold_lock, try_lock

_RESERVED = ".reserved"
"""The bytes that a recipe's folder may come to hold by the fill that has its lock."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Bank:
    """A folder of rows, in it a folder for each recipe.

    Its bound holds where rows are added: whoever only reads throws nothing away.
    """

    folder: Path
    max_bytes: int  # of rows and keys; the descriptions, 100 bytes a fill, may go beyond

    def open(self, recipe: Recipe) -> Shelf:
        """Map what is there of a recipe; see `open_shelf`.

        Where the description of its rows is damaged or gone, it is written anew.
        """
        shelf = open_shelf(self._folder_of(recipe), recipe)
        if shelf.segments:
            with suppress(OSError):  # whoever only reads the bank does without
                self._describe(recipe)
        return shelf

    @contextmanager
    def alone(self, recipes: Sequence[Recipe], on_wait: Callable[[], None]) -> Iterator[None]:
        """Let no other process of this host add rows of these recipes during the block.

        What a fill that was killed left of them besides whole rows is thrown away.

        Args:
            recipes: the rows' recipes; their folders are made where they are missing.
            on_wait: called again and again while another process fills one of them.

        Raises:
            UserError: the bank cannot be written.
        """
        with ExitStack() as held:
            with self._explain_unwritable():
                # In one order for all processes, so that no two wait for each other.
                for recipe in sorted(recipes, key=lambda recipe: recipe.digest):
                    folder = self._folder_of(recipe)
                    folder.mkdir(parents=True, exist_ok=True)
                    held.enter_context(hold_lock(folder / LOCK, on_wait))
                    (folder / _RESERVED).unlink(missing_ok=True)  # of a fill that was killed
                    # Before the lock is let go: whoever gets it next has reserved nothing yet.
                    held.callback((folder / _RESERVED).unlink, missing_ok=True)
                    for segment in list_stems(folder):
                        if not holds_records(segment):
                            remove_files(segment)
                    self._describe(recipe)
            yield

    def make_room(
        self,
        wanted: Mapping[Recipe, int],
        needed: Set[Path],
        on_removal: Callable[[Sequence[Entry]], None] | None = None,
    ) -> None:
        """Throw away the least recently used rows until there is room for more.

        The room is the caller's until it is not `alone` with the recipes any more: for other
        processes that make room it is full.

        Args:
            wanted: how many rows are about to be added, of recipes that the caller is alone with.
            needed: segments that stay, since the caller uses them.
            on_removal: told of what was thrown away, once, where something was.

        Raises:
            UserError: there is not enough room without the other rows either; all of them stay,
                unless another process begins to fill some of them meanwhile. Or the bank cannot be
                written.
        """
        adds = {
            self._folder_of(recipe): rows * (recipe.row_bytes + RECORD.itemsize)
            for recipe, rows in wanted.items()
        }
        with (
            self._explain_unwritable(),
            hold_lock(self.folder / LOCK, on_wait=lambda: None, is_for_all=True),
        ):
            # What others are filling stays, and what they are about to add counts; what another
            # account's lock keeps stays, too. Asked for before rows are counted: one that ends in
            # between has added all of its own.
            busy = [
                folder
                for folder in list_folders(self.folder)
                if folder not in adds and _is_being_filled(folder)
            ]
            entries = list_entries(self.folder)
            held = _measure(entries)
            others = {folder: max(_read_reserved(folder), held[folder]) for folder in busy}
            goes = [
                entry
                for entry in sorted(entries, key=lambda entry: entry.used)
                if entry.segment not in needed and entry.segment.parent not in others
            ]
            total = sum(adds.values()) + sum({**held, **others}.values())
            least = total - sum(entry.bytes for entry in goes)
            if least > self.max_bytes:
                raise self._too_small(least, wanted)
            gone = []
            for entry in goes:
                if total <= self.max_bytes:
                    break
                if entry.segment.parent in adds:
                    remove_files(entry.segment)
                elif not remove_entry(entry):
                    continue
                total -= entry.bytes
                gone.append(entry)
            if gone and on_removal is not None:
                on_removal(gone)
            if total > self.max_bytes:  # others have begun to fill what was to go
                raise self._too_small(total, wanted)
            held = _measure(list_entries(self.folder))
            for folder, added in adds.items():
                write_atomically(folder / _RESERVED, str(held[folder] + added))

    def begin_segment(self, recipe: Recipe, data: str) -> SegmentWriter:
        """Return what adds rows of a recipe that the caller is alone with.

        Args:
            recipe: of the rows.
            data: name of the data set, for people.

        Raises:
            OSError: the bank cannot be written.
        """
        return SegmentWriter(self._folder_of(recipe) / secrets.token_hex(8), recipe, data)

    @contextmanager
    def _explain_unwritable(self) -> Iterator[None]:
        try:
            yield
        except UnwritableError:
            raise
        except OSError as error:
            raise _name_folder(
                self.folder, f"cannot be written ({error.strerror or error})"
            ) from error

    def _too_small(self, needed_bytes: int, wanted: Mapping[Recipe, int]) -> UserError:
        halves = any(
            recipe.dtype == "float32" and "backbone" in dict(recipe.parts) for recipe in wanted
        )
        return UserError(
            f"bank.max_gb={self.max_bytes / 1e9:g}: {_gigabytes(needed_bytes)} are needed; raise "
            f"it, {'choose bank.dtype=float16, ' if halves else ''}or take fewer photos or edits"
        )

    def _describe(self, recipe: Recipe) -> None:
        folder = self._folder_of(recipe)
        if read_recipe(folder) is None:
            write_atomically(folder / RECIPE, recipe.to_json())

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
        if folder.is_file():
            raise UserError(
                f"bank.folder={folder}: is a file; give a folder, or null to keep nothing"
            ) from error
        raise _name_folder(folder, f"cannot be made ({error.strerror})") from error
    return Bank(folder, int(max_gb * 1e9))


def _name_folder(folder: Path, fault: str) -> UserError:
    return UserError(
        f"bank.folder={folder}: {fault}; choose another folder, or null to keep nothing"
    )


def _measure(entries: Sequence[Entry]) -> Counter[Path]:
    """Return how many bytes each recipe's folder holds."""
    held: Counter[Path] = Counter()
    for entry in entries:
        held[entry.segment.parent] += entry.bytes
    return held


def _is_being_filled(folder: Path) -> bool:
    with try_lock(folder / LOCK) as is_free:
        return not is_free


def _read_reserved(folder: Path) -> int:
    try:
        return int((folder / _RESERVED).read_text("utf-8"))
    except (FileNotFoundError, PermissionError, ValueError):
        # Its process has not made room yet, or it is another account's alone.
        return 0


def _gigabytes(count: int) -> str:
    """Return bytes in 10⁹, rounded up to three digits."""
    unit = 10 ** max(0, len(str(count)) - 3)
    return f"{-(-count // unit) * unit / 1e9:g}"

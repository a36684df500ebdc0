"""The bank that a configuration asks for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from omegaconf import DictConfig
from pydantic import BeforeValidator, Field
from rich.console import Console

from seentwice.bank.bank import Bank, open_bank
from seentwice.bank.entries import UNKNOWN, Entry
from seentwice.commands.overrides import key_of
from seentwice.commands.progress import print_plainly
from seentwice.commands.settings import read_settings
from seentwice.detectors.trunk import RowType
from seentwice.display import name_bytes, name_count, show_text
from seentwice.errors import UserError
from seentwice.models.engines import EngineName, Passing, Precision


def _refuse_empty(value: Any) -> Any:
    if value == "":  # such as of SEENTWICE_BANK; a path would be the folder that one is in
        raise ValueError("give a folder, or null to keep nothing")
    return value


@dataclass(frozen=True, slots=True)
class BankSettings:
    """The section `bank`."""

    folder: Annotated[Path, BeforeValidator(_refuse_empty)] | None
    dtype: RowType
    engine: EngineName
    precision: Precision
    decoding: Literal["full", "reduced"]
    max_gb: Annotated[float, Field(gt=0, allow_inf_nan=False)]


def read_bank(config: DictConfig) -> Bank:
    """Open the bank that the section `bank` names.

    Raises:
        UserError: a wrong value, or a folder that cannot be made.
    """
    settings = read_settings(BankSettings, config, "bank")
    return open_bank(settings.folder, settings.max_gb)


def read_bank_folder(config: DictConfig) -> Path | None:
    """Return the folder of the bank; None for one that is thrown away.

    Raises:
        UserError: a wrong value.
    """
    return read_settings(BankSettings, config, "bank").folder


def read_row_type(config: DictConfig) -> RowType:
    """Return the type of a trunk's rows in the bank."""
    return read_settings(BankSettings, config, "bank").dtype


def read_passing(config: DictConfig) -> Passing:
    """Return how photos pass the frozen stages of a trunk."""
    settings = read_settings(BankSettings, config, "bank")
    return Passing(settings.engine, settings.precision)


def is_decoding_reduced(config: DictConfig) -> bool:
    """Say whether JPEGs may be decoded to the trunk's input size, where nothing else is asked."""
    return read_settings(BankSettings, config, "bank").decoding == "reduced"


def check_decoding(config: DictConfig, overrides: Sequence[str]) -> None:
    """Refuse a choice of how unlabelled photos are decoded where there are none.

    Args:
        config: the composed configuration.
        overrides: as they were given; a config file may hold what suits other runs.

    Raises:
        UserError: it would have no effect.
    """
    for word in overrides:
        if key_of(word) == "bank.decoding" and config.unlabelled is None:
            raise UserError(f"{word}: has no effect without unlabelled=FOLDER; leave it out")


def tell_of_decoding(
    decoded: int, readable: int, what: str, config: DictConfig, console: Console
) -> None:
    """Say how many photos were decoded, of those that could be read, and what had the others' rows.

    Args:
        decoded: how many were.
        readable: how many gave rows.
        what: they are: "photos".
        config: says whether the bank is kept.
        console: prints.
    """
    copies = "a file of the same bytes"
    # A bank that is thrown away had nothing before.
    giver = copies if read_bank_folder(config) is None else f"the bank, or {copies},"
    kept = f"; {giver} had the rows of the others" if decoded < readable else ""
    print_plainly(f"Decoded {decoded:,} of {readable:,} {what}{kept}", console)


def tell_of_damage(bank: Bank, console: Console) -> Callable[[int], None]:
    """Return what says of how many views the bank's rows were damaged."""

    def tell(views: int) -> None:
        of_views = "1 view" if views == 1 else f"{views:,} views"
        print_plainly(
            f"bank.folder={bank.folder}: rows of {of_views} were damaged and are computed again",
            console,
        )

    return tell


def tell_of_removal(bank: Bank, console: Console) -> Callable[[Sequence[Entry]], None]:
    """Return what says which rows were thrown away since the bank was full."""

    def tell(entries: Sequence[Entry]) -> None:
        parts = name_count(len(entries), "part", "parts")
        size = name_bytes(sum(entry.bytes for entry in entries))
        data = ", ".join(sorted({show_text(entry.data or UNKNOWN) for entry in entries}))
        print_plainly(
            f"bank.max_gb={bank.max_bytes / 1e9:g}: {parts} ({size}: {data}) thrown away", console
        )

    return tell


def tell_of_waiting(bank: Bank, console: Console) -> Callable[[], None]:
    """Return what says that another process fills the bank, for which this one waits."""
    return lambda: print_plainly(
        f"Another process is adding the same rows to {bank.folder}: waiting for it", console
    )

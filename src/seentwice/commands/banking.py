"""The bank that a configuration asks for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from omegaconf import DictConfig
from pydantic import Field

from seentwice.bank.bank import Bank, open_bank
from seentwice.commands.settings import read_settings
from seentwice.detectors.trunk import RowType
from seentwice.models.engines import EngineName, Passing, Precision


@dataclass(frozen=True, slots=True)
class BankSettings:
    """The section `bank`."""

    folder: Path | None
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

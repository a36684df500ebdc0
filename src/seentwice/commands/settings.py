"""From a composed configuration to typed records, with errors that say which key is wrong."""

from dataclasses import dataclass, is_dataclass
from importlib import import_module
from typing import Annotated, Any, TypeVar

from omegaconf import MISSING, DictConfig, OmegaConf
from pydantic import Field, TypeAdapter, ValidationError

from seentwice.commands.application import find_configs
from seentwice.data.source import ListingSource, Source
from seentwice.errors import UserError

Record = TypeVar("Record")

LARGEST_SEED = 2**31 - 1  # every library takes it, and a few numbers above it


@dataclass(frozen=True, slots=True)
class SeedSettings:
    """What makes a run repeatable."""

    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)]


@dataclass(frozen=True, slots=True)
class BundleSettings:
    """What a checkpoint holds."""

    bundle: bool  # the frozen stages of its trunk, too


@dataclass(frozen=True, slots=True)
class ReadingSettings:
    """How photos are read."""

    workers: Annotated[int, Field(ge=1)] | None
    max_pixels: Annotated[int, Field(ge=1)]


def read_settings(record: type[Record], config: DictConfig, section: str | None) -> Record:
    """Make a dataclass of one section of the configuration.

    Args:
        record: the dataclass; its annotations are enforced.
        config: the whole configuration.
        section: the section's key; None for those keys at the top that the record has.

    Raises:
        UserError: a value of the wrong type, a missing or an unknown key.
    """
    if section is None:
        keys = [key for key in record.__annotations__ if key in config]
        chosen = OmegaConf.masked_copy(config, keys)
    else:
        chosen = config[section]
    values = OmegaConf.to_container(chosen, resolve=True)
    return _validate(record, values, [] if section is None else [section])


def read_data(config: DictConfig) -> Source | ListingSource:
    """Make the data set that the section `data` names by `_target_`.

    Raises:
        UserError: no such class, or a value of the wrong type.
    """
    values = OmegaConf.to_container(config.data, resolve=True)
    if not isinstance(values, dict) or "_target_" not in values:
        raise UserError("data names no class: choose a data set, as in data=folder")
    source: Source | ListingSource = _validate(
        _find_source(str(values.pop("_target_"))), values, ["data"]
    )
    return source


def read_source(config: DictConfig) -> Source:
    """Make the data set that the section `data` names, which must be one of photos.

    Raises:
        UserError: see `read_data`; or it is one of listings.
    """
    source = read_data(config)
    if isinstance(source, ListingSource):
        name = type(source).__module__.rpartition(".")[2]
        raise UserError(
            f"data={name} holds listings, not photos: choose one of {', '.join(_photo_sets())}"
        )
    return source


def _photo_sets() -> list[str]:
    """Return the choices of `data` that hold photos."""
    names = []
    for path in sorted((find_configs() / "data").glob("*.yaml")):
        config = OmegaConf.load(path)
        target = OmegaConf.select(config, "data._target_") or OmegaConf.select(config, "_target_")
        if hasattr(_find_source(str(target)), "read"):
            names.append(path.stem)
    return names


def _find_source(target: str) -> type[Any]:
    """Import the class; not with Hydra, which logs the error besides raising it."""
    module, _, name = target.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise UserError(f"data._target_={target}: {error}") from error
    if not (isinstance(found, type) and is_dataclass(found) and hasattr(found, "prepare")):
        raise UserError(
            f"data._target_={target}: not a data set: a dataclass with prepare and read is needed"
        )
    return found


def _validate(record: type[Record], values: Any, path: list[str]) -> Record:
    missing = [key for key, value in values.items() if value == MISSING]
    if missing:
        key = ".".join([*path, str(missing[0])])
        raise UserError(f"{key} needs a value: give {key}=VALUE")
    try:
        return TypeAdapter(record).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join([*path, *map(str, first["loc"])])
        if first["type"] == "missing":
            raise UserError(f"{where} needs a value: give {where}=VALUE") from error
        if first["type"] == "tuple_type" and isinstance(first["input"], str | int | float):
            alone = f"{where}={first['input']}"
            raise UserError(f"{alone}: give a list, such as {where}=[{first['input']}]") from error
        # Without the words that pydantic puts before a record's own complaint.
        complaint = first["ctx"]["error"] if first["type"] == "value_error" else first["msg"]
        raise UserError(f"{where}={first['input']!r}: {complaint}") from error

"""From a composed configuration to typed records, with errors that say which key is wrong."""

from typing import TypeVar

from omegaconf import DictConfig, OmegaConf
from pydantic import TypeAdapter, ValidationError

from seentwice.errors import UserError

Record = TypeVar("Record")


def read_settings(record: type[Record], config: DictConfig, section: str) -> Record:
    """Make a dataclass of one section of the configuration.

    Args:
        record: the dataclass; its annotations are enforced.
        config: the whole configuration.
        section: the section's key.

    Raises:
        UserError: a value of the wrong type, a missing or an unknown key.
    """
    values = OmegaConf.to_container(config[section], resolve=True, throw_on_missing=True)
    try:
        return TypeAdapter(record).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join([section, *map(str, first["loc"])])
        raise UserError(f"{where}={first['input']!r}: {first['msg']}") from error

"""Settings of heads and towers, as config files give them: the arguments of their constructors."""

import inspect
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError
from torch import nn

from seentwice.errors import UserError

Dropout = Annotated[float, Field(ge=0, lt=1)]


def check_settings(
    key: str, name: str, part: type[nn.Module], sizes: int, settings: Mapping[str, object]
) -> dict[str, object]:
    """Return settings as the constructor of a part takes them.

    Args:
        key: of the settings in the configuration, such as `head.l2`.
        name: of the part.
        part: its class.
        sizes: how many arguments of its constructor come first and are no settings.
        settings: by name.

    Raises:
        UserError: no such setting, or a value that the setting cannot take.
    """
    valid = list(inspect.signature(part).parameters.values())[sizes:]
    parameters = {parameter.name: parameter for parameter in valid}
    unknown = sorted(set(settings) - set(parameters))
    if unknown:
        raise UserError(
            f"{key}.{unknown[0]}: no such setting; {name} takes {', '.join(parameters) or 'none'}"
        )
    return {
        setting: _validate(f"{key}.{setting}", parameters[setting], value)
        for setting, value in settings.items()
    }


def _validate(key: str, parameter: inspect.Parameter, value: object) -> object:
    try:
        return TypeAdapter(parameter.annotation).validate_python(value)
    except ValidationError as error:
        # Of what may be one or several, the complaint that comes nearest: that of an item.
        first = max(error.errors(), key=lambda one: len(one["loc"]))
        # Pydantic says of a text that it is "not allowed as a Sequence", and names Python's class.
        is_no_list = first["type"] in ("sequence_str", "is_instance_of")
        complaint = "Input should be a list" if is_no_list else first["msg"]
        default = parameter.default
        usual = list(default) if isinstance(default, tuple) else default
        raise UserError(f"{key}={value!r}: {complaint}, such as the default, {usual}") from error

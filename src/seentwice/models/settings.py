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
    annotations = {parameter.name: parameter.annotation for parameter in valid}
    unknown = sorted(set(settings) - set(annotations))
    if unknown:
        raise UserError(
            f"{key}.{unknown[0]}: no such setting; {name} takes {', '.join(annotations) or 'none'}"
        )
    return {
        setting: _validate(f"{key}.{setting}", annotations[setting], value)
        for setting, value in settings.items()
    }


def _validate(key: str, annotation: type[object], value: object) -> object:
    try:
        return TypeAdapter(annotation).validate_python(value)
    except ValidationError as error:
        raise UserError(f"{key}={value!r}: {error.errors()[0]['msg']}") from error

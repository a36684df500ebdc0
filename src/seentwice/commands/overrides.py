"""What an override of the command line sets."""

from collections.abc import Sequence

from seentwice.errors import UserError


def key_of(override: str) -> str:
    """Return the key, or the group, that an override sets."""
    return override.lstrip("+~").partition("=")[0]


def check_names(key: str, names: object) -> None:
    """Refuse a list of names in which one stands twice.

    Raises:
        UserError: it does.
    """
    if not isinstance(names, Sequence) or isinstance(names, str):
        return
    for place, name in enumerate(names):
        if name in names[:place]:
            shown = ",".join(map(str, names))
            raise UserError(f"{key}=[{shown}]: {name} stands there twice; name it once")

"""How names, times and measures are written in the files of a report."""

import os
from base64 import b64encode
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DECIMALS = 6  # of scores and similarities: what float32 knows


def is_utf8(name: str) -> bool:
    """Whether a name from the file system is text: its bytes are UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def spell_name(name: str) -> str:
    r"""Return a name with each byte that is not UTF-8 written as `\udc80` to `\udcff`."""
    return name if is_utf8(name) else name.encode("utf-8", "backslashreplace").decode()


def spell_bytes(name: str) -> str:
    """Return the bytes of a name in base64, from which the file can be opened."""
    return b64encode(os.fsencode(name)).decode("ascii")


def name_fields(field: str, name: str) -> dict[str, str]:
    """Return a name as a field of JSON, with its bytes beside it where it is not UTF-8."""
    if is_utf8(name):
        return {field: name}
    return {field: spell_name(name), f"{field}_bytes": spell_bytes(name)}


def spell_time(seconds: float) -> str | None:
    """Return a time as "2026-01-31T23:59:59Z", fractions cut off.

    Args:
        seconds: Since 1970, as a file system has them; None comes of those outside the years 1
            to 9999, which some damaged ones have.
    """
    try:
        time = _EPOCH + timedelta(seconds=seconds // 1)
    except (OverflowError, ValueError):
        return None
    return f"{time.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def round_measure(value: float | None) -> float | None:
    """Return a score or similarity with as many digits as mean something."""
    return None if value is None else round(value, DECIMALS)

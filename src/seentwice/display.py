"""Texts from outside, such as file names and errors of libraries, made fit to show."""

from collections.abc import Sequence

LONGEST_ERROR = 300
_FIRST = 3
_HIDDEN = "***"
HARMLESS_KEYS = frozenset(
    (
        *("application_name", "cache", "connect_timeout", "dbname", "host", "hostaddr", "mode"),
        *("port", "sslmode", "target_session_attrs", "timeout", "uri", "user"),
    )
)
"""Of the query of a database's address: those whose values are no secrets."""


def show_text(text: str) -> str:
    r"""Return the text with everything escaped that a terminal or a log could not show as it is.

    Control characters (a file name may hold colours or line ends for a terminal) and bytes that
    are not UTF-8 become `\x1b` or `\udce9`; all other characters stay.
    """
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def one_line(error: Exception) -> str:
    """Return a library's error as one line; "..." is what exceeds `LONGEST_ERROR`."""
    line = " ".join(str(error).split())
    if len(line) <= LONGEST_ERROR:
        return line
    # A word longer than the line is cut all the same: an address may have any length.
    whole = line[: LONGEST_ERROR - 3].rpartition(" ")[0] or line[: LONGEST_ERROR - 4]
    return f"{whole} ..."


def hide_values(query: str) -> str:
    """Return the query of an address, "key=value&key=value", as it may be shown.

    Whatever is not known to be harmless may be a password and becomes "***".
    """
    return "&".join(_hide_value(pair) for pair in query.split("&"))


def _hide_value(pair: str) -> str:
    key, equals, _ = pair.partition("=")
    return pair if not equals or key.lower() in HARMLESS_KEYS else f"{key}={_HIDDEN}"


def name_count(number: int, one: str, many: str) -> str:
    """Return a number with its noun: "1 city", "1,200 cities"."""
    return f"{number:,} {one if number == 1 else many}"


def name_first(names: Sequence[str]) -> str:
    """Return the first three names, quoted, and how many more there are."""
    shown = ", ".join(map(repr, names[:_FIRST]))
    more = len(names) - _FIRST
    return f"{shown} and {more:,} more" if more > 0 else shown


def name_bytes(count: int) -> str:
    """Return bytes in the unit that people read best: "1.2 MB"."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count} bytes"

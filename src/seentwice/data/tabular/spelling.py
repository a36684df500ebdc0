"""How a command spells what is set of a table, so that errors advise its own words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TableSpelling:
    """Names of settings, and advice to give one, with places for what `str.format` fills in."""

    delimiter: str  # the setting's name
    ask_delimiter: str  # takes {character}
    ask_column: str  # takes {field} and {columns}, those that there are
    no_column: str  # how to do without one; takes {field}
    photo_rows: str  # what says that each row is a photo


CONFIG = TableSpelling(
    delimiter="data.delimiter",
    ask_delimiter="'data.delimiter=\"{character}\"'",
    ask_column="set data.columns.{field} to one of {columns}",
    no_column="to null",
    photo_rows="data.rows=photo",
)
"""Of the commands that take key=value."""

"""Which listings are candidates: city=Paris, price<=500000."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seentwice.display import name_first
from seentwice.errors import UserError

OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_FILTER = re.compile(r"([^<>=!]+)(<=|>=|!=|=|<|>)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Filter:
    """What the value of a column must be."""

    column: str
    operator: str  # of `OPERATORS`
    value: str

    def __post_init__(self) -> None:
        """Refuse a value that no order knows.

        Raises:
            UserError: another operator, or one of order and no number.
        """
        if self.operator not in OPERATORS:
            raise UserError(f"{self.operator!r}: choose one of {' '.join(OPERATORS)}")
        if self.operator not in ("=", "!=") and np.isnan(to_number(self.value)):
            raise UserError(f"{self}: {self.value!r} is no number; give one, or use =")

    def __str__(self) -> str:
        return f"{self.column}{self.operator}{self.value}"


def read_filter(text: str) -> Filter:
    """Read a filter, such as "price<=500000".

    Raises:
        UserError: it is none.
    """
    found = _FILTER.fullmatch(text)
    if found is None:
        raise UserError(f"{text!r}: give COLUMN=VALUE, or one of {' '.join(OPERATORS)} for =")
    column, sign, value = found.groups()
    if value.startswith(tuple("<>=!")):
        raise UserError(f"{text!r}: {sign + value[0]!r} is none of {' '.join(OPERATORS)}")
    return Filter(column.strip(), sign, value.strip())


def refuse_column(wanted: Filter, known: Sequence[str]) -> UserError:
    """Return the error of a filter whose column there is not."""
    names = name_first(sorted(known)) if known else "none; index with --listings or --tagger"
    return UserError(f"{wanted}: no column {wanted.column!r}; there are {names}")


def refuse_label(wanted: Filter, labels: Sequence[str]) -> UserError:
    """Return the error of a filter on a tag that is none of its labels."""
    choices = " ".join(f"{wanted.column}={label}" for label in labels)
    return UserError(f"{wanted}: choose one of {choices}, or the same with !=")


def to_number(text: str) -> float:
    """Return the number that a text is; NaN where it is none."""
    try:
        return float(text) if text.isascii() and "_" not in text else np.nan
    except ValueError:
        return np.nan

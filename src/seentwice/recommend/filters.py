"""Which listings are candidates: city=Paris, price<=500000."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


class FactColumn:
    """The values of one column of n listings, made ready once to be compared."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts

    @cached_property
    def codes(self) -> tuple[Mapping[str, int], NDArray[np.int32]]:
        """Return the number of each text, without regard to case, and those of the n values."""
        numbers: dict[str, int] = {}
        codes = [numbers.setdefault(text.casefold(), len(numbers)) for text in self.texts]
        return numbers, np.array(codes, np.int32)

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """Return the values as numbers, NaN where one is none, (n,)."""
        return np.array([to_number(text) for text in self.texts], np.float64)

    def passes(self, wanted: Filter) -> NDArray[np.bool_]:
        """Say which of the n values are wanted; one that is no number is none of an order."""
        value = to_number(wanted.value)
        if wanted.operator in ("=", "!="):
            known, codes = self.codes
            # -1 is no code: a text that no listing has.
            is_equal: NDArray[np.bool_] = codes == known.get(wanted.value.casefold(), -1)
            if not np.isnan(value):
                is_equal |= self.numbers == value
            return is_equal if wanted.operator == "=" else ~is_equal
        found: NDArray[np.bool_] = OPERATORS[wanted.operator](self.numbers, value)
        return found


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

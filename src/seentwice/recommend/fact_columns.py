"""The values of a column of listings, kept as numbers of words, and how they pass filters."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from seentwice.recommend.filters import OPERATORS, Filter, to_number

_MOST_RECENT = 1024  # words that are looked at one by one; more become part of the rest


class Words:
    """Texts that values of a column are, made ready once to be compared."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def folded(self) -> tuple[dict[str, int], NDArray[np.int32]]:
        """Return a number a text without regard to case, and those of the w words."""
        known: dict[str, int] = {}
        codes = [known.setdefault(text.casefold(), len(known)) for text in self.texts]
        return known, np.array(codes, np.int32)

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """Return the words as numbers, NaN where one is none, (w,)."""
        return np.array([to_number(text) for text in self.texts], np.float64)

    def join(self, more: "Words") -> "Words":
        """Return these words and others after them."""
        joined = Words([*self.texts, *more.texts])
        if "numbers" in self.__dict__:
            joined.numbers = np.concatenate([self.numbers, more.numbers])
        if "folded" in self.__dict__:
            known, codes = self.folded
            known = known.copy()
            added = [known.setdefault(text.casefold(), len(known)) for text in more.texts]
            joined.folded = known, np.concatenate([codes, np.array(added, np.int32)])
        return joined

    def passes(self, wanted: Filter) -> NDArray[np.bool_]:
        """Say which of the w words are wanted; one that is no number is none of an order."""
        value = to_number(wanted.value)
        if wanted.operator in ("=", "!="):
            known, codes = self.folded
            # -1 is no code: a text that no listing has.
            is_equal: NDArray[np.bool_] = codes == known.get(wanted.value.casefold(), -1)
            if not np.isnan(value):
                is_equal |= self.numbers == value
            return is_equal if wanted.operator == "=" else ~is_equal
        found: NDArray[np.bool_] = OPERATORS[wanted.operator](self.numbers, value)
        return found


class FactColumn:
    """The values of one column of n listings; never changed, but cheap to change a copy of."""

    def __init__(
        self, words: Words, codes: NDArray[np.int32], recent: dict[str, int] | None = None
    ) -> None:
        """Take values.

        Args:
            words: w of them.
            codes: (n,) the words that the values are.
            recent: words that came later, and their numbers, from w on.
        """
        self.words = words
        self.codes = codes
        self._recent = recent or {}

    def text(self, listing: int) -> str:
        """Return the value of a listing."""
        code = int(self.codes[listing])
        if code < len(self.words):
            return self.words.texts[code]
        return self._recent_words.texts[code - len(self.words)]

    def put(self, places: NDArray[np.int64], texts: Sequence[str], count: int) -> "FactColumn":
        """Return the column with other values.

        Args:
            places: (m,) of the listings that have them.
            texts: m values.
            count: of listings then; those that are new and have no value have the empty one.
        """
        recent = self._recent.copy()
        first = len(self.words)
        codes = np.empty(count, np.int32)
        codes[: len(self.codes)] = self.codes
        if count > len(self.codes):
            codes[len(self.codes) :] = recent.setdefault("", first + len(recent))
        for place, text in zip(places.tolist(), texts, strict=True):
            # Most listings that are put again say what they said.
            if place >= len(self.codes) or self.text(place) != text:
                codes[place] = recent.setdefault(text, first + len(recent))
        if len(recent) > _MOST_RECENT:
            return FactColumn(self.words.join(Words(list(recent))), codes)
        return FactColumn(self.words, codes, recent)

    def passes(self, wanted: Filter) -> NDArray[np.bool_]:
        """Say which of the n values are wanted; one that is no number is none of an order."""
        some = self.words.passes(wanted), self._recent_words.passes(wanted)
        passed: NDArray[np.bool_] = np.concatenate(some)[self.codes]
        return passed

    @cached_property
    def _recent_words(self) -> Words:
        return Words(list(self._recent))


def code_texts(texts: Sequence[str]) -> FactColumn:
    """Return the column of n values."""
    known: dict[str, int] = {}
    codes = np.array([known.setdefault(text, len(known)) for text in texts], np.int32)
    return FactColumn(Words(list(known)), codes)

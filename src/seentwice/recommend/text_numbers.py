"""The numbers of texts, of which a few change again and again."""

from collections.abc import Iterator, Mapping
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from seentwice.recommend.growing import Texts

_MOST_CHANGED = 1024  # texts that are copied with each change; more become part of the rest


class TextNumbers(Mapping[str, int]):
    """The number of each text that counts; never changed, but cheap to change a copy of."""

    def __init__(self, base: Mapping[str, int], changed: Mapping[str, int]) -> None:
        """Take numbers; see `number_texts`.

        Args:
            base: by text, and minus one minus the number of a text that does not count.
            changed: the same, of texts of which the base is out of date.
        """
        self._base = base
        self._changed = changed

    def __getitem__(self, text: str) -> int:
        number = self.place(text)
        if number is None or not self._counts(text):
            raise KeyError(text)
        return number

    def __iter__(self) -> Iterator[str]:
        new = (text for text in self._changed if text not in self._base)
        return (text for text in chain(self._base, new) if self._counts(text))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def place(self, text: str) -> int | None:
        """Return the number of a text, whether it counts or not; None where it has none."""
        number = self._changed.get(text, self._base.get(text))
        return None if number is None else max(number, -1 - number)

    def put(self, numbers: Mapping[str, int]) -> "TextNumbers":
        """Return the same with texts that count from now on, or have other numbers."""
        changed = {**self._changed, **numbers}
        if len(changed) > _MOST_CHANGED:
            return TextNumbers({**self._base, **changed}, {})
        return TextNumbers(self._base, changed)

    def drop(self, text: str) -> "TextNumbers":
        """Return the same without a text, which keeps its number."""
        return self.put({text: -1 - self[text]})

    def _counts(self, text: str) -> bool:
        return self._changed.get(text, self._base.get(text, -1)) >= 0


def number_texts(texts: Texts, counts: NDArray[np.bool_]) -> TextNumbers:
    """Return the number of each text; of equal ones the last is known.

    Args:
        texts: (n,).
        counts: (n,) which of them count.
    """
    places = np.arange(len(texts))
    numbers = np.where(counts, places, -1 - places)
    return TextNumbers(dict(zip(texts.tolist(), numbers.tolist(), strict=True)), {})

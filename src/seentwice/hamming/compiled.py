"""The loops over hashes that numba compiles: an order of magnitude faster than NumPy's.

Imported where they are first called, since numba takes a moment to import. What it compiled is kept
beside this file or, where that folder cannot be written, in the user's cache.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from llvmlite.ir import IRBuilder, Value
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

# As many at a time as a processor compares with few vector instructions.
_CHUNK = 64
_WORD = types.uint64
# What is only read may be of an array that cannot be written, such as a file's.
_WORDS = types.Array(_WORD, 1, "C", readonly=True)
_TABLE = types.Array(_WORD, 2, "C", readonly=True)
_FOUND_WORDS = types.Array(_WORD, 1, "C")
_NUMBERS = types.Array(types.int64, 1, "C")

Function = TypeVar("Function", bound=Callable[..., Any])


def _compile(signature: Any) -> Callable[[Function], Function]:
    """Compile a function for these types at once; it does not hold Python's lock."""

    def compile_function(function: Function) -> Function:
        try:
            compiled: Function = njit(signature, nogil=True, cache=True)(function)
        except (RuntimeError, OSError):
            # No folder to write to, or a full disk: compiled anew in each process.
            compiled = njit(signature, nogil=True)(function)
        return compiled

    return compile_function


@intrinsic  # type: ignore[untyped-decorator]
def _count_bits(context: Any, word: Any) -> Any:
    """Count the bits that are set, by the processor's own instruction."""

    def generate(context: Any, builder: IRBuilder, signature: Any, words: list[Value]) -> Value:
        return builder.ctpop(words[0])

    return types.uint64(types.uint64), generate


@_compile(_FOUND_WORDS(_WORDS, _TABLE))
def move_bits(words: NDArray[np.uint64], table: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Move the bits of each word to other places.

    Args:
        words: (n,).
        table: (8, 256) where the bits of each byte, lowest first, go by its value.
    """
    moved = np.empty_like(words)
    low = np.uint64(255)
    for index in range(len(words)):
        word = words[index]
        moved[index] = (
            table[0, word & low]
            | table[1, (word >> np.uint64(8)) & low]
            | table[2, (word >> np.uint64(16)) & low]
            | table[3, (word >> np.uint64(24)) & low]
            | table[4, (word >> np.uint64(32)) & low]
            | table[5, (word >> np.uint64(40)) & low]
            | table[6, (word >> np.uint64(48)) & low]
            | table[7, word >> np.uint64(56)]
        )
    return moved


@_compile(types.boolean(_WORD, _WORDS, _WORD))
def _may_be_near(word: np.uint64, words: NDArray[np.uint64], most_bits: np.uint64) -> bool:
    """Whether a word is near one of `_CHUNK` words; of fewer it is said without a look."""
    nearest = np.uint64(0)
    if len(words) == _CHUNK:
        # A fixed length and no branch: this loop becomes vector instructions.
        nearest = np.uint64(64)
        for index in range(_CHUNK):
            nearest = min(nearest, _count_bits(word ^ words[index]))
    return bool(nearest <= most_bits)


@_compile(types.int64(_WORDS, _WORD, _WORD, _WORDS, _NUMBERS, _FOUND_WORDS, _FOUND_WORDS))
def scan_buckets(
    words: NDArray[np.uint64],
    other_bits: np.uint64,
    most_bits: np.uint64,
    earlier: NDArray[np.uint64],
    cursor: NDArray[np.int64],
    left: NDArray[np.uint64],
    right: NDArray[np.uint64],
) -> int:
    """Find the near pairs among words whose highest bits are equal, until the output is full.

    Args:
        words: (n,) ascending.
        other_bits: how many of the lower bits are not of the key, at most 63.
        most_bits: the farthest that counts as near.
        earlier: (m,) bits of each block that must differ.
        cursor: (3,) a word, the next to compare it with and the end of its bucket: zeros at the
            start. Set to where a next call goes on; the first is n at the end.
        left: (c,) filled with one word of each pair; at least `_CHUNK` long.
        right: (c,) filled with the other.

    Returns:
        How many pairs were found.
    """
    found = 0
    low, high, end = cursor
    while low < len(words):
        word = words[low]
        if low == end:
            high = end = low + 1
            key = word >> other_bits
            while end < len(words) and words[end] >> other_bits == key:
                end += 1
        while high < end:
            if found + _CHUNK > len(left):
                cursor[0], cursor[1], cursor[2] = low, high, end
                return found
            stop = min(high + _CHUNK, end)
            if _may_be_near(word, words[high:stop], most_bits):
                for other in range(high, stop):
                    differing = word ^ words[other]
                    if _count_bits(differing) <= most_bits:
                        is_first = True
                        for block in earlier:
                            is_first = is_first and differing & block != 0
                        if is_first:
                            left[found] = word
                            right[found] = words[other]
                            found += 1
            high = stop
        low += 1
        high = low + 1
    cursor[0] = low
    return found


@_compile(types.int64(_WORDS, _WORDS, _WORD, _NUMBERS, _NUMBERS, _NUMBERS))
def scan_rows(
    hashes: NDArray[np.uint64],
    queries: NDArray[np.uint64],
    most_bits: np.uint64,
    cursor: NDArray[np.int64],
    position: NDArray[np.int64],
    query: NDArray[np.int64],
) -> int:
    """Find the hashes near each query, until the output is full.

    Args:
        hashes: (n,) few enough to stay in a core's cache while all queries pass over them.
        queries: (q,).
        most_bits: the farthest that counts as near.
        cursor: (2,) a query and the next hash to compare it with: zeros at the start. Set to where
            a next call goes on; the first is q at the end.
        position: (c,) filled with the index of the hash of each pair; at least `_CHUNK` long.
        query: (c,) filled with the index of its query.

    Returns:
        How many pairs were found.
    """
    found = 0
    row, start = cursor
    while row < len(queries):
        word = queries[row]
        while start < len(hashes):
            if found + _CHUNK > len(position):
                cursor[0], cursor[1] = row, start
                return found
            stop = min(start + _CHUNK, len(hashes))
            if _may_be_near(word, hashes[start:stop], most_bits):
                for index in range(start, stop):
                    if _count_bits(word ^ hashes[index]) <= most_bits:
                        position[found] = index
                        query[found] = row
                        found += 1
            start = stop
        row += 1
        start = 0
    cursor[0] = row
    return found

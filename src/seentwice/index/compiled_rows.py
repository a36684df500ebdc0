"""The loops over rows that numba compiles: products as fast as memory is read.

A float32 is kept as two halves of 16 bits. The upper half is the float32 rounded to 8 bits of
mantissa (a bfloat16), the lower one what rounding left out, so that both together are exact. A scan
reads the upper halves alone. What numba compiled is kept beside this file or, where that folder
cannot be written, in the user's cache.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from llvmlite.ir import Constant, FloatType, IntType, IRBuilder, Value
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

# What is only read may be of an array that cannot be written, such as a file's.
_UPPER = types.Array(types.uint16, 2, "C", readonly=True)
_LOWER = types.Array(types.int16, 2, "C", readonly=True)
_POSITIONS = types.Array(types.int64, 1, "C", readonly=True)
_QUERY = types.Array(types.float32, 1, "C", readonly=True)
_ROWS = types.Array(types.float32, 2, "C", readonly=True)
_INDEX = types.int64
_EXPONENT = 0x7F800000  # of a float32: all of these bits are set where it is not finite

Function = TypeVar("Function", bound=Callable[..., Any])


def _compile(signature: Any) -> Callable[[Function], Function]:
    """Compile a function for these types at once; it does not hold Python's lock.

    Sums may be taken in any order, which is the same for every row.
    """
    order = {"reassoc", "contract", "nsz"}

    def compile_function(function: Function) -> Function:
        try:
            compiled: Function = njit(signature, nogil=True, fastmath=order, cache=True)(function)
        except (RuntimeError, OSError):
            # No folder to write to, or a full disk: compiled anew in each process.
            compiled = njit(signature, nogil=True, fastmath=order)(function)
        return compiled

    return compile_function


@intrinsic  # type: ignore[untyped-decorator]
def _widen(context: Any, upper: Any) -> Any:
    """Return the upper half as a float32."""

    def generate(context: Any, builder: IRBuilder, signature: Any, halves: list[Value]) -> Value:
        word = builder.zext(halves[0], IntType(32))
        return builder.bitcast(builder.shl(word, Constant(IntType(32), 16)), FloatType())

    return types.float32(types.uint16), generate


@intrinsic  # type: ignore[untyped-decorator]
def _join(context: Any, upper: Any, lower: Any) -> Any:
    """Return the float32 of two halves."""

    def generate(context: Any, builder: IRBuilder, signature: Any, halves: list[Value]) -> Value:
        word = builder.zext(halves[0], IntType(32))
        shifted = builder.shl(word, Constant(IntType(32), 16))
        return builder.bitcast(
            builder.add(shifted, builder.sext(halves[1], IntType(32))), FloatType()
        )

    return types.float32(types.uint16, types.int16), generate


@intrinsic  # type: ignore[untyped-decorator]
def _bits(context: Any, number: Any) -> Any:
    """Return the bits of a float32."""

    def generate(context: Any, builder: IRBuilder, signature: Any, numbers: list[Value]) -> Value:
        return builder.bitcast(numbers[0], IntType(32))

    return types.uint32(types.float32), generate


@_compile(
    types.UniTuple(types.float64, 2)(
        _ROWS, types.Array(types.uint16, 2, "C"), types.Array(types.int16, 2, "C")
    )
)
def split_rows(
    rows: NDArray[np.float32], upper: NDArray[np.uint16], lower: NDArray[np.int16]
) -> tuple[float, float]:
    """Part rows into halves.

    Args:
        rows: (n, d).
        upper: (n, d) filled.
        lower: (n, d) filled.

    Returns:
        The greatest squared length of a row, and of what the upper half of a row leaves out. The
        first is infinite where a number is not finite; the rows after it are left out then.
    """
    longest, farthest = 0.0, 0.0
    for row in range(len(rows)):
        length, left_out = 0.0, 0.0
        for index in range(rows.shape[1]):
            number = rows[row, index]
            word = np.int64(_bits(number))
            # Told by its bits, since sums in any order are no sure way to tell.
            if word & _EXPONENT == _EXPONENT:
                return np.inf, farthest
            half = (word + 0x8000) >> 16
            upper[row, index] = half
            lower[row, index] = word - (half << 16)
            rest = np.float64(number) - np.float64(_widen(np.uint16(half)))
            length += np.float64(number) * np.float64(number)
            left_out += rest * rest
        longest = max(longest, length)
        farthest = max(farthest, left_out)
    return longest, farthest


@_compile(types.void(_UPPER, _LOWER, _POSITIONS, types.Array(types.float32, 2, "C")))
def join_rows(
    upper: NDArray[np.uint16],
    lower: NDArray[np.int16],
    positions: NDArray[np.int64],
    rows: NDArray[np.float32],
) -> None:
    """Put rows together again.

    Args:
        upper: (n, d).
        lower: (n, d).
        positions: (m,) of the rows that are wanted.
        rows: (m, d) filled.
    """
    for index in range(len(positions)):
        for column in range(upper.shape[1]):
            position = positions[index]
            rows[index, column] = _join(upper[position, column], lower[position, column])


@_compile(
    types.void(
        _UPPER, _POSITIONS, _INDEX, _INDEX, _ROWS, types.Array(types.float32, 2, "C"), _INDEX
    )
)
def scan_rows(
    upper: NDArray[np.uint16],
    positions: NDArray[np.int64],
    start: int,
    stop: int,
    queries: NDArray[np.float32],
    products: NDArray[np.float32],
    column: int,
) -> None:
    """Multiply the upper halves of rows with queries.

    Args:
        upper: (n, d).
        positions: (m,) of the rows that count, or (0,) where all do.
        start: the first that this call looks at: of the positions, or of all rows.
        stop: the one after its last.
        queries: (q, d).
        products: (q, c) of which columns `column + start` to `column + stop` are filled.
        column: where the first position, or row, has its products.
    """
    width, grouped = upper.shape[1], len(queries) - len(queries) % 8
    for index in range(start, stop):
        row, place = positions[index] if len(positions) else index, column + index
        # A number that is widened once for eight queries takes a third less time.
        for query in range(0, grouped, 8):
            sum_0, sum_1, sum_2, sum_3 = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
            sum_4, sum_5, sum_6, sum_7 = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
            for at in range(width):
                number = _widen(upper[row, at])
                sum_0 += queries[query, at] * number
                sum_1 += queries[query + 1, at] * number
                sum_2 += queries[query + 2, at] * number
                sum_3 += queries[query + 3, at] * number
                sum_4 += queries[query + 4, at] * number
                sum_5 += queries[query + 5, at] * number
                sum_6 += queries[query + 6, at] * number
                sum_7 += queries[query + 7, at] * number
            products[query, place] = sum_0
            products[query + 1, place] = sum_1
            products[query + 2, place] = sum_2
            products[query + 3, place] = sum_3
            products[query + 4, place] = sum_4
            products[query + 5, place] = sum_5
            products[query + 6, place] = sum_6
            products[query + 7, place] = sum_7
        for query in range(grouped, len(queries)):
            total = np.float32(0)
            for at in range(width):
                total += queries[query, at] * _widen(upper[row, at])
            products[query, place] = total


@_compile(types.void(_UPPER, _LOWER, _POSITIONS, _QUERY, types.Array(types.float32, 1, "C")))
def multiply_rows(
    upper: NDArray[np.uint16],
    lower: NDArray[np.int16],
    positions: NDArray[np.int64],
    query: NDArray[np.float32],
    products: NDArray[np.float32],
) -> None:
    """Multiply whole rows with a query, summed as float64: equal rows get equal products.

    Args:
        upper: (n, d).
        lower: (n, d).
        positions: (m,) of the rows that are wanted.
        query: (d,).
        products: (m,) filled.
    """
    for index in range(len(positions)):
        row = positions[index]
        total = 0.0
        for place in range(upper.shape[1]):
            number = np.float64(_join(upper[row, place], lower[row, place]))
            total += number * np.float64(query[place])
        products[index] = total

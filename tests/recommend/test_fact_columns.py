from operator import eq, ge, gt, le, lt, ne

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seentwice.recommend import fact_columns
from seentwice.recommend.fact_columns import code_texts
from seentwice.recommend.filters import Filter, to_number

VALUES = st.sampled_from(["", "5", "5.0", "7", "paris", "PARIS", "Łódź", "nan", "1e1", "x_1"])
COMPARED = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}


def passes_slowly(text: str, wanted: Filter) -> bool:
    left, right = to_number(text), to_number(wanted.value)
    if wanted.operator in ("=", "!="):
        is_equal = text.casefold() == wanted.value.casefold() or left == right
        return is_equal if wanted.operator == "=" else not is_equal
    return bool(COMPARED[wanted.operator](left, right))


@given(
    st.lists(VALUES, max_size=8),
    st.lists(st.tuples(st.integers(0, 9), VALUES), max_size=12),
    VALUES,
    st.integers(1, 3),
)
def test_values_pass_as_they_do_one_by_one_whatever_was_put(
    texts: list[str], changes: list[tuple[int, str]], value: str, most: int
) -> None:
    wanted = [Filter("it", sign, value) for sign in ("=", "!=")]
    if not np.isnan(to_number(value)):
        wanted += [Filter("it", sign, value) for sign in ("<", "<=", ">", ">=")]
    column = code_texts(texts)
    expected = list(texts)
    limit, fact_columns._MOST_RECENT = fact_columns._MOST_RECENT, most
    try:
        for place, text in changes:
            before = list(expected)
            expected += [""] * (place + 1 - len(expected))
            expected[place] = text
            former = column
            column = column.put(np.array([place]), [text], len(expected))
            assert [former.text(number) for number in range(len(before))] == before
            for one in wanted:
                assert column.passes(one).tolist() == [passes_slowly(t, one) for t in expected]
    finally:
        fact_columns._MOST_RECENT = limit
    assert [column.text(number) for number in range(len(expected))] == expected

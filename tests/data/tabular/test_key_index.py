from hypothesis import given
from hypothesis import strategies as st

from seentwice.data.tabular.key_index import open_key_index

keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)


@given(st.lists(keys), keys)
def test_an_index_answers_like_a_dictionary(added: list[str], asked: str):
    first: dict[str, int] = {}
    with open_key_index() as index:
        for line, key in enumerate(added, 1):
            assert index.add(key, line) == first.get(key)
            first.setdefault(key, line)
            assert key in index
        assert (asked in index) == (asked in first)

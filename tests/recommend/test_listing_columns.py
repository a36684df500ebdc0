"""Listings that were kept as columns are those of the table, whatever became of it since."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seentwice.errors import UserError
from seentwice.recommend.listing_columns import (
    keep_columns,
    list_records,
    name_columns,
    open_listings,
)
from seentwice.recommend.listing_table import (
    load_listings,
    put_listing,
    remove_listing,
    replace_listings,
)
from seentwice.recommend.listings import ListingRecord, Listings

FILE = "listings.sqlite"
NUMBERS = {f"p{number}": number for number in range(6)} | {"\udcff.jpg": 6}
KEYS = st.sampled_from([*NUMBERS, "gone"])
RECORD = st.builds(
    ListingRecord,
    st.sampled_from(["A", "B", "é,\n", "D", "E"]),
    st.lists(KEYS, max_size=3).map(tuple),
    st.dictionaries(st.sampled_from(["city", "price"]), st.sampled_from(["", "Łódź", "5", "6"])),
)


def describe(listings: Listings) -> dict[str, tuple[list[int], dict[str, str]]]:
    """Photos and facts of the listings that show a photo."""
    return {
        listings.ids[number]: (
            listings.photos_of(number).tolist(),
            {name: values.text(number) for name, values in listings.columns.items()},
        )
        for number in np.flatnonzero(listings.counts).tolist()
    }


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(RECORD, max_size=5, unique_by=lambda record: record.id),
    st.lists(st.one_of(RECORD, st.sampled_from(["A", "D", "X"])), max_size=6),
    st.booleans(),
)
def test_kept_columns_and_later_changes_give_what_the_table_holds(
    tmp_path: Path,
    records: list[ListingRecord],
    changes: list[ListingRecord | str],
    is_kept_again: bool,
) -> None:
    replace_listings(tmp_path / FILE, records)
    keep_columns(tmp_path / FILE)
    for change in changes:
        if isinstance(change, str):
            remove_listing(tmp_path / FILE, change)
        else:
            put_listing(tmp_path / FILE, change)
    if is_kept_again:
        keep_columns(tmp_path / FILE)
    found = describe(open_listings(tmp_path / FILE, NUMBERS))
    expected = describe(list_records(load_listings(tmp_path / FILE), NUMBERS))
    columns = {name for _, facts in found.values() for name in facts}
    assert found == {
        name: (photos, dict.fromkeys(columns, "") | facts)
        for name, (photos, facts) in expected.items()
    }


@pytest.mark.parametrize("damage", ["cut", "turned", "gone", "of another table"])
def test_columns_that_are_no_use_cost_time_alone(tmp_path: Path, damage: str) -> None:
    records = [ListingRecord("A", ("p1",), {"city": "Rome"}), ListingRecord("B", ("p2",))]
    replace_listings(tmp_path / FILE, records)
    keep_columns(tmp_path / FILE)
    path = name_columns(tmp_path / FILE)
    data = path.read_bytes()
    if damage == "cut":
        path.write_bytes(data[:-3])
    elif damage == "turned":
        place = data.index(b"Rome")
        path.write_bytes(data[:place] + b"Bern" + data[place + 4 :])
    elif damage == "gone":
        path.unlink()
    else:
        records = records[:1]
        replace_listings(tmp_path / FILE, records)
    expected = describe(list_records(records, NUMBERS))
    assert describe(open_listings(tmp_path / FILE, NUMBERS)) == expected


def test_columns_are_written_only_where_the_table_changed(tmp_path: Path) -> None:
    replace_listings(tmp_path / FILE, [ListingRecord("A", ("p1",))])
    keep_columns(tmp_path / FILE)
    before = name_columns(tmp_path / FILE).stat().st_ino
    keep_columns(tmp_path / FILE)
    assert name_columns(tmp_path / FILE).stat().st_ino == before
    put_listing(tmp_path / FILE, ListingRecord("B", ("p2",)))
    keep_columns(tmp_path / FILE)
    assert name_columns(tmp_path / FILE).stat().st_ino != before


def test_columns_without_their_table_are_no_listings(tmp_path: Path) -> None:
    replace_listings(tmp_path / FILE, [ListingRecord("A", ("p1",))])
    keep_columns(tmp_path / FILE)
    (tmp_path / FILE).unlink()
    with pytest.raises(UserError, match="run seentwice index --listings again"):
        open_listings(tmp_path / FILE, NUMBERS)

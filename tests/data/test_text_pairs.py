from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.data.source import tell_nobody
from seentwice.data.tabular.rejects import RowError, collect_rejects
from seentwice.data.text_pairs import (
    TextPair,
    TextPairsSource,
    format_line,
    key_of,
    parse_line,
    read_text_pairs,
    to_listing,
)
from seentwice.errors import UserError

LINE = "COL name VAL red chair COL price VAL  \tCOL name VAL chair , red COL price VAL 9.5 \t1"


def test_a_line_gives_two_records_and_a_label():
    assert parse_line(LINE) == TextPair(
        (("name", "red chair"), ("price", "")),
        (("name", "chair , red"), ("price", "9.5")),
        is_duplicate=True,
    )


def test_the_words_of_the_format_may_stand_in_a_value():
    pair = parse_line("COL a VAL VAL COL x COL VAL COLLAR COL b VAL COL \tCOL c VAL aCOL d VAL \t0")
    assert pair.left == (("a", "VAL COL x COL VAL COLLAR"), ("b", "COL"))
    assert pair.right == (("c", "aCOL d VAL"),)


def test_spaces_at_the_end_may_be_lacking():
    assert parse_line("COL a VAL x COL b VAL\tCOL a VAL\t0").left == (("a", "x"), ("b", ""))
    assert parse_line("COL a VAL x COL b VAL\tCOL a VAL\t0").right == (("a", ""),)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("COL a VAL x \t0", "2 parts between tabs"),
        ("COL a VAL x \tCOL a VAL y \t1\t0", "4 parts between tabs"),
        ("COL a VAL x \tCOL a VAL y \t2", "the label is '2'"),
        ("COL a VAL x \tCOL a VAL y \t", "the label is ''"),
        ("a VAL x \tCOL a VAL y \t1", "a record begins with 'a VAL x '"),
        ("COL a VAL x \t\t1", "a record begins with ''"),
        ("COL a b VAL x \tCOL a VAL y \t1", "a record begins with 'COL a b VAL x '"),
    ],
)
def test_another_line_is_refused(line, reason):
    with pytest.raises(RowError, match=reason):
        parse_line(line)


@pytest.mark.parametrize(
    "record",
    [
        (),
        (("two words", "x"),),
        (("", "x"),),
        (("a", "x\ty"),),
        (("a", "x\ny"),),
        (("a", "x COL b VAL y"),),
        (("a", "COL b VAL y"),),
    ],
)
def test_what_the_format_cannot_hold_is_not_written(record):
    with pytest.raises(UserError, match="cannot hold this record"):
        format_line(TextPair(record, (("a", "x"),), is_duplicate=False))


words = st.sampled_from(["COL", "VAL", "x", "", " ", "é", "COL a VAL"])
values = st.lists(words, max_size=5).map(" ".join)
records = st.lists(st.tuples(st.sampled_from("abc"), values), min_size=1, max_size=3).map(tuple)


@given(records, records, st.booleans())
def test_what_is_written_is_read_back(left, right, is_duplicate):
    pair = TextPair(left, right, is_duplicate)
    try:
        line = format_line(pair)
    except UserError:
        assert any("COL" in value and "VAL" in value for _, value in chain(left, right))
    else:
        assert parse_line(line) == pair


def test_a_record_becomes_a_listing():
    record = (
        ("title", "Chair"),
        ("manufacturer", "X"),
        ("description", ""),
        ("name", "of a chair"),
        ("price", "9.50"),
    )
    listing = to_listing("left", record)
    assert (listing.title, listing.description, listing.price) == ("Chair", "", 9.5)
    assert listing.attributes == (("manufacturer", "X"), ("name", "of a chair"))


def test_a_field_that_stands_there_again_is_kept():
    record = (
        ("title", " "),
        ("title", "Chair"),
        ("title", "of oak"),
        ("price", "9"),
        ("price", "8"),
        ("description", "red"),
        ("description", "light"),
    )
    listing = to_listing("left", record)
    assert (listing.title, listing.description, listing.price) == ("Chair", "red", 9.0)
    assert listing.attributes == (
        ("title", " "),
        ("title", "of oak"),
        ("price", "8"),
        ("description", "light"),
    )


@pytest.mark.parametrize("price", ["", "nine", "nan", "-1"])
def test_a_price_that_is_none_stays_an_attribute(price):
    listing = to_listing("left", (("name", "Chair"), ("price", price)))
    assert listing.price is None
    assert listing.attributes == ((("price", price),) if price else ())


def test_equal_records_of_a_side_are_one_listing(tmp_path):
    (tmp_path / "train.txt").write_text(f"{LINE}\n{LINE}\r\n")
    (tmp_path / "valid.txt").write_text(LINE.replace("9.5", "8"))
    source = TextPairsSource(tmp_path, tmp_path / "rejects.csv")
    with collect_rejects(source.rejects) as rejects:
        listings = {each.key: each for each in source.read_listings(rejects, tell_nobody)}
        pairs = list(source.read_pairs(rejects, tell_nobody))
    assert [listing.price for listing in listings.values()] == [None, 9.5, 8.0]
    assert [pair.split for pair in pairs] == ["train", "train", "validation"]
    assert pairs[0] == pairs[1]
    assert {pair.left for pair in pairs} == {key_of("left", parse_line(LINE).left)}
    assert all(pair.left in listings and pair.right in listings for pair in pairs)
    assert all(pair.is_duplicate for pair in pairs)


def test_a_pair_that_is_there_again_is_kept_and_told(tmp_path, rejects):
    other = LINE.replace("9.5", "8")
    lines = [LINE, other, LINE, f"{other[:-1]}0", f"{LINE[:-1]}0"]
    for name in ("train", "valid"):
        (tmp_path / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))
    (tmp_path / "test.txt").write_text(LINE.replace("9.5", "7"))
    pairs = list(TextPairsSource(tmp_path, "r.csv").read_pairs(rejects, tell_nobody))
    assert len(pairs) == 11
    assert rejects.count == 0
    assert rejects.summary().hints == (
        f"{tmp_path}: pairs with both texts of an earlier pair: 8, of them with the other label: "
        "4; all are kept, since two things may have one text",
    )


@pytest.mark.parametrize(
    ("name", "split"), [("train", "train"), ("valid", "validation"), ("test", "test")]
)
def test_a_file_that_is_not_there_is_told(tmp_path, rejects, name, split):
    for number, other in enumerate({"train", "valid", "test"} - {name}):
        (tmp_path / f"{other}.txt").write_text(LINE.replace("9.5", f"{number}"))
    pairs = list(TextPairsSource(tmp_path, "r.csv").read_pairs(rejects, tell_nobody))
    assert len(pairs) == 2
    assert split not in {pair.split for pair in pairs}
    assert rejects.summary().hints == (
        f"{tmp_path}: holds no {name}.txt, so there are no {split} pairs",
    )


def test_malformed_lines_are_told_once(tmp_path):
    (tmp_path / "test.txt").write_bytes(f"{LINE}\n\nno pair\n".encode() + b"\xff\n" + LINE.encode())
    source = TextPairsSource(tmp_path, tmp_path / "rejects.csv")
    with collect_rejects(source.rejects) as rejects:
        assert len(list(source.read_listings(rejects, tell_nobody))) == 2
        assert len(list(source.read_pairs(rejects, tell_nobody))) == 2
    assert [reject.line for reject in rejects.summary().first] == [3, 4]
    assert rejects.count == 2


def test_a_file_of_other_lines_is_refused(tmp_path, rejects):
    (tmp_path / "test.txt").write_text("no pair\nnor this\n")
    with pytest.raises(UserError, match="none of its 2 rows can be read; the first: line 1: 1 par"):
        list(read_text_pairs(tmp_path / "test.txt", rejects, tell_nobody))


@pytest.mark.parametrize("name", ["train.txt", "valid.txt", "test.txt"])
def test_no_file_of_pairs_is_taken_for_the_file_of_rejects(tmp_path, name):
    with pytest.raises(UserError, match=rf"data\.rejects=.*{name}, which is used already"):
        TextPairsSource(tmp_path, tmp_path / name)


def test_a_folder_without_such_files_is_refused(tmp_path, rejects):
    source = TextPairsSource(tmp_path, tmp_path / "rejects.csv")
    with pytest.raises(UserError, match=r"holds none of train\.txt, valid\.txt, test\.txt"):
        list(source.read_pairs(rejects, tell_nobody))


GOLDEN = {
    "abt_buy": {"train": (5743, 616), "validation": (1916, 206), "test": (1916, 206)},
    "amazon_google": {"train": (6874, 699), "validation": (2293, 234), "test": (2293, 234)},
    "fodors_zagats": {"train": (567, 66), "validation": (190, 22), "test": (189, 22)},
}
LISTINGS = {"abt_buy": 2103, "amazon_google": 3362, "fodors_zagats": 531}
REPEATED = {"abt_buy": (73, 22), "amazon_google": (501, 18), "fodors_zagats": None}
"""Pairs of texts that were there before, and how many of them with the other label."""


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_the_public_sets_come_out_as_published(text_pairs_root, tmp_path, rejects, name):
    source = TextPairsSource(text_pairs_root / name, tmp_path / "rejects.csv")
    pairs = list(source.read_pairs(rejects, tell_nobody))
    for split, (count, duplicates) in GOLDEN[name].items():
        labels = [pair.is_duplicate for pair in pairs if pair.split == split]
        assert (len(labels), sum(labels)) == (count, duplicates)
    keys = {listing.key for listing in source.read_listings(rejects, tell_nobody)}
    assert keys == {key for pair in pairs for key in (pair.left, pair.right)}
    assert len(keys) == LISTINGS[name]
    assert rejects.count == 0
    repeated = REPEATED[name]
    assert len(rejects.summary().hints) == (repeated is not None)
    if repeated is not None:
        assert (
            f"earlier pair: {repeated[0]}, of them with the other label: {repeated[1]};"
            in (rejects.summary().hints[0])
        )


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_the_public_sets_are_written_as_they_are(text_pairs_root, name):
    for file in (text_pairs_root / name).glob("*.txt"):
        content = file.read_bytes()
        lines = content.decode().removesuffix("\n").split("\n")
        written = "".join(f"{format_line(parse_line(line))}\n" for line in lines)
        assert written.encode() == content

import pytest

from seentwice.display import LONGEST_ERROR, name_bytes, name_count, name_first, one_line, show_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Küche 1_2.jpg", "Küche 1_2.jpg"),
        ("red\x1b[31m.jpg", r"red\x1b[31m.jpg"),
        ("two\nlines.jpg", r"two\nlines.jpg"),
        ("caf\udce9.jpg", r"caf\udce9.jpg"),
        ("浴室_1_1.jpg", "浴室_1_1.jpg"),
    ],
)
def test_only_what_cannot_be_shown_is_escaped(text: str, shown: str) -> None:
    assert show_text(text) == shown
    assert shown.encode("utf-8").decode("utf-8").isprintable()


def test_a_long_error_ends_with_a_whole_word() -> None:
    assert one_line(ValueError("two\n  lines")) == "two lines"
    assert one_line(ValueError("x" * LONGEST_ERROR)) == "x" * LONGEST_ERROR
    shown = one_line(ValueError("word " * 100))
    assert shown == "word " * (len(shown) // 5) + "..."
    assert LONGEST_ERROR - len("word ") < len(shown) <= LONGEST_ERROR
    shown = one_line(ValueError("x" * 1000))
    assert shown == "x" * (LONGEST_ERROR - 4) + " ..."


def test_the_first_three_of_many_names_are_shown() -> None:
    assert name_first(["a b"]) == "'a b'"
    assert name_first(["a", "b", "c"]) == "'a', 'b', 'c'"
    assert name_first(["a\n", *"bcde"]) == r"'a\n', 'b', 'c' and 2 more"


def test_a_number_comes_with_its_noun() -> None:
    assert [name_count(number, "city", "cities") for number in (0, 1, 1200)] == [
        "0 cities",
        "1 city",
        "1,200 cities",
    ]


@pytest.mark.parametrize(
    ("count", "named"),
    [(999, "999 bytes"), (1000, "1.0 kB"), (1_240_000, "1.2 MB"), (3 * 10**12, "3,000.0 GB")],
)
def test_bytes_are_named_in_the_unit_that_people_read_best(count: int, named: str) -> None:
    assert name_bytes(count) == named

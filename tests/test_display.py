import pytest

from seentwice.display import show_text


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

"""Texts from outside, such as file names and errors of libraries, made fit to show."""

LONGEST_ERROR = 200


def show_text(text: str) -> str:
    r"""Return the text with everything escaped that a terminal or a log could not show as it is.

    Control characters (a file name may hold colours or line ends for a terminal) and bytes that
    are not UTF-8 become `\x1b` or `\udce9`; all other characters stay.
    """
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def one_line(error: Exception) -> str:
    """Return a library's error as one line of at most `LONGEST_ERROR` characters."""
    return " ".join(str(error).split())[:LONGEST_ERROR]

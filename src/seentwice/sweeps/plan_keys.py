"""The keys that a section of a plan may have."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from seentwice.display import show_text
from seentwice.errors import UserError


def refuse_unknown(given: Iterable[object], known: Sequence[str], path: str, section: str) -> None:
    """Refuse a key that does not exist, and name the one that may be meant.

    To be asked before what is missing, which may be there under a misspelled name.

    Args:
        given: keys of the section.
        known: all that there are.
        path: of the section, dotted; "" of the file itself.
        section: what the message calls it.

    Raises:
        UserError: there is such a key; the message begins with its path.
    """
    for key in given:
        if key in known:
            continue
        name = show_text(str(key))
        close = get_close_matches(name, known, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        here = f"{path}.{name}" if path else name
        raise UserError(f"{here}: no such key{hint}; {section} has {', '.join(known)}")

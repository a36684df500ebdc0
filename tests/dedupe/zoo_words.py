"""What a path of the zoo gives."""

from collections.abc import Callable
from pathlib import Path

from seentwice.records import Reason

ALONE = "alone"
"""Of a photo that is like none other."""
HIDDEN = "passed over"
"""Of what is hidden or neither named nor begun like a photo."""
LINKED = "same file"
"""Of another name of a file."""
LIMIT = 40_000_000
"""The most pixels that photos of the zoo are read with."""
Zoo = dict[str, Reason | str]
"""What each path below the folder gives: a reason, one of the words above, or its family."""
Put = Callable[[str | bytes, bytes, Reason | str], Path]
"""Writes a file of this name and content, of which is known what it gives."""

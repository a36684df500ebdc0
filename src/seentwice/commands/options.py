"""Run a command for use, which takes arguments and --options, with errors of one line."""

import argparse
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from itertools import takewhile
from pathlib import Path
from typing import NoReturn

from seentwice.commands.stopping import STOPPED, TERMINATED, sigterm_as_ctrl_c
from seentwice.display import show_text
from seentwice.errors import UserError

Run = Callable[[Sequence[str]], int | None]
"""Does the work of a command; what it returns is the exit code, None is 0."""


class OptionParser(argparse.ArgumentParser):
    """A parser whose errors are raised, and whose help keeps its examples as they are written."""

    def __init__(self, command: str, description: str, examples: str) -> None:
        super().__init__(
            prog=f"seentwice {command}",
            description=description,
            epilog=f"Examples:\n{examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse what stands after the command.

        Raises:
            UserError: wrong arguments, of which argparse would not say what is meant: an option
                that nearly exists, or `key=value`, which other commands take.
        """
        options = self._option_string_actions
        for word in takewhile(lambda word: word != "--", arguments):
            name, equals, value = word.partition("=")
            option = f"--{name.removeprefix('--')}"
            near = get_close_matches(option, options, 1, cutoff=0.85)
            is_key = bool(equals) and not word.startswith("-") and not Path(word).exists()
            is_unknown = word.startswith("--") and option not in options
            if near and (is_key or is_unknown):
                takes_value = is_key and options[near[0]].nargs != 0
                given = f"{near[0]} {shlex.quote(value)}" if takes_value else near[0]
                self.error(f"{word}: no such argument; give {given}")
        return self.parse_args(arguments)

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments.

        Raises:
            UserError: always; argparse would print the usage before it.
        """
        raise UserError(f"{message}; see {self.prog} --help")


def whole_number(lowest: int, highest: int | None = None) -> Callable[[str], int]:
    """Return what reads an option's number and refuses one out of its range."""
    valid = f"{lowest:,} or more" if highest is None else f"{lowest:,} to {highest:,}"

    def read(text: str) -> int:
        # Python's `int` takes spaces, 1_0 and other scripts' digits besides.
        number = int(text) if re.fullmatch("[0-9]{1,18}", text) else lowest - 1
        if number < lowest or (highest is not None and number > highest):
            raise argparse.ArgumentTypeError(f"{text!r}: give a whole number, {valid}")
        return number

    return read


def read_share(text: str) -> float:
    """Read an option's share, and refuse one that is not above 0, up to 1."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number above 0, up to 1")
    return number


def run_options(command: str, run: Run, on_stop: str, arguments: Sequence[str]) -> int:
    """Run the command and return its exit code.

    It is the command's own, 2 for wrong input, 130 after Ctrl-C, 143 after SIGTERM.

    Args:
        command: its name.
        run: parses the arguments and does the work; raises UserError where the user can mend it.
        on_stop: what to know after either, such as how to go on.
        arguments: what stands after the command.
    """
    terminated: list[int] = []
    try:
        with sigterm_as_ctrl_c(terminated):
            return run(arguments) or 0
    except (UserError, OSError) as error:  # OSError: no permission, no space
        print(f"seentwice {command}: {show_text(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"seentwice {command}: stopped; {on_stop}", file=sys.stderr)
        return TERMINATED if terminated else STOPPED
    except SystemExit as end:  # argparse's, for --help
        return end.code if isinstance(end.code, int) else 2


def quote_path(path: Path) -> str:
    """Return the path as a value for Hydra, as it is where it is plain."""
    text = str(path)
    if re.fullmatch(r"[\w./:-]+", text):
        return text
    from seentwice.commands.application import quote_value  # brings Hydra

    return quote_value(text)

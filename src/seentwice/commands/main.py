"""The `seentwice` command: one word chooses what to do."""

import importlib
import sys
from collections.abc import Sequence

from seentwice import __version__

COMMANDS = {
    "prepare": "make or check a data set",
    "compare": "fit detectors on one data set and put them side by side",
    "train": "train one Siamese network and write its checkpoint",
    "evaluate": "measure a checkpoint on the test pairs of a data set",
    "tagger": "train one classifier of photos: house fronts, room types, style, storeys",
    "pairs": "write the pair tables and triplets of a training as CSV",
    "card": "write what a data set holds: counts, sizes, leaks, pictures",
}

FILE_COMMANDS = {
    "sweep": "train many choices of settings, stop the worse ones early, tell the best",
}
"""Commands that take a file, then key=value."""

OPTION_COMMANDS = {
    "check": "ask which photos of an index one photo is a copy of",
    "index": "look at the photos of a folder once, to recommend listings that look alike",
    "recommend": "tell which listings of an index look most like a photo, and why",
    "dedupe": "find photos of a folder that are there twice; report them, or move them away",
    "bank": "list or clear what is kept of photos: features, hashes",
    "download": "fetch a published checkpoint by its name, and check it",
    "export": "write a checkpoint as one program, score(left, right), for ONNX or torch.export",
    "runs": "compare the runs of an MLflow store as a table",
    "serve": "answer recommendations and checks over HTTP, with a page to try it",
    "variants": "make edited copies of photos, and pairs of them with the duplicate flag",
}
"""Commands for use: they take arguments and --options instead of key=value."""

HELP = f"""seentwice {__version__}: finds photos of homes that were seen twice

Usage: seentwice COMMAND [key=value ...]

Commands, which take key=value (seentwice COMMAND --cfg job prints all of it, and runs nothing):
{chr(10).join(f"  {name:<10}{text}" for name, text in COMMANDS.items())}

Commands that take a file, then key=value:
{chr(10).join(f"  {name:<10}{text}" for name, text in FILE_COMMANDS.items())}

Commands for use, which take arguments and --options:
{chr(10).join(f"  {name:<10}{text}" for name, text in OPTION_COMMANDS.items())}

  seentwice COMMAND --help   the choices and keys of a command, with examples
  seentwice --version

Start with:  seentwice compare
On your own photos, named <room type>/<home>_<room>_<k>.jpg:
  seentwice compare data=folder data.root=PHOTOS data.homes=name backbone=mobilenet_v2
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done, 1 an evaluation that does not reproduce what its checkpoint claims, or files that gave
    no photo where the rest was done, 2 wrong input, 130 Ctrl-C, 143 SIGTERM.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(words)
    except KeyboardInterrupt:  # while a command was imported; what it does tells itself of it
        from seentwice.commands.stopping import STOPPED  # what is imported before cannot be caught

        print(f"seentwice{' ' if words else ''}{''.join(words[:1])}: stopped", file=sys.stderr)
        return STOPPED


def _run(words: list[str]) -> int:
    """Run the command that the words name."""
    if not words or words[0] in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if words[0] == "--version":
        print(f"seentwice {__version__}")
        return 0
    names = (*COMMANDS, *FILE_COMMANDS, *OPTION_COMMANDS)
    if words[0] not in names:
        print(
            f"seentwice: no command {words[0]!r}: choose one of {', '.join(names)}",
            file=sys.stderr,
        )
        return 2
    # Imported here, because a command brings torch, and no --help should wait for it.
    if words[0] in (*FILE_COMMANDS, *OPTION_COMMANDS):
        from seentwice.commands.options import run_options

        command = importlib.import_module(f"seentwice.commands.{words[0]}")
        return run_options(words[0], command.run, command.ON_STOP, words[1:])
    from seentwice.commands.application import HELP_FLAGS, print_help, run_application

    if HELP_FLAGS & set(words):
        return print_help(words[0], words[1:])
    command = importlib.import_module(f"seentwice.commands.{words[0]}")
    return run_application(words[0], command.run, words[1:])

"""What --help says of a command: its keys, each with its value and its comment in the YAML."""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from yaml.nodes import MappingNode, Node, SequenceNode

from seentwice.commands.overrides import check_names, key_of
from seentwice.errors import UserError

WIDTH = 100
KEY_WIDTH = 44  # a longer key=value has its comment on the next line

_PACKAGE = "# @package _global_"
_EXAMPLE = "#   "  # how a line of an example begins
_NO_KEYS = ("defaults", "hydra")

_OF_TRUNKS = ("bank.dtype", "bank.engine", "bank.precision", "bank.decoding")
_NO_TRUNK = dict.fromkeys(_OF_TRUNKS, "no photo passes a backbone here")
WITHOUT_EFFECT: Mapping[str, Mapping[str, str]] = {
    "card": _NO_TRUNK,
    "evaluate": {
        **dict.fromkeys(("sampling.train", "edits.train"), "nothing is trained here"),
        **dict.fromkeys(_OF_TRUNKS, "photos pass as in the training of the checkpoint"),
    },
    "pairs": _NO_TRUNK,
    "prepare": _NO_TRUNK,
    "tagger": {
        "edits": "photos are tagged as they are",
        "bank.decoding": "photos that train are decoded in full",
        **dict.fromkeys(("split.all_pairs", "split.leaks"), "no pairs are made here"),
    },
}
"""What a command shares with others and has no use for, with all below it; help leaves it out."""


@dataclass(frozen=True, slots=True)
class Option:
    """One key that an override may set."""

    key: str
    value: str | None  # as the file spells it; None for a key that only holds others
    comment: str


@dataclass(frozen=True, slots=True)
class OptionFile:
    """One config file, as far as it explains itself."""

    what: str  # its first comment
    examples: str  # the indented lines of that comment
    options: tuple[Option, ...]


def read_option_file(text: str, group: str) -> OptionFile:
    """Read what a config says of its keys.

    Args:
        text: the YAML; its comments above a key and at the end of a key's line belong to the key.
        group: prefixes the keys; "" for a primary config.
    """
    lines = text.splitlines()
    head = next((at for at, line in enumerate(lines) if not line.startswith("#")), len(lines))
    described = [line for line in lines[:head] if line != _PACKAGE]
    prefix = "" if not group or _PACKAGE in lines[:head] else f"{group}."
    node = yaml.compose(text, yaml.SafeLoader)
    options = _options_of(node, prefix, text, head) if isinstance(node, MappingNode) else ()
    return OptionFile(
        " ".join(line[1:].strip() for line in described if not line.startswith(_EXAMPLE)),
        "".join(f"  {line[1:].strip()}\n" for line in described if line.startswith(_EXAMPLE)),
        tuple(options),
    )


def _options_of(node: MappingNode, prefix: str, text: str, head: int) -> Iterator[Option]:
    lines = text.splitlines()
    for key, value in node.value:
        if key.value.startswith("_") or (not prefix and key.value in _NO_KEYS):
            continue
        name = f"{prefix}{key.value}"
        is_inline = value.start_mark.line == key.start_mark.line
        end = (value if is_inline else key).end_mark
        beside = re.match(r":?\s*#\s*(.*)", lines[end.line][end.column :])
        comment = " ".join([*_lines_above(key, lines, head), *(beside.groups() if beside else ())])
        if isinstance(value, MappingNode) and not value.flow_style:
            if comment:
                yield Option(name, None, comment)
            yield from _options_of(value, f"{name}.", text, head)
        else:
            yield Option(name, _spelling(value, text), comment)


def _lines_above(key: Node, lines: Sequence[str], head: int) -> list[str]:
    above: list[str] = []
    at = key.start_mark.line - 1
    while at >= head and lines[at].lstrip().startswith("#"):
        above.insert(0, lines[at].lstrip().removeprefix("#").strip())
        at -= 1
    return above


def _spelling(node: Node, text: str) -> str:
    """Return the value as the file has it; a list with a line for each item becomes one line."""
    if isinstance(node, SequenceNode) and not node.flow_style:
        return f"[{', '.join(_spelling(item, text) for item in node.value)}]"
    return text[node.start_mark.index : node.end_mark.index]


def groups_of(folders: Sequence[Path], command: str) -> dict[str, list[str]]:
    """Return the groups of a command's config, in its order, with the options of each.

    Args:
        folders: of configs; the first holds the command's own.
        command: the name of its primary config.
    """
    primary = _load_primary(folders[0], command)
    names = [str(key) for entry in primary["defaults"] if isinstance(entry, dict) for key in entry]
    groups = [name.removeprefix("optional ") for name in names if not name.startswith("override")]
    return {
        group: sorted({path.stem for folder in folders for path in (folder / group).glob("*.yaml")})
        for group in groups
    }


def keys_of(folder: Path, command: str) -> list[str]:
    """Return the keys at the top of a command's own config, which lies in this folder."""
    return [str(key) for key in _load_primary(folder, command) if key not in _NO_KEYS]


def _load_primary(folder: Path, command: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(
        (folder / f"{command}.yaml").read_text(encoding="utf-8")
    )
    return loaded


def describe_command(
    folders: Sequence[Path], command: str, chosen: Mapping[str, Sequence[str]]
) -> str:
    """Return the help of a command.

    Args:
        folders: of configs; the first that has one counts, as for Hydra.
        command: the name of its primary config.
        chosen: the options of each group whose keys are shown.
    """
    groups = groups_of(folders, command)
    primary = _read(folders, f"{command}.yaml", "")
    files = {
        f"{group}={option}": _read(folders, f"{group}/{option}.yaml", group)
        for group in groups
        for option in chosen.get(group, ())
    }
    # In the order in which Hydra composes them: what comes later replaces what came before.
    replaced = {
        option.key: (name, option.value) for name, file in files.items() for option in file.options
    }
    parts = [
        f"Usage: seentwice {command} [key=value ...]\n{textwrap.fill(primary.what, WIDTH)}\n",
        "Groups (group=option):\n"
        + "".join(
            textwrap.fill(f"  {group}: {', '.join(options)}", WIDTH, subsequent_indent="    ")
            + "\n"
            for group, options in sorted(groups.items())
        ),
        "Keys (key=value):\n" + _describe_options(primary.options, "", replaced),
    ]
    for name, file in files.items():
        used = [one for one in file.options if _why_no_effect(command, one.key) is None]
        title = textwrap.fill(f"{name}: {file.what}", WIDTH)
        parts.append(f"{title}\n{_describe_options(used, name, replaced)}")
    other = f"seentwice {command} --help group=option"
    parts.append(f"The keys of another choice: {other}. Hydra's own flags: --hydra-help\n")
    return "\n".join(parts) + f"\nExamples:\n{primary.examples}"


def check_effects(command: str, overrides: Sequence[str]) -> None:
    """Refuse overrides that the command has no use for.

    Raises:
        UserError: one sets a key of `WITHOUT_EFFECT`, or below one; or chooses a head twice, of
            which Hydra makes one.
    """
    for word in overrides:
        if key_of(word) == "head":
            check_names("head", OverridesParser.create().parse_override(word).value())
        reason = _why_no_effect(command, key_of(word))
        if reason is not None:
            raise UserError(f"{word}: {reason}, so it has no effect; leave it out")


def _why_no_effect(command: str, key: str) -> str | None:
    return next(
        (
            reason
            for one, reason in WITHOUT_EFFECT.get(command, {}).items()
            if key == one or key.startswith(f"{one}.")
        ),
        None,
    )


def _read(folders: Sequence[Path], name: str, group: str) -> OptionFile:
    path = next(path for path in (folder / name for folder in folders) if path.is_file())
    return read_option_file(path.read_text(encoding="utf-8"), group)


def _describe_options(
    options: Sequence[Option], name: str, replaced: Mapping[str, tuple[str, str | None]]
) -> str:
    """Return the lines of a file's options.

    Args:
        options: of the file.
        name: of the file, as `replaced` has it.
        replaced: by key, the last file that gives it a value, and that value.
    """
    lines: list[str] = []
    for option in options:
        by, value = replaced.get(option.key, (name, option.value))
        remark = [] if by == name or option.value is None else [f"(now {value}, by {by})"]
        comment = " ".join([option.comment, *remark]).strip()
        lines += _describe_option(replace(option, comment=comment))
    return "".join(f"{line}\n" for line in lines)


def _describe_option(option: Option) -> list[str]:
    shown = option.key if option.value is None else f"{option.key}={option.value}"
    comment = textwrap.wrap(option.comment, WIDTH - KEY_WIDTH - 4)
    fits = len(shown) <= KEY_WIDTH
    first = f"{shown:<{KEY_WIDTH}}  {comment.pop(0)}" if fits and comment else shown
    keys = textwrap.wrap(first, WIDTH - 2, subsequent_indent="    ", drop_whitespace=False)
    return [
        *(f"  {line}".rstrip() for line in keys),
        *(f"{'':<{KEY_WIDTH + 4}}{line}" for line in comment),
    ]

"""What is given to `seentwice sweep`: a file, its own keys, and overrides for every trial."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seentwice.commands.overrides import key_of
from seentwice.errors import UserError

HELP = """\
Usage: seentwice sweep FILE [key=value ...]

Train the trials of a Determined experiment configuration on this machine: the same space, the same
brackets and rungs, the same decisions. A sweep that was stopped goes on with the same command.

  FILE              such as adaptive.yaml; its entrypoint is python3 -m seentwice.commands.train ...
  workers=1         processes that train, each a trial at a time
  storage=URL       of the study; sqlite:///FOLDER/study.db unless given. Machines that run the same
                    command on one storage, such as postgresql://..., share the trials
  sampler=searcher  who chooses values: the file's searcher, as on a cluster; or tpe, Optuna's,
                    which learns from the trials before (not for a grid)
  name=NAME         of the sweep; unless given, one that follows from the file, the sampler and the
                    overrides
  folder=FOLDER     of its files; outputs/sweep/NAME unless given

Every other key=value is an override for every trial, see seentwice train --help. A worker decodes
and computes with its share of the cores. Machines that share trials see the photos under the same
relative path; a trial that another machine took over goes on from its last epoch where FOLDER is
shared as well, and begins again where it is not.

Examples:
  seentwice sweep adaptive_rooms.yaml workers=2
  seentwice sweep adaptive.yaml data=rooms backbone=compact    takes hours, the one above minutes
  seentwice sweep adaptive.yaml data.root=PHOTOS storage=postgresql://user@host/sweeps
"""
"""Shown by --help."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True, slots=True)
class SweepWords:
    """What was given, read."""

    file: Path
    workers: int
    sampler: str
    storage: str | None
    name: str | None
    folder: Path | None
    overrides: tuple[str, ...]  # of every trial


def read_words(arguments: Sequence[str]) -> SweepWords:
    """Read the words after the command.

    Raises:
        UserError: no file, a flag, a word twice, or a wrong value.
    """
    own: dict[str, str] = {}
    files, overrides = [], []
    for word in arguments:
        key, equals, value = word.partition("=")
        if word.startswith("-"):
            raise UserError(f"{word}: no such flag; see seentwice sweep --help")
        if equals and key in ("workers", "storage", "sampler", "name", "folder"):
            if key in own:
                raise UserError(f"{key} is given twice")
            own[key] = value
        elif equals or word.startswith("~"):
            overrides.append(word)
        else:
            files.append(word)
    if len(files) != 1:
        raise UserError(
            f"{files[1]!r} is not an override: write key=value"
            if files
            else "give the file of an experiment configuration, as in seentwice sweep adaptive.yaml"
        )
    keys = [key_of(word) for word in overrides]
    for key in keys:
        if keys.count(key) > 1:
            raise UserError(f"{key} is given twice")
    if any(key == "resume" for key in keys):
        raise UserError("resume: a sweep goes on by itself; give the command again as it was")
    return SweepWords(
        file=Path(files[0]),
        workers=_read_workers(own.get("workers", "1")),
        sampler=own.get("sampler", "searcher"),
        storage=_read_storage(own.get("storage")),
        name=_read_name(own.get("name")),
        folder=_read_folder(own.get("folder")),
        overrides=tuple(overrides),
    )


def _read_workers(text: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,3}", text):
        raise UserError(f"workers={text}: give a whole number of processes, 1 or more")
    return int(text)


def _read_storage(text: str | None) -> str | None:
    if text is not None and "://" not in text:
        raise UserError(
            "storage: give a URL, such as sqlite:///study.db or postgresql://user@host/name"
        )
    return text


def _read_name(text: str | None) -> str | None:
    if text is not None and not _NAME.fullmatch(text):
        raise UserError(f"name={text}: up to 100 letters, digits, '.', '_' and '-'")
    return text


def _read_folder(text: str | None) -> Path | None:
    if text is not None and not text.strip():
        raise UserError("folder: give a folder, or leave it out for outputs/sweep/NAME")
    return None if text is None else Path(text)

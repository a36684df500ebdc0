"""Run a command as a Hydra application, with errors of one line.

Hydra's own report of a wrong override takes ten lines or a traceback; here every error that the
user can mend is one line that names the choices, and the exit code is 2.
"""

import difflib
import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import hydra
import yaml
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, OverrideParseException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from seentwice.commands.file_errors import describe_file_error
from seentwice.commands.hydra_errors import describe_hydra_error
from seentwice.commands.option_help import (
    check_effects,
    describe_command,
    groups_of,
    keys_of,
)
from seentwice.commands.overrides import key_of
from seentwice.commands.provenance import find_checkout
from seentwice.commands.stopping import STOPPED, TERMINATED, sigterm_as_ctrl_c
from seentwice.errors import UserError

Run = Callable[[DictConfig], int | None]
"""Does the work of a command; what it returns is the exit code, None is 0."""

MENDABLE = (
    UserError,
    HydraException,
    OmegaConfBaseException,
    yaml.YAMLError,
    UnicodeDecodeError,  # a config that is not text
    OSError,  # no permission, no space
)

HELP_FLAGS = {"--help", "-h"}
MULTIRUN_FLAGS = {"--multirun", "-m"}
CONFIG_DIR_FLAGS = {"--config-dir", "-cd"}


def find_configs() -> Path:
    """Return the folder of the configs: the checkout's, or the one inside an installed package."""
    checkout = find_checkout(Path(__file__))
    if checkout is not None and (checkout / "configs").is_dir():
        return checkout / "configs"
    return Path(__file__).resolve().parents[1] / "configs"


def print_help(command: str, arguments: Sequence[str]) -> int:
    """Print a command's keys, of the options that the arguments choose, and return the exit code.

    Args:
        command: its name, also that of its primary config.
        arguments: what stands after it.
    """
    try:
        overrides, own = _split_words(arguments)
        _check_keys(command, overrides)
        folders = [find_configs(), *own]
        with initialize_config_dir(str(folders[0]), version_base="1.3"):
            config = compose(command, [*overrides, *_search_path(own)], return_hydra_config=True)
    except MENDABLE as error:
        return _fail(command, _one_line(error, command, arguments, None))
    choices = config.hydra.runtime.choices
    chosen = {}
    for group, options in groups_of(folders, command).items():
        # Hydra names no choice of a group of which several options are chosen, such as `head`.
        names = [choices[group]] if group in choices else (config.get(group) or ())
        chosen[group] = [str(name) for name in names if name in options]
    print(describe_command(folders, command, chosen), end="")
    return 0


def _split_words(arguments: Sequence[str]) -> tuple[list[str], list[Path]]:
    """Return the overrides beside --help, and the config folder of the user's own, if any.

    Raises:
        UserError: another flag, or no such folder.
    """
    overrides: list[str] = []
    folders: list[Path] = []
    words = iter(arguments)
    for word in words:
        flag, _, value = word.partition("=")
        if flag in CONFIG_DIR_FLAGS:
            folder = Path(value or next(words, ""))
            if not folder.is_dir():
                raise UserError(f"{flag}: {str(folder)!r} is no folder; name that of your configs")
            folders.append(folder.absolute())
        elif word.startswith("-") and word not in (*HELP_FLAGS, *MULTIRUN_FLAGS):
            raise UserError(f"{word}: is of no use beside --help; leave it out")
        elif not word.startswith("-"):
            overrides.append(word)
    return overrides, folders


def _search_path(folders: Sequence[Path]) -> list[str]:
    """Return what lets Hydra compose from these folders, too."""
    paths = ",".join(quote_value(f"file://{folder}") for folder in folders)
    return [f"hydra.searchpath=[{paths}]"] if folders else []


def run_application(command: str, run: Run, arguments: Sequence[str]) -> int:
    """Compose the configuration, run the command and return the exit code.

    Of several jobs of a --multirun it is the highest one.

    Args:
        command: its name, also that of its primary config.
        run: does the work; raises UserError where the user can mend the input.
        arguments: overrides and Hydra's flags.
    """
    if any(word.startswith("--experimental-rerun") for word in arguments):
        return _fail(command, "--experimental-rerun opens a pickle; repeat the overrides instead")
    # Makes Hydra raise instead of printing and exiting with 1.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    failed: list[str] = []
    codes = [0]
    sweeps: list[Path | None] = []

    def task(config: DictConfig) -> None:
        # Caught here as well, so that a wrong job of a --multirun does not end the others.
        try:
            check_effects(command, HydraConfig.get().overrides.task)
            codes.append(run(config) or 0)
        except MENDABLE as error:
            results = Path(HydraConfig.get().runtime.output_dir)
            failed.append(_one_line(error, command, arguments, results))
        finally:
            sweeps.append(_remove_empty_folder())

    program, sys.argv = sys.argv, [f"seentwice {command}", *arguments]
    terminated: list[int] = []
    try:
        with sigterm_as_ctrl_c(terminated):
            _check_keys(command, arguments)
            _check_choices(command, arguments)
            application = hydra.main(
                version_base="1.3", config_path=str(find_configs()), config_name=command
            )(task)
            application()
    except MENDABLE as error:
        failed.append(_one_line(error, command, arguments, None))
    except KeyboardInterrupt:
        print(f"seentwice {command}: stopped", file=sys.stderr)
        return TERMINATED if terminated else STOPPED
    except SystemExit as end:  # argparse's, for unknown flags
        return end.code if isinstance(end.code, int) else 2
    finally:
        sys.argv = program
        for sweep in filter(None, sweeps):
            _remove_record(sweep, "multirun.yaml")
            _remove_empty_parents(sweep)
    for line in failed:
        _fail(command, line)
    return 2 if failed else max(codes)


def compose_words(command: str, words: Sequence[str]) -> DictConfig:
    """Return the configuration that a command would have with these overrides.

    Raises:
        UserError: a key or a choice does not exist, or the command has no use for it.
    """
    try:
        _check_keys(command, words)
        check_effects(command, words)
        with initialize_config_dir(str(find_configs()), version_base="1.3"):
            return compose(command, list(words))
    except MENDABLE as error:
        raise UserError(_one_line(error, command, words, None)) from error


def _fail(command: str, message: str) -> int:
    print(f"seentwice {command}: {message}", file=sys.stderr)
    return 2


def _remove_empty_folder() -> Path | None:
    """Remove the folder that Hydra made for a run, or for a job of several, if it wrote nothing.

    Hydra's own record of the configuration is in it always. Only one that is named after the time
    was made by this run; what the user named may have been there before, and is kept.

    Returns:
        The folder above those of several jobs, if it was made by this run.
    """
    hydra_config = HydraConfig.get()
    is_one_of_several = hydra_config.mode is RunMode.MULTIRUN
    chosen = hydra_config.sweep if is_one_of_several else hydra_config.run
    if not re.search(r"\$\{now:.*%f", OmegaConf.to_yaml(chosen)):
        return None
    folder = Path(hydra_config.runtime.output_dir)
    _remove_record(folder, str(hydra_config.output_subdir))
    _remove_empty_parents(folder)
    return Path(hydra_config.runtime.cwd, str(chosen.dir)) if is_one_of_several else None


def _check_keys(command: str, arguments: Sequence[str]) -> None:
    """Refuse keys at the top and groups that the command does not have, and groups that are null.

    Hydra would add the former where a + stands before, and tell of the + where none does; nothing
    would read what was added.

    Raises:
        UserError: there is one.
    """
    groups = groups_of([find_configs()], command)
    known = {"hydra", *groups, *keys_of(find_configs(), command)}
    # Flags, and what follows some of them, are no overrides.
    words = [word for word in arguments if "=" in word and not word.startswith("-")]
    for word in words:
        group, _, choice = word.partition("=")
        if group in groups and choice.lower() == "null":  # which ends Hydra with a traceback
            raise UserError(f"{word}: choose one of {', '.join(groups[group])}, or leave it out")
    tops = [re.split(r"[./@:]", key_of(word), maxsplit=1)[0] for word in words]
    beside = [word for word, top in zip(words, tops, strict=True) if top in known]
    for top in tops:
        if top and top not in known:
            raise UserError(_unknown_key(top, command, beside))


def _check_choices(command: str, arguments: Sequence[str]) -> None:
    """Compose what a --multirun chooses among, each choice beside the first of the others.

    One that does not exist is so told before the first job has run, and Hydra has written nothing.

    Raises:
        HydraException: one cannot be composed.
    """
    flags = [word for word in arguments if word.startswith("-")]
    if not flags or not set(flags) <= MULTIRUN_FLAGS:
        return
    words = [word for word in arguments if word not in MULTIRUN_FLAGS]
    choices = []
    for override in OverridesParser.create().parse_overrides(words):
        if override.is_discrete_sweep():
            key = override.get_key_element()
            choices.append([f"{key}={value}" for value in override.sweep_string_iterator()])
        else:
            choices.append([str(override.input_line)])
    firsts = [words[0] for words in choices]
    with initialize_config_dir(str(find_configs()), version_base="1.3"):
        compose(command, firsts)
        for at, (first, *others) in enumerate(choices):
            # Other values are composed as the first one is.
            for word in others if _group_choices([first]) else ():
                compose(command, [*firsts[:at], word, *firsts[at + 1 :]])


def _remove_empty_parents(folder: Path) -> None:
    """Remove the folder of a command's runs, and that of all commands', where nothing is left."""
    if folder.exists() or folder.parts[-3:-2] not in (("outputs",), ("multirun",)):
        return
    for parent in folder.parents[:2]:
        try:
            parent.rmdir()
        except OSError:  # another run's are there
            return


def _remove_record(folder: Path, record: str) -> None:
    """Remove a folder in which nothing is but Hydra's record."""
    if folder.is_dir() and {path.name for path in folder.iterdir()} <= {record}:
        shutil.rmtree(folder, ignore_errors=True)


def quote_value(text: str) -> str:
    """Return the text as a value of an override, whatever Hydra's grammar would make of it."""
    # Hydra takes backslashes for escapes only where a quote follows.
    escaped = re.sub(r"(\\*)('|$)", lambda found: 2 * found[1] + found[2].replace("'", "\\'"), text)
    return f"'{escaped}'"


def _one_line(
    error: Exception, command: str, arguments: Sequence[str], results: Path | None
) -> str:
    """Return what is wrong and what to do.

    Args:
        error: one of `MENDABLE`.
        command: its name.
        arguments: what stood after it.
        results: the folder of the run's results; None before it was made.
    """
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OverrideParseException):
        return f"{error.override!r} is not an override: write key=value"
    if isinstance(error, yaml.YAMLError | UnicodeDecodeError):
        return f"a config cannot be read: {' '.join(str(error).split())}"
    # Hydra's error of a missing config is an OSError as well.
    if isinstance(error, OSError) and not isinstance(error, HydraException):
        return describe_file_error(error, results)
    text = f"{error}\n{error.__cause__ or ''}"
    unknown = re.search(r"full_key: (\S+)", text) if "not in struct" in text else None
    if unknown:
        return _unknown_key(unknown[1], command, arguments)
    return describe_hydra_error(error, command)


def _unknown_key(key: str, command: str, arguments: Sequence[str]) -> str:
    """Name the keys that stand beside one that does not exist."""
    parent, _, name = key.rpartition(".")
    config = _compose_groups(command, arguments)
    beside = OmegaConf.select(config, parent) if parent else config
    keys = map(str, beside) if isinstance(beside, DictConfig) else ()
    groups = () if parent else groups_of([find_configs()], command)
    names = sorted({*groups, *(choice for choice in keys if not choice.startswith("_"))})
    if not names:
        return f"no key {key!r}: {parent} has none"
    close = difflib.get_close_matches(name, names, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return f"no key {key!r}{hint}: choose one of {', '.join(names)}"


def _compose_groups(command: str, arguments: Sequence[str]) -> DictConfig:
    """Compose what the command starts from, with those arguments that choose a config of a group.

    Without them where they cannot be composed, such as with the choices of a --multirun.
    """
    with initialize_config_dir(str(find_configs()), version_base="1.3"):
        try:
            return compose(command, _group_choices(arguments))
        except (HydraException, OmegaConfBaseException):
            return compose(command)


def _group_choices(arguments: Sequence[str]) -> list[str]:
    """Return those arguments that choose an option of a group."""
    groups = {folder.name for folder in find_configs().iterdir() if folder.is_dir()}
    return [word for word in arguments if word.partition("=")[0].lstrip("+") in groups]

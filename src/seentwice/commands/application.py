"""Run a command as a Hydra application, with errors of one line.

Hydra's own report of a wrong override takes ten lines or a traceback; here every error that the
user can mend is one line that names the choices, and the exit code is 2.
"""

import difflib
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import hydra
import yaml
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from seentwice.commands.provenance import find_checkout
from seentwice.errors import UserError

Run = Callable[[DictConfig], None]

MENDABLE = (
    UserError,
    HydraException,
    OmegaConfBaseException,
    yaml.YAMLError,
    UnicodeDecodeError,  # a config that is not text
    OSError,  # no permission, no space
)

STOPPED = 130  # the shell's exit code for a program that Ctrl-C stopped


def find_configs() -> Path:
    """Return the folder of the configs: the checkout's, or the one inside an installed package."""
    checkout = find_checkout(Path(__file__))
    if checkout is not None and (checkout / "configs").is_dir():
        return checkout / "configs"
    return Path(__file__).resolve().parents[1] / "configs"


def run_application(command: str, examples: str, run: Run, arguments: Sequence[str]) -> int:
    """Compose the configuration, run the command and return the exit code.

    Args:
        command: its name, also that of its primary config.
        examples: shown by --help.
        run: does the work; raises UserError where the user can mend the input.
        arguments: overrides and Hydra's flags.
    """
    if any(word.startswith("--experimental-rerun") for word in arguments):
        return _fail(command, "--experimental-rerun opens a pickle; repeat the overrides instead")
    # Makes Hydra raise instead of printing and exiting with 1.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    failed: list[Exception] = []

    def task(config: DictConfig) -> None:
        # Caught here as well, so that a wrong job of a --multirun does not end the others.
        try:
            run(config)
        except MENDABLE as error:
            failed.append(error)

    program, sys.argv = sys.argv, [f"seentwice {command}", *arguments]
    help_text = f"hydra.help.footer={quote_value(_footer(examples))}"
    sys.argv += [help_text] if {"--help", "-h"} & set(arguments) else []
    try:
        application = hydra.main(
            version_base="1.3", config_path=str(find_configs()), config_name=command
        )(task)
        application()
    except MENDABLE as error:
        failed.append(error)
    except KeyboardInterrupt:
        print(f"seentwice {command}: stopped", file=sys.stderr)
        return STOPPED
    except SystemExit as end:  # argparse's, for --help and for unknown flags
        return end.code if isinstance(end.code, int) else 2
    finally:
        sys.argv = program
    for failure in failed:
        _fail(command, _one_line(failure, command, arguments))
    return 2 if failed else 0


def _fail(command: str, message: str) -> int:
    print(f"seentwice {command}: {message}", file=sys.stderr)
    return 2


def _footer(examples: str) -> str:
    return f"Examples:\n{examples}\nHydra's own flags: --hydra-help"


def quote_value(text: str) -> str:
    """Return the text as a value of an override, whatever Hydra's grammar would make of it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _one_line(error: Exception, command: str, arguments: Sequence[str]) -> str:
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OverrideParseException):
        return f"{error.override!r} is not an override: write key=value"
    if isinstance(error, yaml.YAMLError | UnicodeDecodeError):
        return f"a config cannot be read: {' '.join(str(error).split())}"
    # Hydra's error of a missing config is an OSError as well.
    if isinstance(error, OSError) and not isinstance(error, HydraException):
        return str(error)
    text = f"{error}\n{error.__cause__ or ''}"
    missing = re.search(r"Missing mandatory value: (\S+)", text)
    if missing:
        return f"{missing[1]} needs a value: give {missing[1]}=VALUE"
    unknown = re.search(r"full_key: (\S+)", text) if "not in struct" in text else None
    if unknown:
        return _unknown_key(unknown[1], command, arguments)
    text = str(error).split("Config search path:")[0]
    text = re.sub(r"\s*\n\s*\n?\t?", " ", text.split("Set the environment variable")[0])
    return re.sub(r"\s+", " ", text).strip()


def _unknown_key(key: str, command: str, arguments: Sequence[str]) -> str:
    """Name the keys that stand beside one that does not exist."""
    parent, _, name = key.rpartition(".")
    config = _compose_groups(command, arguments)
    beside = OmegaConf.select(config, parent) if parent else config
    names = sorted(str(choice) for choice in beside) if isinstance(beside, DictConfig) else []
    if not names:
        return f"no key {key!r}: {parent} has none"
    close = difflib.get_close_matches(name, names, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return f"no key {key!r}{hint}: choose one of {', '.join(names)}"


def _compose_groups(command: str, arguments: Sequence[str]) -> DictConfig:
    """Compose what the command starts from, with those arguments that choose a config of a group.

    Without them where they cannot be composed, such as with the choices of a --multirun.
    """
    groups = {folder.name for folder in find_configs().iterdir() if folder.is_dir()}
    chosen = [word for word in arguments if word.partition("=")[0].lstrip("+") in groups]
    with initialize_config_dir(str(find_configs()), version_base="1.3"):
        try:
            return compose(command, chosen)
        except (HydraException, OmegaConfBaseException):
            return compose(command)

import os
import signal
import subprocess
import sys
from argparse import ArgumentTypeError
from importlib import import_module

import pytest

from seentwice.commands.main import OPTION_COMMANDS, main
from seentwice.commands.options import OptionParser, run_options, whole_number
from seentwice.errors import UserError


def raising(error: BaseException):
    def run(arguments):
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UserError("no such thing"), 2, "seentwice dust: no such thing"),
        (UserError("odd \x1b[31m"), 2, r"seentwice dust: odd \x1b[31m"),
        (OSError(28, "No space left on device"), 2, "No space left on device"),
        (KeyboardInterrupt(), 130, "seentwice dust: stopped; go on so"),
    ],
)
def test_errors_are_one_line_and_an_exit_code(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_options("dust", raising(error), "go on so", []) == code
    (shown,) = capsys.readouterr().err.splitlines()
    assert line in shown


def test_sigterm_ends_it_as_ctrl_c_does(capsys: pytest.CaptureFixture[str]) -> None:
    def be_terminated(arguments):
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    assert run_options("dust", be_terminated, "go on so", []) == 143
    assert capsys.readouterr().err == "seentwice dust: stopped; go on so\n"
    assert signal.getsignal(signal.SIGTERM) == before


def test_other_errors_are_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        run_options("dust", raising(ZeroDivisionError()), "", [])


def test_a_run_that_ends_well_gives_0() -> None:
    assert run_options("dust", lambda arguments: None, "", []) == 0


def test_a_parsers_errors_name_its_help() -> None:
    parser = OptionParser("dust", "Dusts.", "  seentwice dust SHELF\n")
    parser.add_argument("shelf")
    with pytest.raises(UserError, match=r"required: shelf; see seentwice dust --help"):
        parser.parse_args([])


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["mop=dry mop"], r"mop=dry mop: no such argument; give --mop 'dry mop'; see"),
        (["a", "wet=1"], r"wet=1: no such argument; give --wet; see"),
        (["a", "wets=1"], r"wets=1: no such argument; give --wet; see"),
        (["a", "--mopp=2"], r"--mopp=2: no such argument; give --mop; see"),
        (["a", "--broom"], r"unrecognized arguments: --broom; see"),
        (["a", "b=c"], r"unrecognized arguments: b=c; see"),
    ],
)
def test_what_is_nearly_an_option_is_answered_by_it(words: list[str], complaint: str) -> None:
    parser = OptionParser("dust", "Dusts.", "  seentwice dust SHELF\n")
    parser.add_argument("shelf")
    parser.add_argument("--mop")
    parser.add_argument("--wet", action="store_true")
    with pytest.raises(UserError, match=complaint):
        parser.parse(words)
    assert parser.parse(["a=b", "--mop", "dry"]).shelf == "a=b"
    assert parser.parse(["--mop=mop=1", "--", "wet=1"]).shelf == "wet=1"


@pytest.mark.parametrize("text", ["1_0", " 7", "+7", "-7", "٧", "7\n", "9" * 5000, "", "0"])
def test_what_is_no_plain_number_in_range_is_refused(text: str) -> None:
    assert whole_number(1)("7") == 7
    with pytest.raises(ArgumentTypeError, match="give a whole number, 1 or more"):
        whole_number(1)(text)


@pytest.mark.parametrize("command", sorted(OPTION_COMMANDS))
def test_help_shows_options_and_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"seentwice {command} " in text.split("Examples:")[1]
    assert import_module(f"seentwice.commands.{command}").ON_STOP


@pytest.mark.parametrize("command", sorted(OPTION_COMMANDS))
def test_help_waits_for_no_slow_library(command: str) -> None:
    code = (
        f"import sys; from seentwice.commands.main import main; main(['{command}', '--help']);"
        "print(sorted({'torch', 'mlflow', 'hydra', 'pandas', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", sorted(OPTION_COMMANDS))
def test_an_unknown_option_is_one_line(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--frobnicate"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"seentwice {command}: ")

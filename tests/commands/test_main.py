import importlib
import subprocess
import sys

import pytest
import yaml

from seentwice import __version__
from seentwice.commands.main import COMMANDS, OPTION_COMMANDS, main


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_help_lists_the_commands(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    text = capsys.readouterr().out
    assert all(f"  {command}" in text for command in (*COMMANDS, *OPTION_COMMANDS))
    configured, _, options = text.partition("Commands for use")
    assert "--cfg job" in configured
    assert "--cfg" not in options


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"seentwice {__version__}\n"


def test_help_loads_none_of_the_slow_libraries() -> None:
    code = (
        "import sys; from seentwice.commands.main import main; main(['--help']);"
        "print(sorted({'torch', 'mlflow', 'hydra', 'numpy', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_cfg_job_prints_the_configuration_and_runs_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["compare", "--cfg", "job", "seed=7", "head=[l1]"]) == 0
    config = yaml.safe_load(capsys.readouterr().out)
    assert config["seed"] == 7
    assert list(config["head"]) == ["l1"]


@pytest.mark.parametrize("command", ["dedupe", "compare"])
def test_ctrl_c_while_a_command_is_imported_ends_in_a_line(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib, "import_module", stop)
    assert main([command, "anything"]) == 130
    assert capsys.readouterr().err == f"seentwice {command}: stopped\n"

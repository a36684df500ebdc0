import re
import subprocess
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import PIL
import pytest

from seentwice.commands import provenance
from seentwice.commands.provenance import (
    LIBRARIES,
    commit_of,
    describe_machine,
    find_checkout,
    git_commit,
    library_versions,
)

ROOT = Path(__file__).resolve().parents[2]


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    command = ["git", "-C", str(folder), *identity, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def make_repository(folder: Path, project: str) -> str:
    """Make a repository of a project; return its one commit."""
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(f"[project]\nname = '{project}'\n")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    return git(folder, "rev-parse", "HEAD")


def test_the_commit_is_that_of_the_checkout(tmp_path: Path) -> None:
    commit = make_repository(tmp_path / "seentwice", "seentwice")
    module = tmp_path / "seentwice" / "src" / "seentwice" / "commands" / "provenance.py"
    assert find_checkout(module) == tmp_path / "seentwice"
    assert commit_of(tmp_path / "seentwice") == commit
    (tmp_path / "seentwice" / "new.py").touch()
    assert commit_of(tmp_path / "seentwice") == f"{commit}+"


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
def test_these_tests_run_in_the_commit_that_is_told() -> None:
    commit = git_commit()
    assert commit is not None
    assert commit.removesuffix("+") == git(ROOT, "rev-parse", "HEAD")


@pytest.mark.parametrize(
    "inside", ["src/seentwice", ".venv/lib/python3.11/site-packages/seentwice"]
)
def test_the_commit_of_another_project_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    make_repository(tmp_path / "other", "other")
    module = tmp_path / "other" / inside / "commands" / "provenance.py"
    module.parent.mkdir(parents=True)
    module.touch()
    monkeypatch.setattr(provenance, "__file__", str(module))
    assert git_commit() is None


def test_an_unpacked_archive_inside_a_repository_has_no_commit(tmp_path: Path) -> None:
    make_repository(tmp_path / "other", "other")
    unpacked = tmp_path / "other" / "seentwice"
    unpacked.mkdir()
    assert commit_of(unpacked) is None
    assert commit_of(tmp_path) is None


def test_the_machine_is_told_with_cores_and_memory() -> None:
    assert re.search(r", \d+ cores, \d+ GiB", describe_machine())


def test_the_versions_hold_what_results_depend_on() -> None:
    found = library_versions()
    assert {"python", "seentwice", "torch", "pytorch-lightning", "pillow"} <= set(found)
    assert found["pillow"] == PIL.__version__


def test_of_extras_those_that_are_installed_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {**dict.fromkeys(LIBRARIES, "1"), "timm": "2"}

    def version(name: str) -> str:
        if name not in installed:
            raise PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(provenance, "version", version)
    assert library_versions().keys() == {"python", "seentwice", "timm", *LIBRARIES}
    del installed["torch"]
    with pytest.raises(PackageNotFoundError, match="torch"):
        library_versions()

"""What the pages claim is what the experiments wrote, and what they link to is there."""

import json
import re
from pathlib import Path

import pytest

from experiments.sweep_table import write_table

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "data").glob("*.md"),
        *(ROOT / "checkpoints").glob("*.md"),
        *(ROOT / "experiments").rglob("*.md"),
    ]
)
EXPERIMENTS = sorted(path.parent for path in (ROOT / "experiments").rglob("results.json"))
SWEEPS = sorted(page for page in PAGES if "sweep_table.py experiments/" in page.read_text())


def table_rows(text: str) -> set[str]:
    """The rows that start with the name of a detector and give its figures with intervals."""
    return {line for line in text.splitlines() if re.match(r"\| \w+ \| \d\.\d+ \[.*\[", line)}


WRITTEN = set().union(*(table_rows((folder / "results.md").read_text()) for folder in EXPERIMENTS))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_row_of_results_was_written_by_an_experiment(page: Path) -> None:
    assert table_rows(page.read_text()) <= WRITTEN


def python_examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_the_readmes_python_embeds(
    few_rooms: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As it stands, but for the weights, which would be a download."""
    example, _ = python_examples()
    (tmp_path / "PHOTOS").symlink_to(few_rooms, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    assert example.count('"imagenet"') == 1
    exec(example.replace('"imagenet"', '"none"'), {})
    text = capsys.readouterr().out
    assert "(16, 960) ()" in text
    assert text.endswith("(12, 960) ()\n")


def test_the_readmes_python_scores(
    registered_training: Path,
    few_rooms: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, example = python_examples()
    for name, photo in zip(("A.jpg", "B.jpg"), sorted(few_rooms.rglob("*.jpg")), strict=False):
        (tmp_path / name).symlink_to(photo)
    (tmp_path / "outputs" / "train").mkdir(parents=True)
    (tmp_path / "outputs" / "train" / "TIME").symlink_to(registered_training)
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"0\.\d+ (True|False) None", first)
    assert second == "None None right: empty (0 bytes)"


def test_the_readme_shows_the_table_of_homes_never_seen() -> None:
    shown = (ROOT / "experiments" / "property_rooms" / "results.md").read_text()
    assert shown in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", SWEEPS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_table_of_a_sweep_is_what_its_command_prints(page: Path) -> None:
    text = page.read_text()
    commands = re.findall(r"sweep_table\.py (experiments/\w+)((?: \w+)+)", text)
    assert commands
    for folder, runs in commands:
        assert write_table(ROOT / folder, runs.split()) in text


@pytest.mark.parametrize(
    "folder", EXPERIMENTS, ids=lambda folder: str(folder.relative_to(ROOT / "experiments"))
)
def test_every_experiment_says_how_it_was_made(folder: Path) -> None:
    results = json.loads((folder / "results.json").read_text())
    assert re.match(r"seentwice compare (.+ )?experiment=\w+", results["command"])
    assert results["machine"]
    assert not (results["git_commit"] or "+").endswith("+"), "files had changed since the commit"
    assert (folder / "config.yaml").is_file()


def test_no_photo_is_committed_but_of_rendered_rooms() -> None:
    photos = [
        path.relative_to(ROOT).as_posix()
        for folder in ("experiments", "benchmarks", "configs", "src", "tests")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".jpg", ".jpeg", ".html")
    ]
    assert photos == ["experiments/rooms/rooms.jpg"]

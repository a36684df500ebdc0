"""What the pages claim is what the experiments wrote, and what they link to is there."""

import re
import shutil
from pathlib import Path

import pytest

from experiments.tables import fill_tables

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "data").glob("*.md"),
        *(ROOT / "checkpoints").glob("*.md"),
        *(ROOT / "experiments").rglob("*.md"),
    ]
)


def table_rows(text: str) -> set[str]:
    """The rows that start with the name of a detector and give its figures with intervals."""
    return {line for line in text.splitlines() if re.match(r"\| \w+ .*\| \d\.\d+ \[.*\[", line)}


def test_the_readmes_python_deduplicates(
    few_rooms: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    example = next(each for each in python_examples() if "find_duplicates" in each)
    (tmp_path / "PHOTOS").mkdir()
    for number, photo in enumerate(sorted(few_rooms.rglob("*_1.jpg"))[:3]):
        shutil.copy(photo, tmp_path / "PHOTOS" / f"{number}.jpg")
    for copy in ("PHOTOS/copy.jpg", "A.jpg"):
        shutil.copy(tmp_path / "PHOTOS" / "1.jpg", tmp_path / copy)
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    group, matches = capsys.readouterr().out.splitlines()
    assert group == f"{tmp_path / 'PHOTOS' / '1.jpg'} [('copy.jpg', 1.0)]"
    assert matches.count("Evidence.SAME_BYTES") == 2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_table_of_results_is_what_was_measured(page: Path) -> None:
    text = page.read_text()
    assert fill_tables(text) == text, "python -m experiments.tables renews it"
    # Those of a results.json, and of triplets, are tested with what wrote them.
    made = r"<!-- (?:table|heads|labels|results|triplets) .*?<!-- end -->"
    by_hand = re.sub(made, "", text, flags=re.DOTALL)
    assert not table_rows(by_hand)


def python_examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_the_readmes_python_embeds(
    few_rooms: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As it stands, but for the weights, which would be a download."""
    example = next(each for each in python_examples() if "embed_photos" in each)
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
    example = next(each for each in python_examples() if "open_scorer" in each)
    for name, photo in zip(("A.jpg", "B.jpg"), sorted(few_rooms.rglob("*.jpg")), strict=False):
        (tmp_path / name).symlink_to(photo)
    (tmp_path / "outputs" / "train").mkdir(parents=True)
    (tmp_path / "outputs" / "train" / "TIME").symlink_to(registered_training)
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"0\.\d+ (True|False) None", first)
    assert second == "None None right: empty (0 bytes)"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_no_photo_is_committed_but_rendered_ones() -> None:
    photos = [
        path.relative_to(ROOT).as_posix()
        for folder in ("experiments", "benchmarks", "configs", "src", "tests")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".jpg", ".jpeg", ".html")
    ]
    rendered = ["experiments/house_styles/fronts.jpg", "experiments/rooms/rooms.jpg"]
    pages = ["src/seentwice/web/page/docs.html", "src/seentwice/web/page/index.html"]
    assert sorted(photos) == [*rendered, *pages]

"""The wheel holds all that the commands need, and works where there is no checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_every_module_config_and_template_is_inside(unpacked: Path) -> None:
    configs = [path.relative_to(ROOT) for path in (ROOT / "configs").rglob("*.*")]
    data = {*configs, Path("checkpoints/README.md")}
    package = ROOT / "src" / "seentwice"
    files = {path.relative_to(package) for path in package.rglob("*.*")}
    packed = unpacked / "seentwice"
    assert {path for path in files if "__pycache__" not in path.parts} | data == {
        path.relative_to(packed) for path in packed.rglob("*.*")
    }


BOTH = """
import sys
from seentwice.commands.main import main

if main(["prepare", *sys.argv[1:]]) == 0:
    sys.exit(main(["prepare", "data=nothing"]))
"""


def test_outside_the_checkout_it_knows_what_is_published(unpacked: Path, tmp_path: Path) -> None:
    code = "import sys; from seentwice.commands.main import main; sys.exit(main(['download']))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_outside_the_checkout_it_renders_rooms_and_lists_its_own_configs(
    unpacked: Path, tmp_path: Path
) -> None:
    words = ["data.train_places=2", "data.test_places=1", "data.width_px=32", "data.height_px=24"]
    done = subprocess.run(
        [sys.executable, "-c", BOTH, *words, "data.workers=1"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "rooms: 12 photos of 3 places" in done.stdout
    assert "airbnb catalogue folder fronts house_fronts houses" in done.stderr
    assert (tmp_path / "data" / "raw" / "rooms" / "rooms.json").is_file()

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


def run(unpacked: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from seentwice.commands.main import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_config_and_template_is_inside(unpacked: Path) -> None:
    for folder, inside in (("configs", "configs"), ("src/seentwice/templates", "templates")):
        files = {path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob("*.*")}
        packed = unpacked / "seentwice" / inside
        assert files == {path.relative_to(packed) for path in packed.rglob("*.*")}


def test_the_unpacked_package_renders_rooms_outside_the_checkout(
    unpacked: Path, tmp_path: Path
) -> None:
    words = ["data.train_places=2", "data.test_places=1", "data.width_px=32", "data.height_px=24"]
    done = run(unpacked, tmp_path, "prepare", *words, "data.workers=1")
    assert done.returncode == 0, done.stderr
    assert "rooms: 12 photos of 3 places" in done.stdout
    assert (tmp_path / "data" / "raw" / "rooms" / "rooms.json").is_file()


def test_it_lists_its_own_configs(unpacked: Path, tmp_path: Path) -> None:
    done = run(unpacked, tmp_path, "compare", "backbone=nothing")
    assert done.returncode == 2
    assert "compact efficientnet_b0 googlenet mobilenet_v2" in done.stderr

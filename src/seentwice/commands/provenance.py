"""What a result must say of where it came from."""

import os
import platform
import subprocess
import tomllib
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from seentwice import __version__

LIBRARIES = (
    *("torch", "torchvision", "pytorch-lightning", "numpy", "scipy", "scikit-learn"),
    # Of pixels, and of the hashes that choose negatives.
    *("pillow", "imagehash"),
)
OF_EXTRAS = ("timm", "openvino", "opencv-python-headless", "opencv-python")
"""Those that compute features, where they are installed."""
# What no result depends on: results, pages that show them, and tests.
_ANSWERS = ("benchmarks/results", "experiments", "README.md", "tests")


def library_versions() -> dict[str, str]:
    """Return the versions of Python, of this package and of the libraries results depend on."""
    # This one need not be installed: a cluster runs it from its folder.
    own = {"python": platform.python_version(), "seentwice": __version__}
    found = {name: version(name) for name in LIBRARIES}
    for name in OF_EXTRAS:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return own | found


def find_checkout(module: Path) -> Path | None:
    """Return this project's checkout that a module lies in; None for an installed package.

    Args:
        module: a file of `seentwice.commands`.
    """
    checkout = module.resolve().parents[3]
    try:
        project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return checkout if project.get("project", {}).get("name") == "seentwice" else None


def git_commit() -> str | None:
    """Return the checkout's commit, with "+" if files changed since; None outside a checkout."""
    checkout = find_checkout(Path(__file__))
    return None if checkout is None else commit_of(checkout)


def commit_of(checkout: Path) -> str | None:
    """Return the commit of a repository's top folder, with "+" if files changed since.

    None where the folder is no repository, or only lies in one: that one's commits say nothing.
    """
    try:
        if Path(_git(checkout, "rev-parse", "--show-toplevel")) != checkout.resolve():
            return None
        commit = _git(checkout, "rev-parse", "HEAD")
        others = [f":!{answer}" for answer in _ANSWERS]
        changed = _git(checkout, "status", "--porcelain", "--", ".", *others)
        return commit + ("+" if changed else "")
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def describe_machine() -> str:
    """Return processor, cores, memory and, where there is one, the GPU."""
    import torch

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB{gpu}"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return models[0] if models else platform.machine()

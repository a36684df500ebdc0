"""The files that an interrupted training goes on from."""

from pathlib import Path

LAST, BEST = "last.ckpt", "best.ckpt"  # as Lightning names what `training` asks it to keep


def remove_resume_files(folder: Path) -> None:
    """Remove what a training goes on with: it weighs many times what its checkpoint does."""
    for path in (folder / LAST, folder / BEST, *folder.glob(".*.partial")):
        path.unlink(missing_ok=True)

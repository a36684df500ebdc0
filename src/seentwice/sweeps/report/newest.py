"""Which sweep was reported last."""

from pathlib import Path

from seentwice.errors import UserError
from seentwice.sweeps.report.page import RESULTS


def find_newest(root: Path, otherwise: Path | None = None) -> Path:
    """Return the folder of the sweep, of those whose folders are right in `root`.

    Args:
        root: of the folders.
        otherwise: a sweep to take where there is none, if its own folder holds one.

    Raises:
        UserError: there is none.
    """
    found = max(root.glob(f"*/{RESULTS}"), key=lambda path: path.stat().st_mtime_ns, default=None)
    if found is None and otherwise is not None and (otherwise / RESULTS).is_file():
        return otherwise
    if found is None:
        raise UserError(
            f"{root}: no sweep has reported there; run seentwice sweep adaptive_rooms.yaml, or "
            "name the folder of another"
        )
    return found.parent

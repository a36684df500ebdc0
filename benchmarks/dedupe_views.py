"""Groups among photos that show the same places from other angles, which are no copies."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dedupe_ours import HASHES_ALONE, group_folder, verify_by_checkpoint

THREADS = os.cpu_count() or 1


def measure_views(photos: Path, weights: str, detectors: Sequence[Path]) -> dict[str, object]:
    """Group the photos by hashes alone, and with checkpoints, confirmed by key points and not.

    Args:
        photos: any folder with several photos of a place.
        weights: of the checkpoints' trunk.
        detectors: checkpoints of ours.
    """
    with tempfile.TemporaryDirectory() as temporary:
        index = Path(temporary) / "index"
        ways = {"hashes alone": (HASHES_ALONE, True)}
        for checkpoint in detectors:
            opened = verify_by_checkpoint(photos, checkpoint, weights, THREADS)
            ways[f"{checkpoint.stem}, unconfirmed"] = (opened, False)
            ways[checkpoint.stem] = (opened, True)
        found = {}
        for name, (opened, is_confirmed) in ways.items():
            duplicates = group_folder(photos, index, THREADS, opened, is_confirmed).duplicates
            found[name] = {
                "groups": len(duplicates.groups),
                "could_go": sum(len(group.photos) - 1 for group in duplicates.groups),
                "links": len(duplicates.links),
            }
        return {"photos": duplicates.searched, "ways": found}

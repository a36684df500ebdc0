"""The folder that variants are written to: it belongs to one set of photos and settings."""

import json
from dataclasses import asdict
from pathlib import Path

from seentwice.data.variants.plan import VariantSettings
from seentwice.errors import UserError
from seentwice.files import write_atomically

SETTINGS_FILE = "variants.json"
_WRITING = 1
"""Raised with every change of names or pixels, so that no folder mixes two kinds."""


def claim_folder(out: Path, photos: Path, settings: VariantSettings, fingerprint: str) -> bool:
    """Make the folder these variants' own.

    Args:
        out: absent, empty, or claimed for the very same variants before.
        photos: where the photos are; `out` lies elsewhere.
        settings: what is written.
        fingerprint: of the photos.

    Returns:
        Whether it was theirs already: what is there stays, what is missing is made.

    Raises:
        UserError: it lies in the photos' folder, or holds something else.
        OSError: it cannot be made or written.
    """
    if out.resolve().is_relative_to(photos.resolve()):
        raise UserError(
            f"{str(out)!r} lies in the photos' folder {str(photos)!r}, where copies would be taken "
            "for photos; choose a folder elsewhere"
        )
    wanted = {**asdict(settings), "edits": list(settings.edits)}
    wanted |= {"photos": fingerprint, "writing": _WRITING}
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        _check_claim(out, wanted)
        return True
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(out / SETTINGS_FILE, json.dumps(wanted, indent=2) + "\n")
    return False


def _check_claim(out: Path, wanted: dict[str, object]) -> None:
    file = out / SETTINGS_FILE
    if not file.is_file():
        raise UserError(
            f"{str(out)!r} holds something other than variants; choose an empty or a new folder"
        )
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # no JSON, or no UTF-8
        raise UserError(
            f"{str(file)!r} is not JSON ({error}); delete its folder or choose a new one"
        ) from error
    if not isinstance(found, dict):
        raise UserError(f"{str(file)!r} holds no settings; delete its folder or choose a new one")
    for name, value in wanted.items():
        if found.get(name) != value:
            differs = (
                "the photos have changed since"
                if name == "photos"
                else f"{name} was {found.get(name)!r} where it is {value!r} now"
            )
            raise UserError(
                f"{str(out)!r} holds other variants: {differs}; choose a new folder, or delete it"
            )

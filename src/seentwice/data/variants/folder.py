"""The folder that variants are written to: it belongs to one set of photos and settings."""

import json
import os
import re
from dataclasses import asdict
from pathlib import Path

import PIL

from seentwice.data.variants.plan import VariantSettings
from seentwice.errors import UserError
from seentwice.files import write_atomically

SETTINGS_FILE = "variants.json"
_WRITING = 2
"""Raised with every change of names or pixels, so that no folder mixes two kinds."""

_PARTIAL = re.compile(r"\.[0-9a-f]+\.partial")
"""What `open_atomically` leaves where it is killed."""


def claim_folder(out: Path, photos: Path, settings: VariantSettings, fingerprint: str) -> bool:
    """Make the folder these variants' own, and clear it of what a killed run left half written.

    Only one run writes to a folder at a time. Pillow's version is one of the settings, since
    another may round pixels otherwise.

    Args:
        out: absent, empty, or claimed for the very same variants before.
        photos: where the photos are; `out` lies elsewhere.
        settings: what is written.
        fingerprint: of the photos.

    Returns:
        Whether it was theirs already: what is there stays, what is missing is made.

    Raises:
        UserError: it lies in the photos' folder or in that of other variants, or holds something
            else.
        OSError: it cannot be made or written.
    """
    if out.resolve().is_relative_to(photos.resolve()):
        raise UserError(
            f"{str(out)!r} lies in the photos' folder {str(photos)!r}, where copies would be taken "
            "for photos; choose a folder elsewhere"
        )
    above = [folder for folder in out.resolve().parents if (folder / SETTINGS_FILE).is_file()]
    if above:
        raise UserError(
            f"{str(out)!r} lies in {str(above[0])!r}, which holds other variants; choose a folder "
            "elsewhere"
        )
    wanted = {**asdict(settings), "edits": list(settings.edits)}
    wanted |= {"photos": fingerprint, "pillow": PIL.__version__, "writing": _WRITING}
    if out.exists() and (not out.is_dir() or any(map(_is_whole, out.iterdir()))):
        _check_claim(out, wanted)
        _sweep(out)
        return True
    _sweep(out)
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(out / SETTINGS_FILE, json.dumps(wanted, indent=2) + "\n")
    return False


def _is_whole(path: Path) -> bool:
    return _PARTIAL.fullmatch(path.name) is None


def _sweep(out: Path) -> None:
    for folder, _, files in os.walk(out):
        for path in (Path(folder, name) for name in files if name.startswith(".")):
            if not _is_whole(path):
                path.unlink(missing_ok=True)


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

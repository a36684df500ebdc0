"""HEIC, which phones write: decoded where the extra `heic` is installed."""

from functools import cache
from importlib.util import find_spec

from PIL import ImageFile


@cache
def heic_plugin() -> type[ImageFile.ImageFile] | None:
    """Return Pillow's plugin of HEIC, or None where it is not installed.

    It turns photos by the container's own marks, and leaves EXIF none to turn by.
    """
    if find_spec("pillow_heif") is None:
        return None
    from pillow_heif import HeifImageFile  # type: ignore[import-untyped,unused-ignore]

    plugin: type[ImageFile.ImageFile] = HeifImageFile
    return plugin

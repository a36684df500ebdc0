"""Views of photos as the small pictures of a page."""

from collections.abc import Callable

from PIL import Image

from seentwice.edits import apply_edit
from seentwice.pages import Thumbnail, make_thumbnail
from seentwice.photos import PhotoError, read_photo
from seentwice.records import View

LoadView = Callable[[View], Image.Image]
"""Decodes a view again; raises PhotoError where the file has gone."""


def view_loader(max_pixels: int) -> LoadView:
    """Return what decodes a view from its file, at most so many pixels."""

    def load(view: View) -> Image.Image:
        image = read_photo(view.photo.path, max_pixels)
        return apply_edit(image, view.edit) if view.edit else image

    return load


def show_view(view: View, load_view: LoadView) -> Thumbnail:
    """Return the view's thumbnail, or why there is none."""
    try:
        return Thumbnail(make_thumbnail(load_view(view)), name_of(view))
    except PhotoError as error:
        return Thumbnail(None, name_of(view), error.unreadable.reason.value)


def name_of(view: View) -> str:
    """Return the photo's key, with the edit where there is one."""
    return f"{view.photo.key} ({view.edit})" if view.edit else view.photo.key

"""Rows of photos for notebooks: pairs with what their scores rest on, and nearest neighbours."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from seentwice.compare.photo_plots import RIGHT, WRONG, Pixels, ShownPhoto, fit_photo, lay_over
from seentwice.detectors.occlusion import map_gradient, map_occlusion
from seentwice.detectors.opened_net import OpenedNet
from seentwice.photos import read_photo
from seentwice.records import View

MAX_PIXELS = 10**8
_PATCH = 5  # patches as wide as a photo's shorter side
_STEPS = 3  # in which a patch moves by its own width


def read_thumbnails(views: Sequence[View], width_px: int, height_px: int) -> list[Pixels]:
    """Decode photos, small as they are to be seen.

    Raises:
        PhotoError: a file that gives no photo.
    """
    return [
        fit_photo(read_photo(view.photo.path, MAX_PIXELS), width_px, height_px) for view in views
    ]


def name_view(view: View) -> str:
    """Return the name of a photo's file, without folder and ending."""
    return view.photo.path.stem


def explain_pair(
    opened: OpenedNet, looks: Tensor, views: Sequence[View], left: int, right: int, score: float
) -> list[ShownPhoto]:
    """Return both photos of a pair, and over the left one what its logit rests on, in two ways.

    Where a map is red, the pair loses logits with the photo blank there; where it is blue, it gains
    some. See `map_occlusion` and `map_gradient`.

    Args:
        opened: the net.
        looks: (v, 3, h, w) of all views.
        views: v of them.
        left: index into the views.
        right: likewise.
        score: of the pair, a probability.
    """
    of_left = opened.score_beside(looks[right])
    patch_px = min(looks.shape[2:]) // _PATCH
    step_px = patch_px // _STEPS
    by_patch = map_occlusion(of_left, looks[left], patch_px, step_px).numpy()
    # Finer, since it costs nothing.
    by_gradient = map_gradient(of_left, looks[left], patch_px // 2, step_px // 2).numpy()
    shown, beside = read_thumbnails([views[left], views[right]], 160, 120)
    return [
        ShownPhoto(shown, name_view(views[left])),
        ShownPhoto(beside, name_view(views[right])),
        ShownPhoto(
            lay_over(shown, by_patch),
            f"score {score:.3f}; patch, ±{np.abs(by_patch).max():.1f}",
        ),
        ShownPhoto(
            lay_over(shown, by_gradient), f"gradient × pixel, ±{np.abs(by_gradient).max():.1f}"
        ),
    ]


def rank_neighbours(
    opened: OpenedNet, embeddings: Tensor
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return for each of v photos the others by their scores with it, highest first.

    Returns:
        Indices (v, v - 1), and scores (v, v - 1).
    """
    photos = len(embeddings)
    left, right = (sides.ravel() for sides in np.indices((photos, photos)))
    scores = opened.score(embeddings, left, right).reshape(photos, photos)
    np.fill_diagonal(scores, -1.0)  # below every probability: last
    order = np.argsort(-scores, axis=1, kind="stable")[:, :-1]
    return order, np.take_along_axis(scores, order, axis=1)


def show_neighbours(
    views: Sequence[View],
    query: int,
    order: NDArray[np.int64],
    scores: NDArray[np.float64],
    count: int,
) -> list[ShownPhoto]:
    """Return a photo and its nearest neighbours, framed by whether they show the same place.

    Args:
        views: v of them.
        query: index of the photo.
        order: (v, n) of `rank_neighbours`.
        scores: (v, n) likewise.
        count: neighbours to show.
    """
    chosen = order[query, :count]
    pixels = read_thumbnails([views[query], *(views[index] for index in chosen)], 160, 120)
    place = views[query].photo.place
    return [
        ShownPhoto(pixels[0], name_view(views[query])),
        *(
            ShownPhoto(small, f"{score:.2f}", RIGHT if views[index].photo.place == place else WRONG)
            for small, index, score in zip(pixels[1:], chosen, scores[query, :count], strict=True)
        ),
    ]

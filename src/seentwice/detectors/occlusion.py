"""What of a photo a score rests on: a patch slid over it, and the gradient of its pixels.

Both maps are in logits, and both ask how far the score falls where the photo turns blank, which is
its own mean colour: grey, but without another light. The patch asks the net itself (Zeiler & Fergus
2014, arXiv:1311.2901, section 4.2); the gradient times the input is what the net would answer if it
were linear (Ancona et al. 2018, arXiv:1711.06104), at the cost of one pass.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from seentwice.models.nets import VIEW_BLOCK

Score = Callable[[Tensor], Tensor]
"""Maps photos (n, 3, h, w), float RGB of 0 to 255, to logits (n,)."""


@torch.no_grad()
def slide_patch(
    score: Score, photo: Tensor, size_px: int, step_px: int, block: int = VIEW_BLOCK
) -> Tensor:
    """Return how far the score falls with a patch at each place of a photo, (rows, columns).

    Patches begin at the upper left corner and every step from there; the last of a row or column
    ends at the edge of the photo.

    Args:
        score: of photos.
        photo: (3, h, w), RGB of 0 to 255.
        size_px: side of the patch.
        step_px: at most the size, so that every pixel is hidden once.
        block: photos that are scored at once.

    Raises:
        ValueError: a patch that is larger than the photo, or a step that leaves pixels out.
    """
    photo, blank = _with_blank(photo)
    rows, columns = _hide(photo, size_px, step_px)
    places = torch.cartesian_prod(torch.arange(len(rows)), torch.arange(len(columns)))
    scores = []
    for row, column in (chunk.T for chunk in torch.split(places, block)):
        hidden = rows[row][:, :, None] & columns[column][:, None, :]
        scores.append(score(torch.where(hidden[:, None], blank, photo)))
    return (score(photo[None]) - torch.cat(scores)).view(len(rows), len(columns))


def map_occlusion(
    score: Score, photo: Tensor, size_px: int, step_px: int, block: int = VIEW_BLOCK
) -> Tensor:
    """Return for each pixel the mean fall of the score over the patches that hide it, (h, w).

    See `slide_patch`.
    """
    drops = slide_patch(score, photo, size_px, step_px, block)
    return _spread(drops, photo, size_px, step_px)


def map_gradient(score: Score, photo: Tensor, size_px: int = 1, step_px: int = 1) -> Tensor:
    """Return what `map_occlusion` would if the score were linear in the pixels, (h, w).

    Args:
        score: of photos; gradients pass through it.
        photo: (3, h, w), RGB of 0 to 255.
        size_px: side of the patch; 1 gives each pixel its own gradient.
        step_px: as there.

    Raises:
        ValueError: as there.
    """
    photo, blank = _with_blank(photo)
    rows, columns = (hidden.to(photo.dtype) for hidden in _hide(photo, size_px, step_px))
    pixels = photo.clone().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(score(pixels[None])[0], pixels)
    drops = rows @ (gradient * (photo - blank)).sum(dim=0) @ columns.T
    return _spread(drops, photo, size_px, step_px)


def _spread(drops: Tensor, photo: Tensor, size_px: int, step_px: int) -> Tensor:
    """Give each pixel the mean of the patches that hide it: (rows, columns) -> (h, w)."""
    rows, columns = (hidden.to(drops.dtype) for hidden in _hide(photo, size_px, step_px))
    patches = rows.sum(dim=0)[:, None] * columns.sum(dim=0)[None, :]
    return (rows.T @ drops @ columns) / patches


def _with_blank(photo: Tensor) -> tuple[Tensor, Tensor]:
    """Return a photo as floats, and the colour of what is hidden, (3, 1, 1)."""
    photo = photo.detach()
    photo = photo if photo.is_floating_point() else photo.float()
    return photo, photo.mean(dim=(1, 2), keepdim=True)


def _hide(photo: Tensor, size_px: int, step_px: int) -> tuple[Tensor, Tensor]:
    """Return which rows (r, h) and which columns (c, w) the patches hide."""
    height_px, width_px = photo.shape[1:]
    if not 1 <= step_px <= size_px <= min(height_px, width_px):
        raise ValueError(
            f"a patch of {size_px} px every {step_px} px on a photo of {width_px} x {height_px}: "
            "a patch is no larger than the photo, and a step no larger than the patch"
        )
    return _cover(height_px, size_px, step_px), _cover(width_px, size_px, step_px)


def _cover(length_px: int, size_px: int, step_px: int) -> Tensor:
    last = length_px - size_px
    starts = torch.tensor([*range(0, last, step_px), last])[:, None]
    pixels = torch.arange(length_px)
    return (starts <= pixels) & (pixels < starts + size_px)

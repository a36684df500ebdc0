"""Random changes of training photos, on whole batches: zoom, shift, mirror, light and colour."""

import torch
from torch import Tensor
from torch.nn import functional as F

LEAST_ZOOM = 0.7  # share of each side that stays in sight
BRIGHTNESS = 0.3  # largest relative change
COLOUR_CAST = 0.1  # largest relative change of one channel
CONTRAST = 0.2  # largest relative change


def augment_looks(looks: Tensor) -> Tensor:
    """Return changed copies of uint8 looks (b, 3, h, w), each changed in its own way.

    Draws from torch's global generator, which the training seeds by epoch.
    """
    count = len(looks)

    def uniform(low: float, high: float, *size: int) -> Tensor:
        return torch.empty(size, device=looks.device).uniform_(low, high)

    zoom = uniform(LEAST_ZOOM, 1.0, count)
    mirror = torch.where(uniform(0, 1, count) < 0.5, -1.0, 1.0)
    frame = torch.zeros(count, 2, 3, device=looks.device)
    frame[:, 0, 0] = zoom * mirror
    frame[:, 1, 1] = zoom
    frame[:, :, 2] = (1 - zoom)[:, None] * uniform(-1, 1, count, 2)
    grid = F.affine_grid(frame, list(looks.shape), align_corners=False)
    photos = F.grid_sample(looks.float(), grid, padding_mode="reflection", align_corners=False)
    light = uniform(1 - BRIGHTNESS, 1 + BRIGHTNESS, count, 1, 1, 1)
    light = light * uniform(1 - COLOUR_CAST, 1 + COLOUR_CAST, count, 3, 1, 1)
    contrast = uniform(1 - CONTRAST, 1 + CONTRAST, count, 1, 1, 1)
    # (light · photo - grey) · contrast + grey, in place: the copies would take half the time.
    grey = (light * photos.mean(dim=(2, 3), keepdim=True)).mean(dim=1, keepdim=True)
    photos.mul_(light * contrast).add_(grey * (1 - contrast))
    return photos.round_().clamp_(0, 255).to(torch.uint8)

import torch

from seentwice.models.augment import BRIGHTNESS, COLOUR_CAST, CONTRAST, augment_looks


def test_the_seed_decides_every_change():
    looks = torch.randint(256, (3, 3, 12, 16), dtype=torch.uint8)
    runs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        runs.append(augment_looks(looks))
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])
    assert runs[0].shape == looks.shape
    assert runs[0].dtype == torch.uint8
    assert not torch.equal(runs[0], looks)


def test_light_and_contrast_of_a_plain_photo_step_by_step():
    count = 50
    colour = torch.randint(60, 160, (count, 3, 1, 1))
    looks = colour.to(torch.uint8).expand(count, 3, 8, 8).contiguous()
    torch.manual_seed(4)
    changed = augment_looks(looks)
    torch.manual_seed(4)
    torch.rand(count), torch.rand(count), torch.rand(count, 2)  # zoom, mirror and shift
    photo = colour.float()
    photo = photo * torch.empty(count, 1, 1, 1).uniform_(1 - BRIGHTNESS, 1 + BRIGHTNESS)
    photo = photo * torch.empty(count, 3, 1, 1).uniform_(1 - COLOUR_CAST, 1 + COLOUR_CAST)
    grey = photo.mean(dim=(1, 2, 3), keepdim=True)
    photo = (photo - grey) * torch.empty(count, 1, 1, 1).uniform_(1 - CONTRAST, 1 + CONTRAST) + grey
    assert (changed - photo.clamp(0, 255)).abs().max() < 0.51  # rounded to whole numbers

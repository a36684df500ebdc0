"""Maps of what a score rests on, against nets whose answer is known."""

import pytest
import torch
from torch import Tensor

from seentwice.detectors.occlusion import Score, map_gradient, map_occlusion, slide_patch

HEIGHT, WIDTH = 12, 16


def make_photo(seed: int = 0) -> Tensor:
    return (
        torch.rand(3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(seed)).double() * 255
    )


def look_at(rows: slice, columns: slice) -> Score:
    """Return a net that sees one region alone, by a curve that is not linear."""
    return lambda photos: (photos[:, :, rows, columns] / 255).pow(2).flatten(1).sum(dim=1)


def hide_slowly(photo: Tensor, top: int, left: int, size_px: int) -> Tensor:
    hidden = photo.clone()
    for channel in range(3):
        mean = sum(photo[channel].flatten().tolist()) / (HEIGHT * WIDTH)
        for row in range(top, top + size_px):
            for column in range(left, left + size_px):
                hidden[channel, row, column] = mean
    return hidden


@pytest.mark.parametrize("block", [1, 5, 256])
@pytest.mark.parametrize(("size_px", "step_px"), [(4, 4), (5, 3), (12, 1), (1, 1)])
def test_each_patch_is_as_if_hidden_alone(size_px: int, step_px: int, block: int) -> None:
    photo, score = make_photo(), look_at(slice(2, 9), slice(3, 11))
    tops = sorted({*range(0, HEIGHT - size_px, step_px), HEIGHT - size_px})
    lefts = sorted({*range(0, WIDTH - size_px, step_px), WIDTH - size_px})
    drops = slide_patch(score, photo, size_px, step_px, block)
    whole = score(photo[None]).item()
    expected = [
        [whole - score(hide_slowly(photo, top, left, size_px)[None]).item() for left in lefts]
        for top in tops
    ]
    torch.testing.assert_close(drops, torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize(("size_px", "step_px"), [(4, 4), (5, 3), (2, 1)])
def test_the_map_of_occlusion_is_the_mean_of_the_patches_over_a_pixel(
    size_px: int, step_px: int
) -> None:
    photo, score = make_photo(1), look_at(slice(0, HEIGHT), slice(0, WIDTH))
    drops = slide_patch(score, photo, size_px, step_px)
    tops = sorted({*range(0, HEIGHT - size_px, step_px), HEIGHT - size_px})
    lefts = sorted({*range(0, WIDTH - size_px, step_px), WIDTH - size_px})
    found = map_occlusion(score, photo, size_px, step_px)
    for row in range(HEIGHT):
        for column in range(WIDTH):
            over = [
                drops[i, j].item()
                for i, top in enumerate(tops)
                for j, left in enumerate(lefts)
                if top <= row < top + size_px and left <= column < left + size_px
            ]
            assert found[row, column].item() == pytest.approx(sum(over) / len(over))


def test_a_net_that_looks_at_one_region_gives_maps_that_are_not_zero_there_alone() -> None:
    rows, columns = slice(4, 8), slice(8, 12)
    inside = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    inside[rows, columns] = True
    for found in (
        map_occlusion(look_at(rows, columns), make_photo(2), 4, 4),
        map_occlusion(look_at(rows, columns), make_photo(2), 1, 1),
        map_gradient(look_at(rows, columns), make_photo(2)),
    ):
        assert (found[inside] != 0).all()
        assert (found[~inside] == 0).all()


@pytest.mark.parametrize(("size_px", "step_px"), [(1, 1), (4, 4), (5, 3)])
def test_of_a_linear_net_both_maps_are_the_same(size_px: int, step_px: int) -> None:
    weight = torch.randn(3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(3)).double()

    def score(photos: Tensor) -> Tensor:
        return (photos * weight).sum(dim=(1, 2, 3)) - 7

    photo = make_photo(4)
    torch.testing.assert_close(
        map_gradient(score, photo, size_px, step_px),
        map_occlusion(score, photo, size_px, step_px),
    )


def test_bytes_are_taken_as_they_are_and_nothing_is_changed() -> None:
    photo = make_photo(5).byte()
    before, score = photo.clone(), look_at(slice(0, 6), slice(0, 6))
    torch.testing.assert_close(
        map_occlusion(score, photo, 4, 2), map_occlusion(score, photo.float(), 4, 2)
    )
    torch.testing.assert_close(map_gradient(score, photo), map_gradient(score, photo.float()))
    assert torch.equal(photo, before)


@pytest.mark.parametrize(("size_px", "step_px"), [(0, 0), (4, 0), (4, 5), (13, 1)])
def test_a_patch_that_does_not_fit_is_refused(size_px: int, step_px: int) -> None:
    with pytest.raises(ValueError, match=r"a patch is no larger than the photo, and a step"):
        slide_patch(look_at(slice(0, 2), slice(0, 2)), make_photo(), size_px, step_px)
    with pytest.raises(ValueError, match=r"a patch is no larger than the photo, and a step"):
        map_gradient(look_at(slice(0, 2), slice(0, 2)), make_photo(), size_px, step_px)

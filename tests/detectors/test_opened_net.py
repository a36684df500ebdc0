"""A checkpoint that is opened scores photos as the net scored them that was saved."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import logit
from untrained_net import OFFSET, SLOPE, save_untrained

from seentwice.detectors.opened_net import open_net
from seentwice.models.nets import pair_logits
from seentwice.models.trunk import TrainedBlocks
from seentwice.photos import PhotoError, find_photos


@pytest.mark.parametrize(
    ("blocks", "head", "shared"),
    [("all", "l2", True), (0, "l1", True), (1, "concat", True), (0, "samespace", False)],
)
def test_it_scores_photos_as_the_net_that_was_saved(
    blocks: TrainedBlocks, head: str, shared: bool, few_rooms: Path, tmp_path: Path
) -> None:
    net, trunk = save_untrained(tmp_path / "net.safetensors", blocks, head, shared)
    opened = open_net(tmp_path / "net.safetensors")
    looks = opened.look(find_photos(few_rooms)[0][:6], 10**6)
    assert looks.shape == (6, 3, 72, 96)
    left, right = np.array([0, 1, 5, 2]), np.array([3, 4, 0, 2])
    trunk.stages.eval()
    with torch.no_grad():
        rows = trunk.frozen(trunk.preprocessing.normalise(looks)) if trunk.cut else looks
    logits = pair_logits(net, rows, torch.from_numpy(left), torch.from_numpy(right))
    scores = opened.score(opened.embed(looks), left, right)
    expected = SLOPE * logits.double().numpy() + OFFSET
    error = np.abs(logit(scores) - expected).max()
    assert error < 1e-5
    assert np.ptp(expected) > 50 * error
    beside = opened.score_beside(looks[3])
    with torch.no_grad():
        torch.testing.assert_close(beside(looks[:1].float()), logits[:1], rtol=1e-4, atol=1e-5)


def test_gradients_pass_to_the_left_photo(few_rooms: Path, tmp_path: Path) -> None:
    save_untrained(tmp_path / "net.safetensors", 0, "l2", True)
    opened = open_net(tmp_path / "net.safetensors")
    looks = opened.look(find_photos(few_rooms)[0][:2], 10**6).float()
    photo = looks[0].requires_grad_()
    opened.score_beside(looks[1])(photo[None]).sum().backward()
    assert photo.grad is not None
    assert (photo.grad != 0).float().mean() > 0.9


def test_a_file_that_is_no_photo_is_told(tmp_path: Path) -> None:
    save_untrained(tmp_path / "net.safetensors")
    (tmp_path / "a.jpg").write_bytes(b"no photo")
    with pytest.raises(PhotoError, match="not an image"):
        open_net(tmp_path / "net.safetensors").look([tmp_path / "a.jpg"], 10**6)

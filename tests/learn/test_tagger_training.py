"""A tagger learns what can be learned, from photos whose labels are known alone."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from seentwice.errors import UserError
from seentwice.learn.tagger_task import TaggerTask
from seentwice.learn.tagger_training import PhotoBatches, PhotoModule, TaggerTraining, fit_tagger
from seentwice.models.photo_tagger import PhotoTagger
from seentwice.models.tag_losses import tag_loss
from seentwice.records import TagHead, TagSet

TAGS = TagSet((TagHead("front", ("front", "room")), TagHead("storeys", ("one", "two", "more"))))
SETTINGS = TaggerTraining(20, 20, 32, True, True, "constant", "32-true", "cpu")
FEATURES = 12


def make_photos(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Features that tell both labels; half of the storeys are not known."""
    generator = torch.Generator().manual_seed(5)
    rows = torch.randn(count, FEATURES, generator=generator)
    labels = torch.stack([(rows[:, 0] > 0).long(), rows[:, 1:4].argmax(dim=1)], dim=1)
    labels[::2, 1] = -1
    return rows, labels


def fit(folder: Path, lr: float = 0.05, seed: int = 0) -> PhotoTagger:
    rows, labels = make_photos(400)
    torch.manual_seed(0)
    tagger = PhotoTagger(TAGS, FEATURES, 4, torch.nn.Sequential(), None)
    weights = [torch.ones(2), torch.ones(3)]
    make = partial(torch.optim.AdamW, lr=lr)
    task = TaggerTask(tagger, rows, labels, weights, make, torch.nn.Identity(), seed, "constant")
    module = PhotoModule(np.arange(300), np.arange(300, 400), 32, seed)
    fit_tagger(task, module, SETTINGS, folder, (), lambda done, total: None)
    return tagger


def test_heads_learn_what_the_features_tell(tmp_path: Path) -> None:
    tagger = fit(tmp_path)
    assert not tagger.training
    rows, labels = make_photos(400)
    front, storeys = tagger(rows[300:])
    known = labels[300:, 1] >= 0
    assert (front.argmax(dim=1) == labels[300:, 0]).float().mean() > 0.9
    assert (storeys.argmax(dim=1) == labels[300:, 1])[known].float().mean() > 0.85
    assert list(tmp_path.iterdir()) == []


def test_equal_seeds_give_equal_taggers(tmp_path: Path) -> None:
    one, same, other = (fit(tmp_path, seed=seed).heads[0].weight for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_training_that_diverges_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"diverged at epoch 1: lower optimizer\.lr"):
        fit(tmp_path, lr=1e30)
    assert list(tmp_path.iterdir()) == []


def test_an_epoch_shows_every_photo_once_in_an_order_of_its_own() -> None:
    photos = np.array([3, 5, 8, 9, 11])
    one, same, other = (list(PhotoBatches(photos, 2, 7, epoch)) for epoch in (0, 0, 1))
    assert [len(batch) for batch in one] == [2, 2, 1]
    assert sorted(torch.cat(one).tolist()) == photos.tolist()
    assert torch.cat(one).tolist() == torch.cat(same).tolist() != torch.cat(other).tolist()


def test_validation_photos_weigh_the_same_whatever_their_label(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows, labels = make_photos(40)
    tagger = PhotoTagger(TAGS, FEATURES, 4, torch.nn.Sequential(), None)
    weights = [torch.tensor([9.0, 0.1]), torch.tensor([5.0, 0.1, 0.0])]
    make = partial(torch.optim.AdamW, lr=0.1)
    task = TaggerTask(tagger, rows, labels, weights, make, torch.nn.Identity(), 0, "constant")
    logged: dict[str, float] = {}
    monkeypatch.setattr(task, "log", lambda name, value: logged.update({name: float(value)}))
    with torch.no_grad():
        for batch in (torch.arange(15), torch.arange(15, 40)):
            task.validation_step(batch, 0)
        task.on_validation_epoch_end()
        plain = tag_loss(tagger(rows), labels, [torch.ones(2), torch.ones(3)])
    assert logged == {"validation/loss": pytest.approx(float(plain), rel=1e-5)}

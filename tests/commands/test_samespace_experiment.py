"""experiment=samespace is the reference: its network, its steps, one command from its folders."""

import json
import re
from io import StringIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig
from PIL import Image
from rich.console import Console
from torch import nn

from seentwice.commands.application import find_configs
from seentwice.commands.decisions import check_decisions
from seentwice.commands.main import main
from seentwice.commands.nets import check_nets, chosen_heads, read_architecture
from seentwice.commands.settings import read_settings
from seentwice.commands.trunks import read_trunks, tell_cut
from seentwice.errors import UserError
from seentwice.learn.training import TrainingSettings
from seentwice.models.checkpoint import CHECKPOINT_FILE, read_record
from seentwice.models.heads import HEADS
from seentwice.models.losses import PAIR_LOSSES
from seentwice.models.nets import SiameseNet, build_siamese
from seentwice.models.preprocessing import IMAGENET_256
from seentwice.models.trunk import Trunk

FEATURES = 960


class Reference(nn.Module):
    """SameSpace's network after its pooling, as its article and code describe it."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = (
            nn.Sequential(nn.Linear(FEATURES, 1280), nn.Hardswish(), nn.Dropout(0.2))
            for _ in range(2)
        )
        self.classifier = nn.Sequential(
            *(nn.Linear(2560, 2048), nn.ReLU(), nn.Dropout(0.306)),
            *(nn.Linear(2048, 1024), nn.ReLU(), nn.Dropout(0.491)),
            *(nn.Linear(1024, 512), nn.ReLU(), nn.Dropout(0.562)),
            *(nn.Linear(512, 64), nn.ReLU()),
            nn.Linear(64, 1),
        )

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        return self.classifier(torch.cat((self.one(left), self.other(right)), dim=1)).squeeze(1)

    def take_weights(self, net: SiameseNet) -> None:
        """Copy layer by layer, in the order of the forward pass."""
        own = [module for module in self.modules() if isinstance(module, nn.Linear)]
        for mine, theirs in zip(own, linears(net), strict=True):
            mine.load_state_dict(theirs.state_dict())


def linears(net: nn.Module) -> list[nn.Linear]:
    return [module for module in net.modules() if isinstance(module, nn.Linear)]


def composed(*overrides: str) -> DictConfig:
    with initialize_config_dir(str(find_configs()), version_base="1.3"):
        return compose("train", ["experiment=samespace", "backbone.weights=none", *overrides])


def frozen_trunk() -> Trunk:
    stages = nn.Sequential(nn.Flatten())
    return Trunk("none", "average", "none", stages, 1, FEATURES, IMAGENET_256)


def build(config: DictConfig) -> SiameseNet:
    trunk = frozen_trunk()
    check_nets(config, ["samespace"], trunk)
    return build_siamese(read_architecture(config, "samespace", trunk), trunk, seed=0)


@pytest.fixture(scope="module")
def config() -> DictConfig:
    return composed()


def test_the_network_gives_the_logits_of_the_reference(config: DictConfig) -> None:
    net, reference = build(config).double().eval(), Reference().double().eval()
    reference.take_weights(net)
    views = torch.rand(6, FEATURES, dtype=torch.float64)
    left, right = torch.tensor([0, 1, 5, 3, 3]), torch.tensor([2, 1, 0, 4, 4])
    expected = reference(views[left], views[right])
    torch.testing.assert_close(net(views, left, right), expected, rtol=0, atol=1e-12)
    # Its towers differ, so the order of a pair matters.
    assert not torch.allclose(net(views, right, left), expected)


def test_the_network_has_the_parameters_of_the_reference(config: DictConfig) -> None:
    tower = FEATURES * 1280 + 1280
    sizes = [2560, 2048, 1024, 512, 64, 1]
    classifier = sum(a * b + b for a, b in pairwise(sizes))
    net = build(config)
    assert sum(parameter.numel() for parameter in net.parameters()) == 2 * tower + classifier
    assert all(parameter.requires_grad for parameter in net.parameters())
    shared = build(composed("tower.shared=true"))
    assert sum(parameter.numel() for parameter in shared.parameters()) == tower + classifier


def test_steps_of_its_optimizer_with_its_dropouts_are_those_of_the_reference(
    config: DictConfig,
) -> None:
    net, reference = build(config).train(), Reference().train()
    reference.take_weights(net)
    settings = read_settings(TrainingSettings, config, "training")
    ours = instantiate(config.optimizer)(net.parameters())
    theirs = torch.optim.RMSprop(reference.parameters(), lr=0.002061, alpha=0.926)
    generator = torch.Generator().manual_seed(0)
    for step in range(2):
        views = torch.rand(20, FEATURES, generator=generator)
        left, right = torch.randint(20, (2, settings.batch_size), generator=generator)
        label = torch.rand(settings.batch_size, generator=generator) < 0.4
        losses = []
        for optimizer, forward in (
            (ours, lambda v=views, i=left, j=right: net(v, i, j)),
            (theirs, lambda v=views, i=left, j=right: reference(v[i], v[j])),
        ):
            torch.manual_seed(step)  # of the dropouts, which both draw in the same order
            logits = forward()
            loss = (
                PAIR_LOSSES[settings.loss](logits, label)
                if optimizer is ours
                else nn.BCEWithLogitsLoss()(logits, label.float())
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    own = [module for module in reference.modules() if isinstance(module, nn.Linear)]
    for mine, expected in zip(linears(net), own, strict=True):
        torch.testing.assert_close(mine.weight, expected.weight, rtol=1e-4, atol=1e-5)


def test_l2_takes_one_space_and_two_that_start_as_one() -> None:
    check(composed("head=l2", "tower.shared=true"))
    check(composed("head=l2", "tower=whitened", "tower.trains=true"))


def test_its_budget_and_what_it_decides_by(config: DictConfig) -> None:
    settings = read_settings(TrainingSettings, config, "training")
    assert (settings.epochs, settings.patience, settings.batch_size) == (30, 30, 64)
    assert not settings.augment  # also where its slip, frozen_batchnorm=train, has photos pass
    assert (settings.monitor, settings.loss, settings.schedule) == ("loss", "mean", "constant")
    assert (config.threshold, config.calibration) == (0.5, "none")
    assert (config.split.assign, config.sampling.table) == ("own", "samespace")
    assert config.backbone.normalisation == "samespace"


@pytest.fixture(scope="module")
def airbnb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photos of each of five places, in the layout of the Airbnb set."""
    root = tmp_path_factory.mktemp("airbnb")
    generator = np.random.default_rng(0)
    for part, places in (("Training Data", 3), ("Test Data", 2)):
        for place in range(places):
            wall = generator.integers(256, size=(4, 6, 3), dtype=np.uint8)
            for number in (1, 2):
                path = root / part / "kitchen" / f"{part[:2]}city_{place}_{number}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                shifted = np.roll(wall, number, axis=1)
                Image.fromarray(shifted).resize((96, 64)).save(path)
    return root


def run(command: str, airbnb: Path, folder: Path, *overrides: str) -> int:
    small = [
        "backbone=mobilenet_v3_small",
        "backbone.weights=none",
        "tower.embedding_size=8",
        "head.samespace.hidden=[16,8]",
        "head.samespace.dropout=[0.3,0.0]",
        "training.epochs=2",
        "workers=1",
    ]
    words = [f"data.root={airbnb}", f"hydra.run.dir={folder}", *small, *overrides]
    return main([command, *words])


@pytest.fixture(scope="module")
def trained(airbnb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    assert run("train", airbnb, folder, "experiment=samespace") == 0
    return folder


def test_one_command_trains_it_and_its_checkpoint_measures_the_same(
    trained: Path, airbnb: Path, tmp_path: Path
) -> None:
    record = read_record(trained / CHECKPOINT_FILE)
    assert (record.threshold, record.calibration_slope, record.calibration_offset) == (0.5, 1, 0)
    assert not record.architecture.shared_towers
    assert record.preprocessing.normalisation == "samespace"
    words = [f"checkpoint={trained}", "data=airbnb", f"data.root={airbnb}", "workers=1"]
    assert main(["evaluate", *words, f"hydra.run.dir={tmp_path}"]) == 0
    result = json.loads((tmp_path / "metrics.json").read_text())
    assert result["measured"] == pytest.approx(result["claimed"], nan_ok=True)


@pytest.mark.parametrize("experiment", ["samespace", "samespace_better"])
def test_one_command_compares_it_on_its_own_test_pairs(
    experiment: str, airbnb: Path, tmp_path: Path
) -> None:
    words = [f"experiment={experiment}", "baselines=[cosine]", "bootstrap_resamples=10"]
    assert run("compare", airbnb, tmp_path, *words) == 0
    results = json.loads((tmp_path / "results.json").read_text())
    (head,) = [found for found in results["detectors"] if found["name"] == "samespace"]
    assert head["thresholds"] == [0.5]
    slices = {name: found["pairs"] for name, found in head["slices"].items()}
    # Of 4 photos: each with itself, and both orders of 2 pairs, with 8 edits on either side
    assert (slices["edited"], slices["same_place"]) == (4 * 64, 4 * 64)
    assert "hash_weighted" in slices


def test_its_slip_of_batch_statistics_keeps_no_features_and_says_so() -> None:
    slip = composed("backbone=mobilenet_v3_small", "backbone.frozen_batchnorm=train")
    console = Console(file=StringIO(), width=1000)
    own = read_trunks(slip).own
    tell_cut(own, console)
    assert own.cut == 0
    assert "(backbone.frozen_batchnorm=train)" in console.file.getvalue()
    assert "no features are kept" in console.file.getvalue()


def test_an_experiment_that_is_not_there_is_told_with_those_that_are(capsys) -> None:
    assert main(["train", "experiment=samspace"]) == 2
    told = capsys.readouterr().err
    assert "experiment/samspace" in told
    assert "samespace samespace_better" in told


def test_its_net_mines_nothing(
    trained: Path, airbnb: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "experiment=samespace_better",
        f"mining.checkpoint={trained / CHECKPOINT_FILE}",
        "sampling.train.negatives.hard=1",
        "backbone.normalisation=samespace",
    ]
    assert run("train", airbnb, tmp_path, *words) == 2
    assert "its towers are not shared" in capsys.readouterr().err


@pytest.mark.parametrize("experiment", ["samespace", "samespace_better"])
@pytest.mark.parametrize("head", sorted(HEADS))
def test_another_head_takes_the_place_of_its_own(experiment: str, head: str) -> None:
    assert chosen_heads(composed(f"experiment={experiment}", f"head={head}")) == (head,)


def check(config: DictConfig) -> None:
    check_decisions(config)
    check_nets(config, chosen_heads(config), frozen_trunk())
    read_trunks(config)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["training.contrastive_weight=1"], "give tower.shared=true"),
        (
            ["tower.shared=true", "training.contrastive_weight=1"],
            "choose tower=linear or whitened",
        ),
        (["tower=whitened", "tower.shared=false"], "give tower.trains=true"),
        (
            ["head=l2"],
            "head=l2: needs one space of embeddings; give tower.shared=true, or choose head="
            "concat or samespace",
        ),
        (["head=weighted_l1", "tower=linear", "tower.shared=false"], "give tower.shared=true"),
        (["tower.settings.dropout=1"], "tower.settings.dropout=1: "),
        (["head.samespace.dropout=[0.1]"], "hidden has 4 layers"),
        (["training.loss=sum"], "training.loss='sum'"),
        (["training.monitor=accuracy"], "training.monitor='accuracy'"),
        (["backbone.normalisation=other"], "backbone.normalisation='other'"),
        (["calibration=isotonic"], "calibration='isotonic'"),
        (["threshold=2"], "threshold=2"),
    ],
)
def test_a_choice_that_cannot_be_is_told_before_photos_are_read(
    overrides: list[str], message: str
) -> None:
    with pytest.raises(UserError, match=re.escape(message)) as error:
        check(composed(*overrides))
    assert "\n" not in str(error.value)

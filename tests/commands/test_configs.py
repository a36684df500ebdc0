"""Every config composes, matches what it configures, and names what is there."""

import inspect
from dataclasses import fields

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from seentwice.commands import banking, main, nets, splits, trunks
from seentwice.commands.application import find_configs
from seentwice.commands.settings import read_settings
from seentwice.data.tabular.columns import Columns
from seentwice.data.views import EditChoice
from seentwice.edits import STRENGTHS, draw_edits
from seentwice.learn.training import TrainingSettings
from seentwice.models.backbones import BACKBONES, LIBRARIES
from seentwice.models.heads import HEADS, build_head
from seentwice.models.towers import TOWERS, build_tower

CONFIGS = find_configs()
COMMANDS = sorted(main.COMMANDS)
GROUPS = sorted(path.name for path in CONFIGS.iterdir() if path.is_dir())
OPTIONS = [
    (group, path.stem) for group in GROUPS for path in sorted((CONFIGS / group).glob("*.yaml"))
]
RECORDS = {
    "backbone": trunks.BackboneSettings,
    "bank": banking.BankSettings,
    "split": splits.SplitSettings,
    "edits": EditChoice,
    "tower": nets.TowerSettings,
    "training": TrainingSettings,
}


def composed(command: str, *overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose(command, list(overrides))


def groups_of(command: str) -> set[str]:
    entries = OmegaConf.load(CONFIGS / f"{command}.yaml").defaults
    return {str(key) for entry in entries if isinstance(entry, DictConfig) for key in entry}


def commands_of(group: str) -> list[str]:
    """The commands to try a group with: an experiment sets what not every command has."""
    having = [command for command in COMMANDS if group in groups_of(command)]
    return having if group == "experiment" else having[:1]


def with_root(group: str, option: str) -> list[str]:
    """Choose an option, and give data.root where its file, or a data set it may name, wants one."""
    text = (CONFIGS / group / f"{option}.yaml").read_text()
    needs_root = "override /data: " in text or "root: ???" in text
    needs_name = "name: ???" in text
    return [
        f"{group}={option}",
        *(["data.root=photos"] if needs_root else []),
        *(["backbone.name=resnet18"] if needs_name else []),
    ]


def targets_in(node: object) -> list[DictConfig]:
    if not isinstance(node, DictConfig):
        return []
    found = [node] if "_target_" in node else []
    return found + [target for key in node for target in targets_in(node._get_node(key))]


@pytest.mark.parametrize(
    ("command", "group", "option"),
    [(command, group, option) for group, option in OPTIONS for command in commands_of(group)],
)
def test_every_option_composes_and_matches_what_it_configures(
    command: str, group: str, option: str
) -> None:
    config = composed(command, *with_root(group, option))
    for section, record in RECORDS.items():
        if section in config:
            read_settings(record, config, section)
    for target in targets_in(config):
        built = get_object(target._target_)
        arguments = {key: None for key in target if not str(key).startswith("_")}
        signature = inspect.signature(built)
        if target.get("_partial_"):
            signature.bind_partial(**arguments)
        else:
            signature.bind(**arguments)


@pytest.mark.parametrize(
    ("group", "registry"),
    [("backbone", {**BACKBONES, **LIBRARIES}), ("head", HEADS), ("tower", TOWERS)],
)
def test_the_config_folder_and_the_registry_name_the_same_things(
    group: str, registry: dict[str, object]
) -> None:
    assert {option for name, option in OPTIONS if name == group} == set(registry)


@pytest.mark.parametrize("option", sorted(BACKBONES))
def test_a_backbones_config_names_that_backbone(option: str) -> None:
    assert composed("compare", f"backbone={option}").backbone.name == option


@pytest.mark.parametrize("option", sorted(TOWERS))
def test_a_towers_config_builds_that_tower(option: str) -> None:
    tower = composed("train", f"tower={option}").tower
    assert tower.name == option
    assert isinstance(build_tower(tower.name, 7, 5, tower.settings), TOWERS[option])


@pytest.mark.parametrize("option", sorted(HEADS))
def test_a_heads_config_builds_that_head(option: str) -> None:
    head = composed("train", f"head={option}").head
    settings = OmegaConf.to_container(head[option])
    assert isinstance(build_head(option, 8, settings), HEADS[option])


@pytest.mark.parametrize("option", sorted(HEADS))
def test_a_heads_config_lists_every_setting_with_its_default(option: str) -> None:
    settings = OmegaConf.to_container(composed("train", f"head={option}").head[option])
    _, *parameters = inspect.signature(HEADS[option]).parameters.values()
    defaults = {parameter.name: parameter.default for parameter in parameters}
    assert settings == {
        name: list(value) if isinstance(value, tuple) else value for name, value in defaults.items()
    }


def test_every_edit_that_a_config_names_exists() -> None:
    for group, option in OPTIONS:
        if group == "edits":
            edits = read_settings(EditChoice, composed("compare", f"edits={option}"), "edits")
            names = [*edits.train, *edits.evaluation]
            assert len(draw_edits("a.jpg", names, 0)) == len(names)


@pytest.mark.parametrize("strength", sorted(STRENGTHS))
def test_the_config_of_a_strength_stands_for_its_edits(strength: str) -> None:
    edits = read_settings(EditChoice, composed("compare", f"edits={strength}"), "edits")
    assert edits.train == edits.evaluation == STRENGTHS[strength]


def test_the_samespace_edits_count_in_binary() -> None:
    parts = ("hflip", "rotate:5", "rotate:-5")
    expected = [
        "|".join(part for part, bit in zip(parts, f"{number:03b}", strict=True) if bit == "1")
        for number in range(1, 8)
    ]
    edits = composed("compare", "edits=samespace").edits
    assert list(edits.train) == list(edits.evaluation) == expected


@pytest.mark.parametrize("command", COMMANDS)
def test_every_config_says_in_its_first_line_what_it_is(command: str) -> None:
    for path in [CONFIGS / f"{command}.yaml", *CONFIGS.glob("*/*.yaml")]:
        first = next(
            line for line in path.read_text().splitlines() if not line.startswith("# @package")
        )
        assert first.startswith("# "), path


def test_a_catalogue_has_a_key_for_every_column() -> None:
    columns = OmegaConf.load(CONFIGS / "data" / "catalogue.yaml").columns
    assert set(columns) == {field.name for field in fields(Columns)}

"""The command that comes after one, written so that it runs when it is pasted."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from seentwice.commands.application import find_configs, quote_value
from seentwice.commands.overrides import key_of
from seentwice.commands.settings import read_source

NEXT = "Next: "
_OF_PREPARE = ("data.json",)  # what other commands refuse
_WORDS_OF_YAML = ("null", "true", "false", "nan", "inf", "yes", "no", "on", "off")


def write_command(command: str, words: Sequence[str]) -> str:
    """Return the command line; its config folder is that of this run, where one was given."""
    sources = HydraConfig.get().runtime.config_sources
    own = [source.path for source in sources if source.provider == "command-line"]
    folder = ["--config-dir", own[0]] if own else []
    return shlex.join(["seentwice", command, *folder, *words])


def shared_overrides(command: str) -> list[str]:
    """Return the overrides of this run whose keys another command has, too."""
    keys = {*compose_command(command, []), *_groups()}
    words = HydraConfig.get().overrides.task
    return [
        word
        for word in words
        if key_of(word).partition(".")[0] in keys and key_of(word) not in _OF_PREPARE
    ]


def head_overrides(config: DictConfig, head: str) -> list[str]:
    """Return what chooses a head of a composed configuration, with its settings.

    Not this run's own overrides: the option of another name, or an experiment, may have set them.
    """
    chosen, default = (
        OmegaConf.to_container(one.head[head], resolve=True)
        for one in (config, compose_command("train", [f"head={head}"]))
    )
    assert isinstance(chosen, dict)
    assert isinstance(default, dict)
    return [f"head={head}", *_differences(f"head.{head}", chosen, default)]


def data_overrides(config: DictConfig) -> list[str]:
    """Return what chooses the data of a composed configuration, in whatever folder.

    Not this run's own overrides: an experiment chooses data, too, and a resumed training has none.
    """
    data = OmegaConf.to_container(config.data, resolve=True)
    assert isinstance(data, dict)
    name = _option_of(str(data["_target_"]))
    if name is None:  # of a config folder of the user's own
        return [word for word in HydraConfig.get().overrides.task if key_of(word)[:4] == "data"]
    composed = compose_command("evaluate", [f"data={name}"])
    default = OmegaConf.to_container(composed.data, resolve=True)
    assert isinstance(default, dict)
    source: Any = read_source(config)
    for field in fields(source):
        if isinstance(getattr(source, field.name), Path):
            for values in (data, default):
                if values.get(field.name) not in (None, "???"):
                    values[field.name] = str(Path(values[field.name]).absolute())
    words = [f"data={name}", *_differences("data", data, default)]
    # It decides which photos are in the data, too.
    same_limit = config.max_pixels == composed.max_pixels
    return words if same_limit else [*words, f"max_pixels={config.max_pixels}"]


def evaluation_overrides(config: DictConfig) -> list[str]:
    """Return what `evaluate` needs to measure a training's checkpoint on the same photos."""
    words = data_overrides(config)
    if config.backbone.weights not in ("none", "imagenet") and not config.bundle:
        # The checkpoint knows the file's name alone.
        words.append(f"weights={spell_value(str(config.backbone.weights))}")
    return words


def _differences(prefix: str, values: Mapping[Any, Any], default: Mapping[Any, Any]) -> list[str]:
    words = []
    for key, value in values.items():
        was = default.get(key)
        if isinstance(value, dict) and isinstance(was, dict):
            words += _differences(f"{prefix}.{key}", value, was)
        elif value != was:
            words.append(f"{prefix}.{key}={spell_value(value)}")
    return words


def spell_value(value: Any) -> str:
    """Return a value as an override has it: plain where it can be, which is easier to complete."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list):
        return f"[{','.join(map(spell_value, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{key}: {spell_value(held)}' for key, held in value.items())}}}"
    text = str(value)
    is_plain = re.fullmatch(r"[A-Za-z_/][\w./:-]*", text) and text.lower() not in _WORDS_OF_YAML
    return text if is_plain else quote_value(text)


def _option_of(target: str) -> str | None:
    for path in sorted((find_configs() / "data").glob("*.yaml")):
        config = OmegaConf.load(path)
        own = OmegaConf.select(config, "data._target_") or OmegaConf.select(config, "_target_")
        if own == target:
            return path.stem
    return None


def _groups() -> list[str]:
    return [folder.name for folder in find_configs().iterdir() if folder.is_dir()]


def compose_command(command: str, overrides: Sequence[str]) -> DictConfig:
    """Return the configuration of a command with other overrides than those of this run."""
    # Hydra's own state is that of the run that is under way.
    running = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(find_configs()), version_base="1.3"):
            return compose(command, list(overrides))
    finally:
        GlobalHydra.instance().hydra = running

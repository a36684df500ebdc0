"""The optimizer that a configuration asks for, with errors that say which setting is wrong."""

import inspect
import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig
from torch.optim import Optimizer

from seentwice.display import one_line
from seentwice.errors import UserError

MakeOptimizer = Callable[[Iterable[torch.nn.Parameter]], Optimizer]

_REFUSALS = (TypeError, ValueError, InstantiationException)


def read_optimizer(config: DictConfig) -> MakeOptimizer:
    """Return what makes the optimizer that the section `optimizer` names.

    It is tried on one weight. Where that fails, each setting is tried beside the defaults of the
    others, so that the one to blame is named whatever the class.

    Raises:
        UserError: no such class or setting, or a value that a setting cannot take.
    """
    try:
        make: MakeOptimizer = instantiate(config.optimizer)
    except _REFUSALS as error:
        raise UserError(f"optimizer: {one_line(error)}") from error
    if isinstance(make, partial):
        for key, value in make.keywords.items():
            _check_number(make.func, key, value)
    try:
        _try(make)
    except _REFUSALS as error:
        if isinstance(make, partial):
            _blame_one(make)
        raise UserError(f"optimizer: {one_line(error)}") from error
    return make


def _check_number(kind: Callable[..., Any], key: str, value: Any) -> None:
    """Refuse an unknown setting, and what is no number where the default is one.

    Optimizers compare before they look at the type, and let infinity pass.
    """
    valid = inspect.signature(kind).parameters
    if key not in valid:
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in valid.values()):
            return
        takes = ", ".join([*valid][1:])  # the first are the weights
        raise UserError(f"optimizer.{key}={value!r}: no such setting; choose one of {takes}")
    is_rate = key == "lr"
    if not is_rate and not _is_number(valid[key].default):
        return
    if not _is_number(value) or (is_rate and not value > 0):
        needed = "a number above 0" if is_rate else "a number"
        raise UserError(f"optimizer.{key}={value!r}: {needed} is needed")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _try(make: MakeOptimizer) -> None:
    make([torch.nn.Parameter(torch.zeros(1))])


def _blame_one(make: partial[Optimizer]) -> None:
    """Raise UserError where one of the settings alone is refused, and none of the defaults."""
    try:
        _try(make.func)
    except _REFUSALS:
        return
    for key, value in make.keywords.items():
        try:
            _try(partial(make.func, **{key: value}))
        except _REFUSALS as error:
            raise UserError(f"optimizer.{key}={value!r}: {one_line(error)}") from error

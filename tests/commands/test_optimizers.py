"""Which setting of an optimizer is wrong, whatever its class."""

from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from seentwice.commands.optimizers import read_optimizer
from seentwice.errors import UserError

ADAMW = "torch.optim.AdamW"
RMSPROP = "seentwice.learn.rmsprop.RMSprop"


def read(target: str, **settings: Any) -> Any:
    section = {"_target_": target, "_partial_": True, **settings}
    return read_optimizer(OmegaConf.create({"optimizer": section}))


@pytest.mark.parametrize(
    ("target", "settings", "complaint"),
    [
        (ADAMW, {"lr": "fast"}, "optimizer.lr='fast': a number above 0 is needed"),
        (ADAMW, {"lr": None}, "optimizer.lr=None: a number above 0 is needed"),
        (ADAMW, {"lr": [1]}, "optimizer.lr=[1]: a number above 0 is needed"),
        (ADAMW, {"lr": -1}, "optimizer.lr=-1: a number above 0 is needed"),
        (ADAMW, {"lr": 0}, "optimizer.lr=0: a number above 0 is needed"),
        (ADAMW, {"lr": True}, "optimizer.lr=True: a number above 0 is needed"),
        (RMSPROP, {"lr": float("nan")}, "optimizer.lr=nan: a number above 0 is needed"),
        (RMSPROP, {"lr": float("inf")}, "optimizer.lr=inf: a number above 0 is needed"),
        (ADAMW, {"weight_decay": "x"}, "optimizer.weight_decay='x': a number is needed"),
        (RMSPROP, {"lr": 1, "alpha": None}, "optimizer.alpha=None: a number is needed"),
        (ADAMW, {"weight_decay": -1, "lr": 1}, "optimizer.weight_decay=-1: Invalid weight_decay"),
        (ADAMW, {"lr": 1, "betas": [2, 0]}, "optimizer.betas=[2, 0]: Invalid beta"),
        (ADAMW, {"betas": 3, "weight_decay": -1}, "optimizer.betas=3: "),
        (RMSPROP, {"momentum": 0.9}, "optimizer.momentum=0.9: no such setting; choose one of lr, "),
        ("torch.optim.Adamm", {"lr": 1}, "optimizer: "),
    ],
)
def test_the_setting_that_is_wrong_is_named(
    target: str, settings: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UserError) as refusal:
        read(target, **settings)
    assert str(refusal.value).startswith(complaint)
    assert "\n" not in str(refusal.value)


def test_what_was_read_makes_the_optimizer() -> None:
    made = read(ADAMW, lr=0.5, betas=[0.8, 0.9])([torch.nn.Parameter(torch.zeros(2))])
    assert isinstance(made, torch.optim.AdamW)
    assert made.defaults["lr"] == 0.5

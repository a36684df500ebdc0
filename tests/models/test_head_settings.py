"""A wrong setting of a head is told by its key; the configs hold every setting."""

import inspect

import pytest
import torch

from seentwice.errors import UserError
from seentwice.models.heads import HEADS, build_head


@pytest.mark.parametrize(
    ("head", "settings", "message"),
    [
        ("concat", {"dropout": 2}, r"head\.concat\.dropout=2: .*less than 1"),
        ("concat", {"dropout": -0.1}, r"head\.concat\.dropout=-0\.1: .*greater than or equal to 0"),
        (
            "concat",
            {"hidden": "x"},
            r"^head\.concat\.hidden='x': Input should be a list, such as the default, \[512, 64\]$",
        ),
        ("concat", {"dropout": [0.1, 2]}, r"dropout=\[0\.1, 2\]: .*less than 1, such as .* 0\.3$"),
        ("concat", {"hidden": ["x"]}, r"hidden=\['x'\]: .*integer.*default, \[512, 64\]$"),
        ("concat", {"hidden": [64, 0]}, r"head\.concat\.hidden=\[64, 0\]: .*equal to 1"),
        ("concat", {"hidden": None}, r"head\.concat\.hidden=None: "),
        ("l2", {"start_scale": "x"}, r"head\.l2\.start_scale='x': .*number"),
        ("l1", {"start_scale": 0}, r"head\.l1\.start_scale=0: "),
        ("l2", {"start_scale": float("nan")}, r"head\.l2\.start_scale=nan: "),
        ("triplet", {"margin": 0}, r"head\.triplet\.margin=0: .*greater than 0"),
        ("triplet", {"margin": 2.1}, r"head\.triplet\.margin=2\.1: .*less than or equal to 2"),
        (
            "triplet",
            {"mining": "hard"},
            r"head\.triplet\.mining='hard': .*'semi_hard', 'batch_hard'",
        ),
        ("infonce", {"temperature": 0}, r"head\.infonce\.temperature=0: .*greater than 0"),
        ("infonce", {"entropy_weight": -1}, r"head\.infonce\.entropy_weight=-1: .*equal to 0"),
        ("l2", {"start_scale": 1e6}, r"head\.l2\.start_scale=1000000.0: .*equal to 40"),
    ],
)
def test_a_wrong_value_is_told_with_its_key(head, settings, message):
    with pytest.raises(UserError, match=message) as error:
        build_head(head, 8, settings)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("head", ["l1", "l2"])
@pytest.mark.parametrize("start_scale", [0.01, 40])
@pytest.mark.parametrize("size", [1, 1280])
def test_the_ends_of_the_range_give_weights(head, start_scale, size):
    built = build_head(head, size, {"start_scale": start_scale})
    assert all(torch.isfinite(parameter).all() for parameter in built.parameters())


@pytest.mark.parametrize("head", sorted(HEADS))
def test_every_setting_has_a_default_that_is_valid(head):
    _, *settings = inspect.signature(HEADS[head]).parameters.values()
    build_head(head, 8, {setting.name: setting.default for setting in settings})

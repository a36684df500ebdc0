from copy import deepcopy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from seentwice.learn import rmsprop
from seentwice.learn.rmsprop import RMSprop


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rmsprop, "BLOCK", 64)


def random_weights(dtype: torch.dtype) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    shapes = ((13, 17), (64,), (1,), (2, 3, 8, 8))  # with blocks that end inside, at the end, alone
    weights = [torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes]
    weights[3] = weights[3].contiguous(memory_format=torch.channels_last)
    return [nn.Parameter(weight) for weight in weights]


def take_steps(
    optimizer: torch.optim.Optimizer, weights: list[nn.Parameter], steps: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        for weight in weights:
            gradient = torch.randn(weight.shape, generator=generator, dtype=weight.dtype)
            weight.grad = gradient.to(memory_format=torch.preserve_format)
        optimizer.step()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("weight_decay", [0.0, 0.03])
def test_steps_are_those_of_torch_to_the_last_bit(dtype: torch.dtype, weight_decay: float) -> None:
    ours, theirs = random_weights(dtype), random_weights(dtype)
    rates = (0.002061, 0.926, 1e-8, weight_decay)
    take_steps(RMSprop(ours, *rates), ours, 20, seed=1)
    take_steps(torch.optim.RMSprop(theirs, *rates, foreach=False), theirs, 20, seed=1)
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one, other)


def test_weights_that_get_no_gradient_any_more_stay_fast_and_equal() -> None:
    """Their mean of squares would become a subnormal number, and stay one."""
    ours, theirs = random_weights(torch.float32), random_weights(torch.float32)
    optimizers = (RMSprop(ours, 0.002061, 0.926), torch.optim.RMSprop(theirs, 0.002061, 0.926))
    for weights, optimizer in zip((ours, theirs), optimizers, strict=True):
        take_steps(optimizer, weights, 2, seed=1)
        for weight in weights:
            assert weight.grad is not None
            weight.grad.view(-1)[::2] = 0
        for _ in range(1500):
            optimizer.step()
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one, other)
        assert (optimizers[0].state[one]["square_avg"] >= rmsprop.SMALLEST).all()
        assert (optimizers[1].state[other]["square_avg"] < rmsprop.SMALLEST).any()


def test_goes_on_from_the_state_of_torch() -> None:
    ours, theirs = random_weights(torch.float32), random_weights(torch.float32)
    before = torch.optim.RMSprop(theirs, lr=0.01, foreach=False)
    take_steps(before, theirs, 3, seed=1)
    with torch.no_grad():
        for one, other in zip(ours, theirs, strict=True):
            one.copy_(other)
    after = RMSprop(ours, lr=0.01)
    after.load_state_dict(deepcopy(before.state_dict()))
    take_steps(after, ours, 3, seed=2)
    take_steps(before, theirs, 3, seed=2)
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one, other)
        assert after.state[one]["step"] == 6


def test_resumes_from_its_own_state(tmp_path: Path) -> None:
    whole, first = random_weights(torch.float32), random_weights(torch.float32)
    optimizer = RMSprop(whole, lr=0.01)
    take_steps(optimizer, whole, 3, seed=1)
    stopped = RMSprop(first, lr=0.01)
    take_steps(stopped, first, 3, seed=1)
    torch.save(stopped.state_dict(), tmp_path / "state")
    resumed = RMSprop(first, lr=0.5)
    resumed.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    take_steps(optimizer, whole, 3, seed=2)
    take_steps(resumed, first, 3, seed=2)
    for one, other in zip(whole, first, strict=True):
        assert torch.equal(one, other)


def test_a_weight_without_gradient_stays() -> None:
    weights = random_weights(torch.float32)
    before = weights[0].detach().clone()
    optimizer = RMSprop(weights)
    weights[1].grad = torch.ones_like(weights[1])
    optimizer.step()
    assert torch.equal(weights[0], before)
    assert list(optimizer.state) == [weights[1]]


def test_a_closure_gives_the_gradients() -> None:
    (weight,) = [nn.Parameter(torch.ones(200))]
    optimizer = RMSprop([weight], lr=0.1)

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = (weight**2).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    assert optimizer.step(loss) == 200
    assert (weight < 1).all()


def test_a_negative_learning_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="learning rate"):
        RMSprop(random_weights(torch.float32), lr=-0.1)

"""RMSprop whose step goes through memory once, where torch's does so once an operation."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

BLOCK = 1 << 18
"""Values at once through a step: 1 MiB each of weights, gradients and squares stay in the cache
between its operations; of fewer, each operation costs more to start than to do."""

SMALLEST = 1e-37
"""Of the mean of squares. Where a unit has died its weights get no gradient, and within a thousand
steps their means would be subnormal numbers or 0, whose roots take processors many times longer;
beside `eps` the root of this is nothing."""


class RMSprop(torch.optim.RMSprop):
    """Torch's RMSprop (Hinton 2012, Coursera lecture 6e), on a CPU in blocks.

    Weights are torch's to the last bit, where `eps` is 1e-11 or more.

    Wide heads do not fit the cache, and torch's step is a large share of their training. On a
    graphics card the step is torch's own.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        """Take the weights and how they change.

        Args:
            params: the weights.
            lr: the learning rate.
            alpha: share of the mean of squared gradients that a step keeps.
            eps: added to the root of that mean.
            weight_decay: times a weight, is added to its gradient.

        Raises:
            ValueError: a negative number.
        """
        super().__init__(params, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the weights by their gradients, and return what the closure returns."""
        weights = [weight for group in self.param_groups for weight in group["params"]]
        if any(weight.device.type != "cpu" for weight in weights):
            return super().step(closure)
        loss = None if closure is None else closure()
        with torch.no_grad():
            for group in self.param_groups:
                for weight in group["params"]:
                    if weight.grad is not None:
                        self._change(weight, weight.grad, group)
        return loss

    def _change(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:  # as torch's own, so that either goes on where the other stopped
            state["step"] = torch.zeros(())
            state["square_avg"] = torch.zeros_like(weight)
        state["step"] += 1
        for w, g, square in blocks_of(weight, gradient, state["square_avg"]):
            if group["weight_decay"]:
                g = g.add(w, alpha=group["weight_decay"])
            square.mul_(group["alpha"]).addcmul_(g, g, value=1 - group["alpha"])
            square.clamp_min_(SMALLEST)
            w.addcdiv_(g, square.sqrt().add_(group["eps"]), value=-group["lr"])


def blocks_of(*tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Yield views of tensors of one shape, block by block; whole where one has gaps or strides."""
    if all(tensor.is_contiguous() for tensor in tensors):
        return zip(*(torch.split(tensor.view(-1), BLOCK) for tensor in tensors), strict=True)
    return iter([tensors])

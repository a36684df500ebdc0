"""Heads: two embeddings in, one logit out; they differ in how the two combine.

A new head is one class and one line of `HEADS`; those that only embeddings learn for are in
`embedding_heads`.
"""

from collections.abc import Mapping

from torch import nn

from seentwice.errors import UserError
from seentwice.models.difference_heads import L1Head, L2Head, WeightedL1Head
from seentwice.models.embedding_heads import EMBEDDING_HEADS
from seentwice.models.perceptron_heads import ConcatHead, ProductHead, SameSpaceHead
from seentwice.models.settings import check_settings

HEADS: Mapping[str, type[nn.Module]] = {
    "l1": L1Head,
    "l2": L2Head,
    "weighted_l1": WeightedL1Head,
    "concat": ConcatHead,
    "samespace": SameSpaceHead,
    "product": ProductHead,
    **EMBEDDING_HEADS,
}

TWO_SPACES = frozenset({"concat", "samespace"})
"""The heads that take embeddings of two spaces; all others compare them channel by channel."""


def build_head(name: str, embedding_size: int, settings: Mapping[str, object]) -> nn.Module:
    """Build a head by name.

    Args:
        name: a key of `HEADS`.
        embedding_size: channels of each of the two embeddings.
        settings: the head's own constructor arguments, as its config file gives them.

    Raises:
        UserError: no such head or setting, a value that the setting cannot take, or settings
            that do not go together.
    """
    if name not in HEADS:
        raise UserError(f"head {name!r}: choose one of {', '.join(sorted(HEADS))}")
    chosen = check_settings(f"head.{name}", name, HEADS[name], 1, settings)
    try:
        return HEADS[name](embedding_size, **chosen)
    except ValueError as error:
        raise UserError(f"head.{name}.{error}") from error

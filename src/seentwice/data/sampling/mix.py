"""How many pairs of each kind make a table: the mix that a config asks for, drawn without lists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.data.sampling.hard import draw_hard
from seentwice.data.sampling.hash_weighted import draw_hash_weighted
from seentwice.data.sampling.items import Items
from seentwice.data.sampling.pair_space import PairSpace
from seentwice.data.sampling.ranks import pairs_at
from seentwice.errors import UserError
from seentwice.records import Kind

Drawn = Mapping[Kind, NDArray[np.int64]]
"""The ranks of the pairs that were drawn as each kind; no rank is in it twice."""

NEEDS_MODEL = (
    "sampling: hard negatives are mined by a trained model: give its file, mining.checkpoint=FILE"
)


@dataclass(frozen=True, slots=True)
class PositiveMix:
    """Weights of the kinds of positives; 0 leaves a kind out."""

    edited: float  # one photo and its edited copies
    same_place: float  # two photos of one place
    exact_copy: float  # two files of one place that hold the same pixels

    @property
    def weights(self) -> dict[Kind, float]:
        """The weight of each kind."""
        return {
            Kind.EDITED: self.edited,
            Kind.SAME_PLACE: self.same_place,
            Kind.EXACT_COPY: self.exact_copy,
        }


@dataclass(frozen=True, slots=True)
class NegativeMix:
    """Weights of the kinds of negatives; 0 leaves a kind out."""

    uniform: float
    hash_weighted: float  # with weight exp(-Hamming distance), as SameSpace draws them
    same_property: float  # two places of one home
    same_room_type: float  # two places of one room type, in any home
    hard: float  # the nearest wrong neighbours to a trained model

    @property
    def weights(self) -> dict[Kind, float]:
        """The weight of each kind; the kinds that have the fewest pairs stand first."""
        return {
            Kind.HARD: self.hard,
            Kind.SAME_PROPERTY: self.same_property,
            Kind.SAME_ROOM_TYPE: self.same_room_type,
            Kind.HASH_WEIGHTED: self.hash_weighted,
            Kind.UNIFORM: self.uniform,
        }


@dataclass(frozen=True, slots=True)
class MixedPolicy:
    """How many pairs of a split's views make its table, and of which kinds.

    Raises:
        UserError: a number is out of its range.
    """

    max_positives: int  # all pairs of the kinds in the mix up to this many, a sample beyond
    max_negatives: int
    positives: PositiveMix
    negatives: NegativeMix

    def __post_init__(self) -> None:
        """Refuse what would silently make another table than the one asked for."""
        for name in ("max_positives", "max_negatives"):
            if getattr(self, name) < 1:
                raise UserError(f"sampling: {name}={getattr(self, name)}: must be 1 or more")
        for name, mix in (("positives", self.positives), ("negatives", self.negatives)):
            for kind, weight in mix.weights.items():
                if not 0 <= weight < float("inf"):
                    raise UserError(f"sampling: {name}.{kind}={weight}: must be 0 or more")
            if not any(mix.weights.values()):
                raise UserError(f"sampling: {name}: give at least one kind a weight above 0")


def draw_positives(items: Items, policy: MixedPolicy, generator: np.random.Generator) -> Drawn:
    """Draw the positives of a table; their kinds have no pair in common.

    Args:
        items: the m views.
        policy: how many, and of which kinds.
        generator: source of the draw.
    """
    spaces = {
        Kind.EDITED: items.edited(),
        Kind.SAME_PLACE: items.same_places(),
        Kind.EXACT_COPY: items.exact_copies(),
    }
    weights = policy.positives.weights
    # A kind that has too few pairs comes before those that make up for it.
    scarce_first = sorted(
        (kind for kind, weight in weights.items() if weight),
        key=lambda kind: spaces[kind].count() / weights[kind],
    )
    return _fill(
        {kind: weights[kind] for kind in scarce_first},
        policy.max_positives,
        lambda kind, share, taken: spaces[kind].draw(share, taken[:0], generator),
    )


def draw_negatives(
    items: Items,
    policy: MixedPolicy,
    nearest: NDArray[np.int64] | None,
    threads: int,
    generator: np.random.Generator,
) -> Drawn:
    """Draw the negatives of a table; what one kind drew, no other draws again.

    Args:
        items: the m views.
        policy: how many, and of which kinds.
        nearest: (m, k) each view's nearest ones to a trained model, see `draw_hard`; None where
            hard negatives have no weight.
        threads: how many compute hash distances; the draw does not depend on it.
        generator: source of the draw.

    Raises:
        UserError: hard negatives have a weight, and `nearest` is None.
    """
    everywhere = items.negatives()

    def draw(kind: Kind, share: int, taken: NDArray[np.int64]) -> NDArray[np.int64]:
        if kind is Kind.UNIFORM:
            return everywhere.draw(share, taken, generator)
        if kind is Kind.HASH_WEIGHTED:
            return draw_hash_weighted(everywhere, items.hashes, share, taken, threads, generator)
        if kind is Kind.HARD:
            if nearest is None:
                raise UserError(NEEDS_MODEL)
            return draw_hard(everywhere, nearest, share)
        group = items.property if kind is Kind.SAME_PROPERTY else items.room_type
        space = items.negatives_within(group)
        return space.draw(share, _within(space, taken), generator)

    weights = {kind: weight for kind, weight in policy.negatives.weights.items() if weight}
    # Where all pairs there are do not suffice, they are shared out in the same mix.
    return _fill(weights, min(policy.max_negatives, everywhere.count()), draw)


def _fill(
    weights: Mapping[Kind, float],
    wanted: int,
    draw: Callable[[Kind, int, NDArray[np.int64]], NDArray[np.int64]],
) -> Drawn:
    """Draw kind after kind; what one cannot give is left for the later ones to give."""
    drawn: dict[Kind, NDArray[np.int64]] = {}
    taken = np.empty(0, np.int64)
    kinds = list(weights)
    for number, kind in enumerate(kinds):
        share = weights[kind] / sum(weights[later] for later in kinds[number:])
        drawn[kind] = draw(kind, round((wanted - len(taken)) * share), taken)
        taken = np.concatenate([taken, drawn[kind]])
    return drawn


def _within(space: PairSpace, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
    return ranks[space.holds(*pairs_at(ranks))]

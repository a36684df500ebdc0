"""How many pairs of each kind make a table: the mix that a config asks for, drawn without lists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seentwice.data.sampling.hard import draw_hard
from seentwice.data.sampling.hash_weighted import draw_hash_weighted
from seentwice.data.sampling.items import Items
from seentwice.data.sampling.pair_space import PairSpace
from seentwice.data.sampling.ranks import pairs_at
from seentwice.errors import UserError
from seentwice.records import Kind

Drawn = Mapping[Kind, NDArray[np.int64]]
"""The ranks of the pairs that were drawn as each kind; no rank is in it twice."""

# Read from a config, a wrong number is told with its key.
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
AtLeastOne = Annotated[int, Field(ge=1)]

NEEDS_MODEL = (
    "sampling: hard negatives are mined by a trained model: give its file, mining.checkpoint=FILE"
)


@dataclass(frozen=True, slots=True)
class PositiveMix:
    """Weights of the kinds of positives; 0 leaves a kind out."""

    edited: Weight  # one photo and its edited copies
    same_place: Weight  # two photos of one place
    exact_copy: Weight  # two files of one place that hold the same pixels

    def __post_init__(self) -> None:
        """Refuse a mix of nothing.

        Raises:
            ValueError: no kind has a weight above 0; `read_settings` makes it a UserError.
        """
        if not any(self.weights.values()):
            raise ValueError("give at least one kind a weight above 0")

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

    uniform: Weight
    hash_weighted: Weight  # with weight exp(-Hamming distance), as SameSpace draws them
    same_property: Weight  # two places of one home
    same_room_type: Weight  # two places of one room type, in any home
    hard: Weight  # the nearest wrong neighbours to a trained model

    def __post_init__(self) -> None:
        """Refuse a mix of nothing.

        Raises:
            ValueError: no kind has a weight above 0; `read_settings` makes it a UserError.
        """
        if not any(self.weights.values()):
            raise ValueError("give at least one kind a weight above 0")

    @property
    def weights(self) -> dict[Kind, float]:
        """The weight of each kind; of two that have as many pairs the first draws first."""
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

    max_positives: AtLeastOne  # all pairs of the kinds in the mix up to this many, a sample beyond
    max_negatives: AtLeastOne
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
                    raise UserError(
                        f"sampling: {name}.{kind}={weight}: must be 0 or more, and finite"
                    )


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

    def draw(kind: Kind, share: int, taken: NDArray[np.int64]) -> NDArray[np.int64]:
        return spaces[kind].draw(share, _within(spaces[kind], taken), generator)

    counts = {kind: space.count() for kind, space in spaces.items()}
    return _fill(policy.positives.weights, counts, policy.max_positives, draw)


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
    spaces = {
        Kind.SAME_PROPERTY: items.negatives_within(items.property),
        Kind.SAME_ROOM_TYPE: items.negatives_within(items.room_type),
        Kind.UNIFORM: everywhere,
    }

    def draw(kind: Kind, share: int, taken: NDArray[np.int64]) -> NDArray[np.int64]:
        if kind is Kind.HASH_WEIGHTED:
            return draw_hash_weighted(everywhere, items.hashes, share, taken, threads, generator)
        if kind is Kind.HARD:
            if nearest is None:
                raise UserError(NEEDS_MODEL)
            return draw_hard(everywhere, nearest, share, taken)
        return spaces[kind].draw(share, _within(spaces[kind], taken), generator)

    counts = {kind: space.count() for kind, space in spaces.items()}
    counts[Kind.HASH_WEIGHTED] = counts[Kind.UNIFORM]
    # The surest first: what a model takes for near is not left to another kind.
    counts[Kind.HARD] = 0
    # Where all pairs there are do not suffice, they are shared out in the same mix.
    wanted = min(policy.max_negatives, everywhere.count())
    return _fill(policy.negatives.weights, counts, wanted, draw)


def _fill(
    weights: Mapping[Kind, float],
    counts: Mapping[Kind, int],
    wanted: int,
    draw: Callable[[Kind, int, NDArray[np.int64]], NDArray[np.int64]],
) -> Drawn:
    """Draw kind after kind, each its share; what one cannot give, the others give more of.

    Args:
        weights: of the kinds; those of 0 are left out.
        counts: how many pairs are of each kind: scarce ones come first.
        wanted: how many pairs in all.
        draw: given a kind, how many, and the ranks that are taken; returns new ranks.
    """
    kinds = sorted(
        (kind for kind, weight in weights.items() if weight),
        key=lambda kind: counts[kind] / weights[kind],
    )
    drawn = {kind: np.empty(0, np.int64) for kind in kinds}
    # The second time because kinds overlap: a later one may have had less left than it counts.
    for _ in range(2):
        for number, kind in enumerate(kinds):
            taken = np.concatenate(list(drawn.values()))
            share = weights[kind] / sum(weights[later] for later in kinds[number:])
            more = draw(kind, round((wanted - len(taken)) * share), taken)
            drawn[kind] = np.concatenate([drawn[kind], more])
    return drawn


def _within(space: PairSpace, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
    return ranks[space.holds(*pairs_at(ranks))]

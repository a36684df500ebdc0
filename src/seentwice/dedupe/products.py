"""The products of a catalogue, and which two of them can be duplicates.

Two products can be duplicates if they are of the same category and not of one family: variants of
one product look alike and are none. Categories and sellers are told apart without regard to case
and to blanks around them. A product without a category can be one of others without one,
so a catalogue without categories is searched whole; a product without a family is of none.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from seentwice.data.sampling.items import codes_of_known
from seentwice.data.sampling.pair_space import ALONE, Codes
from seentwice.data.tabular.labels import fold_label
from seentwice.records import Listing

MOST_PRODUCTS = 100
"""That one photo may show; with more it stands in for what is missing, such as "no photo yet"."""
# Pairs of products that are looked at in one go: 24 MB of numbers.
_CHUNK = 1 << 20


class Relation(StrEnum):
    """Who sells two products."""

    SAME_SELLER = "same seller"
    OTHER_SELLER = "other seller"
    UNKNOWN = "seller unknown"  # of one of them, at least


RELATIONS: tuple[Relation, ...] = tuple(Relation)


@dataclass(frozen=True, slots=True)
class Product:
    """What a catalogue tells of a product, as far as duplicates go."""

    key: str  # its id
    category: str | None
    family: str | None
    seller: str | None
    photos: tuple[str, ...]  # keys, each once; other products may have the same ones


@dataclass(frozen=True, slots=True, eq=False)
class ProductPairs:
    """Pairs of two products' photos."""

    pair: NDArray[np.int64]  # (m,) number of the pair of photos
    left: NDArray[np.int64]  # (m,) number of a product of its left photo
    right: NDArray[np.int64]  # (m,) of a product of its right photo


@dataclass(frozen=True, slots=True, eq=False)
class ProductIndex:
    """Which of p products each of n photos shows."""

    products: tuple[Product, ...]  # p of them, in the table's order
    photos: tuple[str, ...]  # n keys
    stand_ins: tuple[str, ...]  # of these, those that more products than `MOST_PRODUCTS` have
    starts: NDArray[np.int64]  # (n + 1,) where in `owners` those of each photo begin
    owners: NDArray[np.int64]  # (m,) products, rising within each photo; none of a stand-in
    category: Codes  # (p,)
    family: Codes  # (p,)
    seller: Codes  # (p,)

    def allow(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say of pairs of photos whether they can show duplicates of each other.

        A pair can if any product of one photo and any of the other can be duplicates.

        Args:
            left: (k,) numbers of photos.
            right: (k,) of the others.

        Returns:
            (k,).
        """
        allowed = np.zeros(len(left), np.bool_)
        for found in self.pair_products(left, right):
            allowed[found.pair] = True
        return allowed

    def allow_any(self, photos: NDArray[np.int64]) -> bool:
        """Say whether any two photos can show duplicates of each other, in time linear in them.

        Two products of one category can be duplicates where their families differ; one without a
        family is a family of its own. If neither all of a category's photos here are one, nor all
        of its families, then two photos of two families are among them.

        Args:
            photos: (k,) numbers of photos, each once.
        """
        owned = np.diff(self.starts)[photos]
        photo = np.repeat(photos, owned)
        within = np.arange(len(photo)) - np.repeat(np.cumsum(owned) - owned, owned)
        product = self.owners[self.starts[photo] + within]
        if not len(product):
            return False
        family = np.where(self.family[product] == ALONE, -1 - product, self.family[product])
        order = np.argsort(self.category[product], kind="stable")
        starts = np.flatnonzero(np.diff(self.category[product][order], prepend=ALONE - 1))
        is_several = np.ones(len(starts), np.bool_)
        for column in (photo[order], family[order]):
            least, most = np.minimum.reduceat(column, starts), np.maximum.reduceat(column, starts)
            is_several &= least != most
        return bool(is_several.any())

    def pair_products(
        self, left: NDArray[np.int64], right: NDArray[np.int64]
    ) -> Iterator[ProductPairs]:
        """Yield the products that pairs of photos can show to be duplicates, in blocks.

        Args:
            left: (k,) numbers of photos.
            right: (k,) of the others.
        """
        owned = np.diff(self.starts)
        ends = np.cumsum(owned[left] * owned[right])
        low = 0
        while low < len(left):
            done = int(ends[low - 1]) if low else 0
            high = max(low + 1, int(np.searchsorted(ends, done + _CHUNK, "right")))
            yield self._pair_block(np.arange(low, high), left[low:high], right[low:high])
            low = high

    def _pair_block(
        self, number: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64]
    ) -> ProductPairs:
        owned = np.diff(self.starts)
        sizes = owned[left] * owned[right]
        at = np.repeat(np.arange(len(left)), sizes)
        within = np.arange(len(at)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        of_left, of_right = np.divmod(within, owned[right][at])
        left_product = self.owners[self.starts[left][at] + of_left]
        right_product = self.owners[self.starts[right][at] + of_right]
        held = self._can_be_duplicates(left_product, right_product)
        return ProductPairs(number[at[held]], left_product[held], right_product[held])

    def _can_be_duplicates(
        self, left: NDArray[np.int64], right: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        is_family = (self.family[left] == self.family[right]) & (self.family[left] != ALONE)
        held: NDArray[np.bool_] = (
            (left != right) & (self.category[left] == self.category[right]) & ~is_family
        )
        return held


def to_products(listings: Iterable[Listing]) -> tuple[Product, ...]:
    """Return what listings tell of products, in their order."""
    return tuple(
        Product(
            key=listing.key,
            category=listing.category,
            family=listing.family,
            seller=listing.seller,
            photos=tuple(dict.fromkeys(listing.photos)),
        )
        for listing in listings
    )


def index_products(
    products: Sequence[Product], photos: Sequence[str], most_products: int = MOST_PRODUCTS
) -> ProductIndex:
    """Number what products share.

    Args:
        products: p of them.
        photos: n keys of the photos that were searched; other photos of the products are left out.
        most_products: that a photo may show; one that more have tells nothing of any.
    """
    number_of = {key: number for number, key in enumerate(photos)}
    shown = [
        (number_of[key], owner)
        for owner, product in enumerate(products)
        for key in product.photos
        if key in number_of
    ]
    photo, owner = np.array(shown, np.int64).reshape(-1, 2).T
    counts = np.bincount(photo, minlength=len(photos))
    is_stand_in = counts > most_products
    is_kept = ~is_stand_in[photo]
    photo, owner = photo[is_kept], owner[is_kept]
    counts[is_stand_in] = 0
    return ProductIndex(
        products=tuple(products),
        photos=tuple(photos),
        stand_ins=tuple(photos[number] for number in np.flatnonzero(is_stand_in).tolist()),
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        owners=owner[np.argsort(photo, kind="stable")],
        category=_number([product.category for product in products]),
        family=codes_of_known([product.family and product.family.strip() for product in products]),
        seller=_number([product.seller for product in products]),
    )


def _number(labels: Sequence[str | None]) -> Codes:
    """Number labels that people write, so that those that mean the same have one number."""
    return codes_of_known([label and fold_label(label) for label in labels])


def relate(
    index: ProductIndex, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Say who sells both of k pairs of products.

    Args:
        index: of the products.
        left: (k,) numbers of products.
        right: (k,) of the others.

    Returns:
        (k,) numbers in `RELATIONS`.
    """
    one, other = index.seller[left], index.seller[right]
    known = np.where(
        one == other,
        RELATIONS.index(Relation.SAME_SELLER),
        RELATIONS.index(Relation.OTHER_SELLER),
    )
    is_unknown = (one == ALONE) | (other == ALONE)
    return np.where(is_unknown, RELATIONS.index(Relation.UNKNOWN), known)

"""`seentwice dedupe --catalogue`: duplicates among the products of a table."""

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from seentwice.commands.dedupe_options import CatalogueOptions
from seentwice.commands.options import quote_path
from seentwice.commands.progress import describe_rejects, print_plainly, show_progress
from seentwice.data.catalogue import read_catalogue
from seentwice.data.fetching.url_photos import path_of_url
from seentwice.data.tabular.photo_references import is_url
from seentwice.data.tabular.rejects import collect_rejects
from seentwice.data.tabular.rows import read_delimiter
from seentwice.data.tabular.spelling import TableSpelling
from seentwice.dedupe.findings import Duplicates, FoundPhoto
from seentwice.dedupe.folder import Searched
from seentwice.dedupe.matching import Allow
from seentwice.dedupe.pair_reasons import MOST_COPIES, list_pair_matches
from seentwice.dedupe.pictures import PhotoTable
from seentwice.dedupe.product_matches import ProductMatches, match_products
from seentwice.dedupe.products import (
    MOST_PRODUCTS,
    RELATIONS,
    Product,
    ProductIndex,
    index_products,
    to_products,
)
from seentwice.dedupe.products_json import write_products_json
from seentwice.dedupe.reading import Updated
from seentwice.display import name_count, name_first
from seentwice.records import Listing

_SPELLING = TableSpelling(
    delimiter="--delimiter",
    ask_delimiter="--delimiter '{character}'",
    ask_column="give --column {field}=COLUMN, COLUMN one of {columns}",
    no_column="--column {field}= for none",
    photo_rows="--rows photo",
)


@dataclass(slots=True)
class Catalogue:
    """Products, and once the photos are read, which photo shows which."""

    options: CatalogueOptions
    root: Path  # that paths of photos start from
    products: tuple[Product, ...]
    urls: Mapping[str, str]  # key of a photo that is on the web -> where
    rejected: int  # rows
    index: ProductIndex | None = None

    def choose_allowed(self, table: PhotoTable, updated: Updated) -> Allow:
        """Return what tells photos whose products cannot be duplicates."""
        photos = [table.key(photo) for photo in range(len(table))]
        name = {same.key: same.same_as for same in updated.same_files}
        products = [
            replace(product, photos=tuple(name.get(key, key) for key in product.photos))
            for product in self.products
        ]
        self.index = index_products(products, photos)
        return self.index.allow

    def keep_allowed(self, duplicates: Duplicates) -> Duplicates:
        """Return the groups in which two products can be duplicates, with each photo's product."""
        index = self.index
        assert index is not None, "the search chooses what is allowed"
        number_of = {key: number for number, key in enumerate(index.photos)}
        kept = []
        shown: set[int] = set()
        for group in duplicates.groups:
            numbers = np.array([number_of[photo.key] for photo in group.photos])
            if index.allow_any(numbers):
                photos = tuple(
                    _with_product(photo, index, number)
                    for photo, number in zip(group.photos, numbers.tolist(), strict=True)
                )
                kept.append(replace(group, photos=photos))
                for number in numbers.tolist():
                    shown.update(index.owners[index.starts[number] : index.starts[number + 1]])
        return replace(duplicates, groups=tuple(kept), links=(), products=len(shown))

    def write_products(self, searched: Searched, out: Path, console: Console) -> bool:
        """Write products.json, and tell how many products have duplicates.

        Returns:
            Whether each row gave a product or its photo, and each photo of a product was read.

        Raises:
            OSError: the folder cannot be written.
        """
        index = self.index
        assert index is not None, "the search chooses what is allowed"
        found = match_products(
            index, list_pair_matches(searched.found, searched.verifier, index.allow)
        )
        write_products_json(out / "products.json", found)
        known = set(index.photos)
        missing = [
            (product.key, photo)
            for product in index.products
            for photo in product.photos
            if photo not in known
        ]
        lines = (*_describe(found, index), *self._describe_missing(missing))
        for line in lines:
            print_plainly(line, console)
        many = np.bincount(searched.found.pictures.of_photo) > MOST_COPIES
        if many.any():
            photo = searched.found.table.key(int(searched.found.pictures.first[many][0]))
            print_plainly(
                f"  {name_count(int(many.sum()), 'picture', 'pictures')} of more than "
                f"{MOST_COPIES} files each say nothing of products: first {photo!r}",
                console,
            )
        return not missing and not self.rejected

    def _describe_missing(self, missing: Sequence[tuple[str, str]]) -> Iterator[str]:
        """Yield lines that tell of photos of products that were not read, and what to do."""
        if not missing:
            return
        names = [f"{product}: {self.urls.get(photo, photo)}" for product, photo in missing]
        is_are = "is" if len(missing) == 1 else "are"
        yield (
            f"  {name_count(len(missing), 'photo', 'photos')} of products {is_are} not among those "
            f"that were read: {name_first(names)}"
        )
        if any(photo in self.urls for _, photo in missing):
            file, root = quote_path(self.options.file), quote_path(self.root)
            words = ["seentwice", "prepare", "data=catalogue", f"data.file={file}"]
            told = shlex.join([*words, f"data.cache={root}"])
            yield f"  those on the web are fetched by: {told}"
        if len(missing) == sum(len(product.photos) for product in self.products):
            yield (
                f"  that is all of them: paths start in {self.root}, and --photo-separator "
                f"{shlex.quote(self.options.photo_separator)} stands between those of a cell"
            )


def _describe(found: ProductMatches, index: ProductIndex) -> Iterator[str]:
    """Yield lines that tell of products with duplicates, and of photos that say nothing."""
    doubled = len(np.unique(np.concatenate((found.left, found.right))))
    yield (
        f"{name_count(len(index.products), 'product', 'products')}, {doubled:,} of them with "
        f"duplicates (products.json): {name_count(len(found.left), 'pair', 'pairs')}"
    )
    for number, relation in enumerate(RELATIONS):
        count = int((found.relation == number).sum())
        if count:
            yield f"  {count:,}: {relation.value}"
    if index.stand_ins:
        yield (
            f"  {name_count(len(index.stand_ins), 'photo', 'photos')} of more than "
            f"{MOST_PRODUCTS} products say nothing: {name_first(index.stand_ins)}"
        )


def open_catalogue(options: CatalogueOptions, root: Path, out: Path, console: Console) -> Catalogue:
    """Read the products of a table.

    Args:
        options: which table, and how it is read.
        root: the folder that paths of photos start from; one that `seentwice prepare` filled holds
            those of URLs.
        out: a folder; rows that give no product are listed in its catalogue_rejects.csv.
        console: is told of them.

    Raises:
        UserError: the table is missing, lacks a column or has no row that can be read.
    """
    with (
        collect_rejects(out / "catalogue_rejects.csv") as rejects,
        show_progress("Reading the table (bytes)", console) as progress,
    ):
        listings = read_catalogue(
            options.file,
            options.columns,
            "photo" if options.is_row_a_photo else "product",
            root,
            options.photo_separator,
            read_delimiter("--delimiter", options.delimiter),
            rejects,
            progress,
            _SPELLING,
        )
        urls: dict[str, str] = {}
        products = to_products(_with_keys(listing, root, urls) for listing in listings)
    for line in describe_rejects(rejects.summary()):
        print_plainly(line, console)
    return Catalogue(options, root, products, urls, rejects.count)


def _with_keys(listing: Listing, root: Path, urls: dict[str, str]) -> Listing:
    """Name the photos of a listing as the table of photos does: by their paths below the root.

    Args:
        listing: whose photos are paths below the root, or URLs.
        root: holds what URLs serve.
        urls: gets each URL under the key of its photo.
    """
    keys = []
    for photo in listing.photos:
        if is_url(photo):
            keys.append(path_of_url(root, photo).relative_to(root).as_posix())
            urls[keys[-1]] = photo
        else:
            keys.append(os.path.normpath(photo))
    return replace(listing, photos=tuple(keys))


def _with_product(photo: FoundPhoto, index: ProductIndex, number: int) -> FoundPhoto:
    """Name the first product that a photo shows, and who sells it."""
    owners = index.owners[index.starts[number] : index.starts[number + 1]]
    if not len(owners):
        return photo
    product = index.products[int(owners[0])]
    return replace(photo, product=product.key, seller=product.seller)

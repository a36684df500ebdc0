"""The listings that look most like a photo: one scan by the whole score, explained by its parts."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from seentwice.errors import UserError
from seentwice.index.store import PhotoStore
from seentwice.recommend.answering import Asked, Question, answer_all
from seentwice.recommend.batching import BatchedSearch
from seentwice.recommend.candidates import Title
from seentwice.recommend.changing import (
    NewPhotos,
    drop_listing_from,
    prepare_state,
    put_listing_into,
)
from seentwice.recommend.filters import Filter
from seentwice.recommend.indexing import update_snapshot
from seentwice.recommend.listing_columns import open_listings
from seentwice.recommend.listing_table import has_listing, put_listing, remove_listing
from seentwice.recommend.listings import (
    ListingRecord,
    Listings,
    list_folders,
    list_photos,
)
from seentwice.recommend.photo_table import IndexedPhotos, unit_rows
from seentwice.recommend.results import Recommendation
from seentwice.recommend.scores import ScoreWeights
from seentwice.recommend.snapshot import About, Snapshot, open_snapshot
from seentwice.recommend.state import State
from seentwice.recommend.tags import choose_labels


class Recommender:
    """An index that is asked again and again, by any number of threads.

    A question sees the photos and listings of the moment when it began.
    """

    def __init__(self, folder: Path, root: Path, snapshot: Snapshot, listings: Listings) -> None:
        """Take what was opened; see `open`.

        Args:
            folder: of the index.
            root: of the photos.
            snapshot: photos and their rows, which change with the recommender.
            listings: of these photos.
        """
        self.root = root
        self.about = snapshot.about
        self._table = folder / snapshot.about.listings
        self.search = BatchedSearch()
        self._state = State(
            snapshot.about.tags,
            snapshot.about.grouping,
            snapshot.photos,
            snapshot.near,
            listings,
        )
        self._changing = Lock()

    @classmethod
    def open(cls, folder: Path) -> "Recommender":
        """Open the index of a folder as `seentwice index` made it.

        Photos that the store of photos has got or lost since are taken into account.

        Args:
            folder: of the index, which may be one that this account cannot write.

        Raises:
            UserError: nothing is there to recommend from, or it is damaged.
        """
        with PhotoStore.open_to_read(folder, lambda: None, "index") as store:
            snapshot = open_snapshot(folder)
            if store.generation() != snapshot.about.generation:
                snapshot = update_snapshot(snapshot, store, snapshot.about).snapshot
            root = Path(store.meta.root)
        listings = group_photos(folder, snapshot.about, snapshot.photos)
        return cls(folder, root, snapshot, listings)

    def prepare(self) -> None:
        """Do now what the first listing that is added would wait for."""
        with self._changing:
            self._state = prepare_state(self._state)

    @property
    def state(self) -> State:
        """Photos and listings of this moment."""
        return self._state

    @property
    def dimensions(self) -> int:
        """Of what is seen of a photo: probabilities of labels, then the embedding."""
        return self._state.near.dimensions

    def __len__(self) -> int:
        """Return how many listings may be recommended."""
        return int(np.count_nonzero(self._state.listings.counts))

    def has_listing(self, name: str) -> bool:
        """Say whether a listing with a photo has this id."""
        return name in self._state.listing_numbers

    def keeps_listing(self, name: str) -> bool:
        """Say whether the table on the disk has this id, also of a listing without a photo.

        Raises:
            UserError: there is no table, or it is damaged.
        """
        return has_listing(self._table, name)

    def name_photos(self, asked: Asked) -> list[str]:
        """Return the keys of the photos of the index that are asked about."""
        return [self._state.photos.keys[number] for number in asked.photos.tolist()]

    def ask_about(self, name: str, title: Title = "first") -> Asked:
        """Return what is asked about a listing, or about a photo of the index.

        Args:
            name: the id of a listing, or else the key of a photo.
            title: which photo of the listing; "any" asks about all of them.

        Raises:
            UserError: there is no such listing or photo, or no photo of the listing.
        """
        state = self._state
        listing = state.listing_numbers.get(name)
        if listing is None:
            return self.ask_about_photo(name)
        photos = state.titles_of(listing, title)
        return self._ask(state, photos, np.array([listing]))

    def ask_about_photo(self, key: str) -> Asked:
        """Return what is asked about a photo of the index; its own listings are no results.

        Raises:
            UserError: there is no such photo.
        """
        state = self._state
        number = state.photo_numbers.get(key)
        if number is None:
            raise UserError(
                f"{key!r}: no such listing and no such photo in the index; give an id, or a file"
            )
        photos = np.array([number])
        return self._ask(state, photos, state.owners_of(photos))

    def ask_about_file(self, sha256: bytes) -> Asked | None:
        """Return what is asked about a file that the index knows by its bytes; None otherwise.

        All photos of these bytes and their listings are no results.
        """
        state = self._state
        same = state.find_same(sha256)
        if not len(same):
            return None
        return replace(self._ask(state, same[:1], state.owners_of(same)), photos=same)

    def ask_about_values(self, values: NDArray[np.float32]) -> Asked:
        """Return what is asked about a photo that was looked at just now.

        Args:
            values: (t + e,) probabilities of labels, then the embedding, as the reader gives them.
        """
        state, none = self._state, np.empty(0, np.int64)
        width = state.tags.width
        labels = choose_labels(state.tags, values[np.newaxis, :width])
        embedding = unit_rows(values[np.newaxis, width:])
        return Asked(labels, embedding, none, none)

    def recommend(
        self,
        asked: Asked,
        k: int,
        filters: Sequence[Filter] = (),
        candidates: Sequence[str] | None = None,
        title: Title = "first",
        weights: ScoreWeights | None = None,
    ) -> tuple[Recommendation, ...]:
        """Return the k listings that look most like what is asked about, the best first.

        There are k wherever as many pass. Equal scores are in the order in which their photos
        came to the index, which for those of one run is that of their paths.

        Args:
            asked: see `ask_about` and `ask_about_values`.
            k: 1 or more.
            filters: that listings pass, or their photos by their tags.
            candidates: ids of the listings to choose from; None is all.
            title: by which photo listings are compared.
            weights: of the score; None is those of the index.

        Raises:
            UserError: a filter on no column, an unknown id, or no house front is known.
        """
        return self.recommend_many([asked], k, filters, candidates, title, weights)[0]

    def recommend_many(
        self,
        asked: Sequence[Asked],
        k: int,
        filters: Sequence[Filter] = (),
        candidates: Sequence[str] | None = None,
        title: Title = "first",
        weights: ScoreWeights | None = None,
    ) -> list[tuple[Recommendation, ...]]:
        """Answer several questions by one scan, each as `recommend` answers it."""
        how = Question(k, tuple(filters), candidates, title, weights or self.about.weights)
        return answer_all(self._state, self.search, asked, how)

    def add(self, record: ListingRecord, photos: NewPhotos) -> None:
        """Add a listing and its photos, or replace the listing of its id.

        The listing is on the disk when this returns.

        Args:
            record: names its photos: the new ones, and any that are there.
            photos: those that are new or have changed, kept by the store of photos before.

        Raises:
            UserError: the listings of this index come of its photos, this one has no photo, or it
                cannot be written; then nothing has changed.
        """
        self._require_table()
        with self._changing:
            changed = put_listing_into(self._state, record, photos)
            put_listing(self._table, record)
            self._state = changed

    def remove(self, listing: str) -> None:
        """Forget a listing; its photos stay, but are no results unless others show them.

        Raises:
            UserError: there is none of this id, or the index cannot be written.
        """
        self._require_table()
        with self._changing:
            number = self._state.listing_numbers.get(listing)
            is_kept = remove_listing(self._table, listing)
            if number is not None:
                self._state = drop_listing_from(self._state, number)
            elif not is_kept:
                raise UserError(f"no listing {listing!r}; give the id of one that was indexed")

    def _require_table(self) -> None:
        if self.about.grouping != "table":
            raise UserError(
                f"a listing of this index is each {self.about.grouping}, so none can be added or "
                "removed by its id; index with --listings"
            )

    def _ask(self, state: State, photos: NDArray[np.int64], listings: NDArray[np.int64]) -> Asked:
        embeddings = state.near.read(photos)[:, state.tags.width :]
        return Asked(state.photos.labels[photos], embeddings, photos, listings)


def group_photos(folder: Path, about: About, photos: IndexedPhotos) -> Listings:
    """Return the listings of an index.

    Args:
        folder: of the index, which keeps those of a table.
        about: what a listing is, and the name of their table.
        photos: of the index.

    Raises:
        UserError: the table of listings is missing or damaged.
    """
    if about.grouping == "table":
        return open_listings(folder / about.listings, photos.number())
    group = list_folders if about.grouping == "folder" else list_photos
    return group(photos.keys, photos.is_there)

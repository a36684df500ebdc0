"""Questions answered from an index, each by one call that a thread makes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seentwice.dedupe.findings import Match
from seentwice.dedupe.report.writing import DECIMALS, spell_name
from seentwice.errors import UserError
from seentwice.photos import PhotoError
from seentwice.recommend.answering import Asked
from seentwice.recommend.comparing import score_photos
from seentwice.recommend.results import Recommendation
from seentwice.recommend.state import State
from seentwice.web.adding import ListedPhotos
from seentwice.web.failures import ApiError, invalid, later
from seentwice.web.live_index import OpenedIndex
from seentwice.web.questions import Question
from seentwice.web.uploads import SentPhoto, check_photo, tell_unreadable

Record = dict[str, Any]
"""What becomes JSON."""


def see_photo(opened: OpenedIndex, photo: SentPhoto) -> Asked:
    """Return what is asked about a photo that was sent; one of the index is known by its bytes.

    Raises:
        ApiError: it gives no photo.
    """
    known = opened.recommender.ask_about_file(photo.sha256)
    if known is not None:
        return known
    return opened.recommender.ask_about_values(_look_at(opened, photo))


def recommend(opened: OpenedIndex, question: Question, asked: Asked | None) -> Record:
    """Return the listings that look most alike, the best first.

    Args:
        opened: the index.
        question: what is asked.
        asked: of a photo that was sent; None where an id is asked about.

    Raises:
        ApiError: there is no such id, or a filter on nothing.
    """
    recommender = opened.recommender
    if asked is None:
        asked = ask_about_id(opened, str(question.id), question)
    try:
        found = recommender.recommend(
            asked, question.k, question.filters, question.candidates, question.title
        )
    except UserError as error:
        raise invalid(str(error), _blame(opened, question)) from error
    state = recommender.state
    return {
        "weights": asdict(recommender.about.weights),
        "results": [_describe(state, one) for one in found],
    }


def ask_about_id(opened: OpenedIndex, id: str, question: Question) -> Asked:
    """Return what is asked about a listing or a photo of the index.

    Raises:
        ApiError: there is none.
    """
    state = opened.recommender.state
    if id not in state.listing_numbers and id not in state.photo_numbers:
        raise ApiError(404, "not_found", "no listing or photo of this id", "id")
    try:
        return opened.recommender.ask_about(id, question.title)
    except UserError as error:
        raise invalid(str(error), "title") from error


def rank_photos(opened: OpenedIndex, asked: Asked, k: int, sent: Sequence[SentPhoto]) -> Record:
    """Return photos that were sent as candidates, the best first, equal ones as they were sent.

    Raises:
        ApiError: one gives no photo.
    """
    about = opened.recommender.about
    rows = [_look_at(opened, photo) for photo in sent]
    parts = score_photos(about.tags, about.weights, asked, np.stack(rows))
    order = np.argsort(-parts.score, kind="stable")[:k].tolist()
    results = [
        {
            "rank": rank,
            "listing": None,
            "photo": None,
            "candidate": place,
            "sha256": sent[place].sha256.hex(),
            "class_points": float(parts.class_points[place]),
            "tag_points": float(parts.tag_points[place]),
            "visual_similarity": float(parts.visual_similarity[place]),
            "score": float(parts.score[place]),
        }
        for rank, place in enumerate(order, 1)
    ]
    return {"weights": asdict(about.weights), "results": results}


def describe_copies(opened: OpenedIndex, matches: Sequence[Match]) -> Record:
    """Return what a photo is a copy of."""
    state = opened.recommender.state
    return {"is_here": bool(matches), "copies": [_describe_copy(state, one) for one in matches]}


def describe_listing(listing: ListedPhotos) -> Record:
    """Return a listing as it is told."""
    photos = [
        {"photo": spell_name(key), "sha256": sha256.hex()}
        for key, sha256 in zip(listing.keys, listing.sha256, strict=True)
    ]
    return {"id": spell_name(listing.id), "photos": photos, "fields": listing.facts}


def _look_at(opened: OpenedIndex, photo: SentPhoto) -> NDArray[np.float32]:
    check_photo(photo)
    try:
        values: NDArray[np.float32] = opened.look_at([photo.file])[0]
    except PhotoError as error:
        raise tell_unreadable(error, photo.field) from error
    except UserError as error:
        raise later("unusable", "photos cannot be looked at now") from error
    return values


def _describe(state: State, one: Recommendation) -> Record:
    return {
        "rank": one.rank,
        "listing": spell_name(one.listing),
        "photo": spell_name(one.photo),
        "candidate": None,
        "sha256": state.photos.digests[state.photo_numbers[one.photo]].tobytes().hex(),
        "class_points": one.class_points,
        "tag_points": one.tag_points,
        "visual_similarity": one.visual_similarity,
        "score": one.score,
    }


def _describe_copy(state: State, match: Match) -> Record:
    number = state.photo_numbers.get(match.left)
    listings = [] if number is None else state.owners_of(np.array([number])).tolist()
    return {
        "photo": spell_name(match.left),
        "sha256": None if number is None else state.photos.digests[number].tobytes().hex(),
        "score": round(match.score, DECIMALS),
        "evidence": [evidence.value for evidence in match.evidence],
        "hash_bits": match.hash_bits,
        "listings": [spell_name(state.listings.ids[listing]) for listing in listings],
    }


def _blame(opened: OpenedIndex, question: Question) -> str:
    """Return which part of a question the index could not answer."""
    known: Mapping[str, int] = opened.recommender.state.listing_numbers
    if any(id not in known for id in question.candidates or ()):
        return "candidates"
    return "where" if question.filters else "title"

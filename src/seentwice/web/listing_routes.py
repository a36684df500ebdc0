"""POST /listings, GET and DELETE /listings/{id}."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from seentwice.recommend.listings import ListingRecord
from seentwice.web.adding import (
    ListedPhotos,
    add_listing,
    find_listing,
    remove_listing,
)
from seentwice.web.answers import ListingAnswer
from seentwice.web.asking import describe_listing as tell_listing
from seentwice.web.descriptions import describe_listing
from seentwice.web.failures import ApiError, describe_failures
from seentwice.web.limits import ServiceLimits
from seentwice.web.live_index import LiveIndex
from seentwice.web.photo_writer import PhotoWriter
from seentwice.web.question_routes import to_json, write
from seentwice.web.questions import LONGEST_ID, open_form
from seentwice.web.sent_listings import NewListing, read_listing
from seentwice.web.service import Service, call
from seentwice.web.uploads import Content, UploadFolder

ListingId = Annotated[
    str, Path(min_length=1, max_length=LONGEST_ID, description="Of a listing.", examples=["4711"])
]


def make_listing_routes(service: Service) -> APIRouter:
    """Return the operations on single listings."""
    router = APIRouter(tags=["listings"])
    limits = service.limits

    @router.post(
        "/listings",
        operation_id="add_listing",
        summary="Add a listing.",
        description="Once this answers, the listing is found, and is on the disk. The same listing "
        "again is 200 and changes nothing; other photos or fields under an id that is there are "
        "409: delete it first.",
        status_code=201,
        response_model=ListingAnswer,
        responses={
            **describe_failures(408, 409, 413, 415, 422),
            200: {"model": ListingAnswer, "description": "It was there, just so."},
        },
        openapi_extra={"requestBody": describe_listing(limits)},
    )
    async def answer_add(request: Request) -> Response:
        writer = service.writer
        if writer is None:
            raise ApiError(409, "read_only", "this service adds no listings")
        async with open_form(request, ("photos",), ("id", "fields"), limits) as form:
            new = read_listing(form, limits)
            listing, is_new = await call(
                request, service.adding, _add, service.live, writer, new, service.uploads, limits
            )
        answer = write(to_json(tell_listing(listing)))
        answer.status_code = 201 if is_new else 200
        return answer

    @router.get(
        "/listings/{listing_id:path}",
        operation_id="get_listing",
        summary="What the index holds of a listing.",
        response_model=ListingAnswer,
        responses=describe_failures(404, 422),
    )
    async def answer_get(listing_id: ListingId) -> Response:
        listing = find_listing(service.live.current.recommender.state, listing_id)
        if listing is None:
            raise ApiError(404, "not_found", "no listing of this id")
        return write(to_json(tell_listing(listing)))

    @router.delete(
        "/listings/{listing_id:path}",
        operation_id="delete_listing",
        summary="Forget a listing.",
        description="Its photos stay in the folder of photos, where POST /check finds them and GET "
        "/photos shows them, but are no results unless another listing shows them.",
        status_code=204,
        responses=describe_failures(404, 409, 422),
    )
    async def answer_delete(request: Request, listing_id: ListingId) -> Response:
        if service.writer is None:
            raise ApiError(409, "read_only", "this service removes no listings")
        await call(request, service.adding, remove_listing, service.live, listing_id)
        return Response(status_code=204)

    return router


def _add(
    live: LiveIndex,
    writer: PhotoWriter,
    new: NewListing,
    uploads: UploadFolder,
    limits: ServiceLimits,
) -> tuple[ListedPhotos, bool]:
    sent: Sequence[tuple[str, Content]] = [
        (f"photos.{place}", photo.file) for place, photo in enumerate(new.photos)
    ]
    with uploads.keep(sent) as kept:
        record = ListingRecord(new.id, (), new.fields)
        return add_listing(live, writer, record, kept, limits.columns)

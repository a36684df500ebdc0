"""POST /recommend and POST /check."""

import json

from fastapi import APIRouter, Request, Response

from seentwice.errors import UserError
from seentwice.photos import PhotoError
from seentwice.recommend.answering import Asked
from seentwice.web.answers import CheckAnswer, RecommendAnswer
from seentwice.web.asking import (
    Record,
    ask_about_id,
    describe_copies,
    rank_photos,
    recommend,
    see_photo,
)
from seentwice.web.descriptions import describe_photo, describe_question
from seentwice.web.failures import describe_failures, later
from seentwice.web.folder_index import CheckCopies
from seentwice.web.live_index import OpenedIndex
from seentwice.web.questions import (
    Question,
    kind_of,
    only_photo,
    open_form,
    read_form_question,
    read_json_question,
)
from seentwice.web.service import Service, call
from seentwice.web.uploads import Content, UploadFolder, check_photo, tell_unreadable

_FILES = ("photo", "candidate_photos")
_FIELDS = ("id", "k", "where", "candidates", "title")


def make_question_routes(service: Service) -> APIRouter:
    """Return the operations that ask an index."""
    router = APIRouter(tags=["questions"])
    limits = service.limits

    @router.post(
        "/recommend",
        operation_id="recommend",
        summary="Which listings look most alike?",
        description="To a photo that is sent, or to a listing or photo of the index; among all "
        "listings, those that pass filters, those that are named, or photos that are sent. What "
        "is asked about is no result.",
        response_model=RecommendAnswer,
        responses=describe_failures(404, 408, 413, 415, 422),
        openapi_extra={"requestBody": describe_question(limits)},
    )
    async def answer_recommend(request: Request) -> Response:
        opened = service.live.current
        if kind_of(request) == "application/json":
            question = await read_json_question(request, limits)
            return write(await call(request, service.asking, _ask, opened, question, None))
        async with open_form(request, _FILES, _FIELDS, limits) as form:
            question = read_form_question(form, limits)
            uploads = service.uploads
            if question.candidate_photos:
                found = await call(request, service.looking, _rank, opened, question, uploads)
                return write(found)
            asked = None
            if question.photo is not None:
                sent = question.photo.file
                asked = await call(request, service.looking, _see, opened, sent, uploads)
            return write(await call(request, service.asking, _ask, opened, question, asked))

    @router.post(
        "/check",
        operation_id="check",
        summary="Is this photo here already?",
        description="Copies of it in the index, by bytes, pixels and perceptual hashes, as they "
        "are, mirrored or turned.",
        response_model=CheckAnswer,
        responses=describe_failures(408, 413, 415, 422),
        openapi_extra={"requestBody": describe_photo()},
    )
    async def answer_check(request: Request) -> Response:
        check_copies = service.check_copies
        if check_copies is None:
            raise later("unusable", "this index holds no hashes")
        async with open_form(request, ("photo",), (), limits) as form:
            sent = only_photo(form).file
            opened, uploads = service.live.current, service.uploads
            found = await call(
                request, service.looking, _check, opened, check_copies, sent, uploads
            )
            return write(found)

    return router


def write(content: bytes) -> Response:
    """Return an answer of JSON."""
    return Response(content, media_type="application/json")


def to_json(record: Record) -> bytes:
    """Return the content of an answer."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def _ask(opened: OpenedIndex, question: Question, asked: Asked | None) -> bytes:
    return to_json(recommend(opened, question, asked))


def _see(opened: OpenedIndex, sent: Content, uploads: UploadFolder) -> Asked:
    with uploads.keep([("photo", sent)]) as (photo,):
        return see_photo(opened, photo)


def _rank(opened: OpenedIndex, question: Question, uploads: UploadFolder) -> bytes:
    """Answer with the photos that were sent as candidates."""
    if question.photo is None:
        asked = ask_about_id(opened, str(question.id), question)
    else:
        asked = _see(opened, question.photo.file, uploads)
    sent = [
        (f"candidate_photos.{place}", photo.file)
        for place, photo in enumerate(question.candidate_photos)
    ]
    with uploads.keep(sent) as kept:
        return to_json(rank_photos(opened, asked, question.k, kept))


def _check(
    opened: OpenedIndex, check_copies: CheckCopies, sent: Content, uploads: UploadFolder
) -> bytes:
    with uploads.keep([("photo", sent)]) as (photo,):
        check_photo(photo)
        try:
            matches = check_copies(photo.file).result()
        except PhotoError as error:
            raise tell_unreadable(error, "photo") from error
        except UserError as error:
            raise later("unusable", "the index cannot be asked for copies now") from error
    return to_json(describe_copies(opened, matches))

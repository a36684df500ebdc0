"""What a request asks, read from JSON or from a form with files."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal, get_args

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from seentwice.errors import UserError
from seentwice.recommend.candidates import Title
from seentwice.recommend.filters import Filter, read_filter
from seentwice.web.failures import CLOSE, ApiError, invalid, later, too_large
from seentwice.web.limits import ServiceLimits

LONGEST_ID = 500
_MOST_FILTERS = 50
_FORM = "multipart/form-data"


class RecommendQuestion(BaseModel):
    """What looks like a listing, or a photo, of the index."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str = Field(
        min_length=1,
        max_length=LONGEST_ID,
        description="Of a listing, or the name of a photo.",
        examples=["4711"],
    )
    k: int = Field(20, ge=1, description="How many results, at most.", examples=[20])
    where: list[str] = Field(
        [],
        max_length=_MOST_FILTERS,
        description="What listings must pass: COLUMN=VALUE, also != <= >= < >.",
        examples=[["city=Paris", "price<=500000"]],
    )
    candidates: list[str] | None = Field(
        None, description="Ids of the listings to choose from; null for all.", examples=[None]
    )
    title: Literal["first", "front", "any"] = Field(
        "first",
        description="By which of its photos a listing is compared: the first, the best house "
        "front, or whichever looks most alike.",
        examples=["first"],
    )


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for recommendations."""

    id: str | None  # or a photo
    photo: UploadFile | None
    k: int
    filters: tuple[Filter, ...]
    candidates: tuple[str, ...] | None  # ids
    candidate_photos: tuple[UploadFile, ...]
    title: Title


def kind_of(request: Request) -> str:
    """Return the type of a request's body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


@asynccontextmanager
async def open_form(
    request: Request, files: Sequence[str], fields: Sequence[str], limits: ServiceLimits
) -> AsyncIterator[FormData]:
    """Read a form whose parts have known names.

    Args:
        request: its body is read.
        files: names of parts that are files.
        fields: names of parts that are none.
        limits: of the service.

    Raises:
        ApiError: the body is no form, or has other parts.
    """
    if kind_of(request) != _FORM:
        raise ApiError(415, "unsupported_type", f"send {_FORM}")
    form = await _read_form(request, len(fields), limits)
    try:
        for name, value in form.multi_items():
            if name not in (*files, *fields):
                known = ", ".join((*files, *fields))
                raise invalid(f"no such field; choose of {known}", name[:100])
            if isinstance(value, UploadFile) != (name in files):
                expected = "a file" if name in files else "text"
                raise invalid(f"send {expected}", name)
        yield form
    finally:
        await form.close()


async def _read_form(request: Request, single_fields: int, limits: ServiceLimits) -> FormData:
    try:
        return await request.form(
            max_files=limits.photos + 1,
            max_fields=limits.candidates + _MOST_FILTERS + single_fields,
            max_part_size=limits.field_bytes,
        )
    except HTTPException as error:
        if "exceeded maximum size" in error.detail:
            raise too_large(f"a field may have {limits.field_bytes:,} bytes") from error
        if "Too many" in error.detail:
            raise ApiError(422, "invalid", error.detail, "body", CLOSE) from error
        raise
    except OSError as error:
        raise later("unwritable", "what is sent cannot be kept now") from error


async def read_json_question(request: Request, limits: ServiceLimits) -> Question:
    """Read a question about something of the index.

    Raises:
        ApiError: it is none.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limits.field_bytes:
            raise too_large(f"JSON may have {limits.field_bytes:,} bytes")
    try:
        asked = RecommendQuestion.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise invalid(first["msg"], ".".join(map(str, first["loc"])) or "body") from error
    candidates = None if asked.candidates is None else tuple(asked.candidates)
    return _check(
        Question(asked.id, None, asked.k, _read_filters(asked.where), candidates, (), asked.title),
        limits,
    )


def read_form_question(form: FormData, limits: ServiceLimits) -> Question:
    """Read a question about a photo that is sent, or about something of the index.

    Raises:
        ApiError: it is none.
    """
    photos = read_files(form, "photo")
    id = read_one(form, "id")
    if len(photos) + (id is not None) != 1:
        raise invalid("send one photo, or an id", "photo")
    title = read_one(form, "title") or "first"
    if title not in get_args(Title):
        raise invalid(f"choose one of {', '.join(get_args(Title))}", "title")
    ids = tuple(str(value) for value in form.getlist("candidates"))
    return _check(
        Question(
            id,
            photos[0] if photos else None,
            _whole_number(read_one(form, "k") or "20", "k"),
            _read_filters([str(value) for value in form.getlist("where")]),
            ids or None,
            read_files(form, "candidate_photos"),
            title,  # type: ignore[arg-type]  # one of them
        ),
        limits,
    )


def only_photo(form: FormData) -> UploadFile:
    """Return the photo of a form.

    Raises:
        ApiError: there is none, or there are more.
    """
    photos = read_files(form, "photo")
    if len(photos) != 1:
        raise invalid("send one photo", "photo")
    return photos[0]


def _check(question: Question, limits: ServiceLimits) -> Question:
    if not 1 <= question.k <= limits.results:
        raise invalid(f"k={question.k}: give 1 to {limits.results:,}", "k")
    if question.candidates is not None:
        if len(question.candidates) > limits.candidates:
            raise invalid(f"name {limits.candidates:,} candidates at most", "candidates")
        if question.candidate_photos:
            raise invalid("choose ids or photos as candidates", "candidate_photos")
    if len(question.candidate_photos) > limits.photos:
        raise invalid(f"send {limits.photos} candidates at most", "candidate_photos")
    if question.candidate_photos and question.filters:
        raise invalid("photos that are sent have no columns to filter by", "where")
    return question


def _read_filters(texts: Sequence[str]) -> tuple[Filter, ...]:
    if len(texts) > _MOST_FILTERS:
        raise invalid(f"give {_MOST_FILTERS} at most", "where")
    try:
        return tuple(map(read_filter, texts))
    except UserError as error:
        raise invalid(str(error), "where") from error


def read_one(form: FormData, name: str) -> str | None:
    """Return the text of a field; None where there is none.

    Raises:
        ApiError: there are several.
    """
    values = form.getlist(name)
    if len(values) > 1:
        raise invalid("give one", name)
    return str(values[0]) if values else None


def read_files(form: FormData, name: str) -> tuple[UploadFile, ...]:
    """Return the files of a field."""
    return tuple(value for value in form.getlist(name) if isinstance(value, UploadFile))


def _whole_number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise invalid("give a whole number", name)
    return int(text)

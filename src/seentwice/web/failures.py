"""What is told of a request that fails: one shape, whatever went wrong, and never a traceback."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

_LOG = logging.getLogger(__name__)
_LONGEST_MESSAGE = 500
CLOSE = {"Connection": "close"}
"""Of an answer to a request whose body was not read to its end."""
_GONE = 499  # for measures alone: nobody is there to read it
_NAMES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    422: "invalid",
}


class Failure(BaseModel):
    """What went wrong."""

    code: str = Field(description="For programs; see the responses.", examples=["invalid"])
    message: str = Field(description="For people.", examples=["k=0: give 1 to 1,000"])
    field: str | None = Field(None, description="Which part of the request.", examples=["k"])


class FailureAnswer(BaseModel):
    """The body of every answer that is no success."""

    error: Failure


class ApiError(Exception):
    """A request that is refused."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Take what is told.

        Args:
            status: of HTTP, 400 or more.
            code: for programs.
            message: for people.
            field: which part of the request it is about.
            headers: of the answer, besides those that all have.
        """
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.headers = headers


def invalid(message: str, field: str) -> ApiError:
    """Return the error of a part of a request that cannot be used."""
    return ApiError(422, "invalid", message, field)


def too_large(message: str) -> ApiError:
    """Return the error of a body of which no more is read."""
    return ApiError(413, "too_large", message, headers=CLOSE)


def later(code: str, message: str) -> ApiError:
    """Return the error of a request that may do if it is sent again."""
    return ApiError(503, code, message, headers={"Retry-After": "1"})


def answer_error(error: ApiError) -> Response:
    """Return the answer to a request that is refused."""
    message = error.message[:_LONGEST_MESSAGE]
    about = {"code": error.code, "message": message}
    if error.field is not None:
        about["field"] = error.field
    # ASCII: a message may quote half a character of what was sent.
    body = json.dumps({"error": about}, ensure_ascii=True)
    return Response(body, error.status, error.headers, "application/json")


def describe_failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the failures of an operation for its description, those of all operations included."""
    told = {
        400: "The request is no HTTP of this service.",
        401: "No key, or an unknown one, in X-API-Key.",
        403: "Sent by a page of another site.",
        404: "Not there.",
        408: "The body came too slowly.",
        409: "It is there already with other content, or the index does not allow it.",
        413: "The body is too large.",
        415: "The body is of another type.",
        422: "A part of the request cannot be used; `field` names it.",
        503: "Busy, too slow, or the index cannot be used now; try again after Retry-After.",
    }
    common = (400, 401, 403, 503)
    return {
        status: {"model": FailureAnswer, "description": told[status]}
        for status in sorted({*common, *statuses})
    }


def add_handlers(app: FastAPI) -> None:
    """Let every failure of an application be told in one shape."""

    async def tell(request: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)
        return answer_error(error)

    async def tell_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status, headers = error.status_code, error.headers
        if status == 405:
            headers = {"Allow": ", ".join(_list_methods(request))}
        code = _NAMES.get(status, "failed")
        return answer_error(ApiError(status, code, str(error.detail), headers=headers))

    async def tell_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"][1:])) or None
        return answer_error(ApiError(422, "invalid", str(first["msg"]), field))

    async def forget(request: Request, error: Exception) -> Response:
        return answer_error(ApiError(_GONE, "gone", "the client went away"))

    async def tell_unknown(request: Request, error: Exception) -> Response:
        _LOG.error("request failed", exc_info=error)
        return answer_error(ApiError(500, "internal", "it failed here; the log says why"))

    app.add_exception_handler(ApiError, tell)
    app.add_exception_handler(HTTPException, tell_http)
    app.add_exception_handler(RequestValidationError, tell_invalid)
    app.add_exception_handler(ClientDisconnect, forget)
    app.add_exception_handler(Exception, tell_unknown)


def _list_methods(request: Request) -> list[str]:
    """Return what a path can be asked by, of all operations that share it."""
    known: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] != Match.NONE:
            known |= getattr(route, "methods", None) or set()
    return sorted(known)

"""The page to try a service, its description, its health and its measures."""

from collections.abc import Awaitable, Callable
from importlib.resources import files

from fastapi import APIRouter, Response

from seentwice.web.answers import HealthAnswer
from seentwice.web.failures import describe_failures
from seentwice.web.keys import describe_key
from seentwice.web.metrics import CONTENT_TYPE
from seentwice.web.service import Service

_POLICY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
}
_FILES = {
    "/": ("index.html", "text/html"),
    "/docs": ("docs.html", "text/html"),
    "/docs.js": ("docs.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}


def make_page_routes(service: Service) -> APIRouter:
    """Return what is there besides operations on photos."""
    router = APIRouter()

    @router.get(
        "/health",
        operation_id="health",
        summary="Does the service answer?",
        tags=["service"],
        response_model=HealthAnswer,
        responses=describe_failures(),
    )
    async def answer_health() -> HealthAnswer:
        return HealthAnswer(status="ok")

    @router.get(
        "/metrics",
        operation_id="metrics",
        summary="Measures of the service, as Prometheus reads them.",
        tags=["service"],
        dependencies=describe_key(service.keys),
        response_class=Response,
        responses={
            **describe_failures(),
            200: {"content": {"text/plain": {}}, "description": "A line for each."},
        },
    )
    async def answer_metrics() -> Response:
        return Response(service.metrics.render(), media_type=CONTENT_TYPE)

    for path, (name, kind) in _FILES.items():
        content = files("seentwice.web").joinpath("page", name).read_bytes()
        router.add_api_route(path, _serve(content, kind), include_in_schema=False)
    return router


def _serve(content: bytes, kind: str) -> Callable[[], Awaitable[Response]]:
    async def answer_file() -> Response:
        return Response(content, media_type=kind, headers=_POLICY)

    return answer_file

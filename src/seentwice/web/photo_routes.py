"""GET /photos: photos of the index by the digest of their bytes."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from seentwice.web.failures import describe_failures
from seentwice.web.live_index import OpenedIndex
from seentwice.web.photo_files import FileAnswer, open_indexed, shrink
from seentwice.web.service import Service, call

Sha256 = Annotated[
    str,
    Path(
        pattern="^[0-9a-f]{64}$",
        description="Of the photo's bytes.",
        examples=["0123456789abcdef" * 4],
    ),
]
_KEPT = {"Cache-Control": "private, max-age=3600"}


def make_photo_routes(service: Service) -> APIRouter:
    """Return the operations that show photos of the index."""
    router = APIRouter(tags=["photos"])

    @router.get(
        "/photos/{sha256}",
        operation_id="get_photo",
        summary="The bytes of a photo of the index.",
        response_class=Response,
        responses={
            **describe_failures(404, 422),
            200: {"content": {"image/*": {}}, "description": "The file as it is."},
        },
    )
    async def answer_photo(request: Request, sha256: Sha256) -> Response:
        opened = service.live.current
        file, kind = await call(
            request, service.looking, open_indexed, opened, bytes.fromhex(sha256)
        )
        return FileAnswer(file, kind, _KEPT)

    @router.get(
        "/photos/{sha256}/thumbnail",
        operation_id="get_thumbnail",
        summary="A small JPEG of a photo of the index.",
        response_class=Response,
        responses={
            **describe_failures(404, 422),
            200: {"content": {"image/jpeg": {}}, "description": "Of the pixels alone."},
        },
    )
    async def answer_thumbnail(request: Request, sha256: Sha256) -> Response:
        content = await call(
            request,
            service.looking,
            _shrink,
            service.live.current,
            bytes.fromhex(sha256),
            service.limits.max_pixels,
        )
        return Response(content, media_type="image/jpeg", headers=_KEPT)

    return router


def _shrink(opened: OpenedIndex, sha256: bytes, max_pixels: int) -> bytes:
    file, _ = open_indexed(opened, sha256)
    with file:
        return shrink(file, max_pixels)

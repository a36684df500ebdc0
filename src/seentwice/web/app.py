"""The application of a service: its operations, and how they are described."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from seentwice import __version__
from seentwice.web.failures import add_handlers
from seentwice.web.guard import Guard
from seentwice.web.keys import describe_key
from seentwice.web.listing_routes import make_listing_routes
from seentwice.web.page_routes import make_page_routes
from seentwice.web.photo_routes import make_photo_routes
from seentwice.web.question_routes import make_question_routes
from seentwice.web.service import Service

_WHAT = """Homes that look alike, and photos that are here already.

Every failure is `{"error": {"code", "message", "field"}}`. Photos are JPEG, PNG, WebP, AVIF, TIFF,
GIF or BMP. Where the service was started with keys, every request but those for the page, this
document and `/health` has one in the header `X-API-Key`.
"""


def create_app(service: Service) -> Guard:
    """Return the application of a service, which is closed when the application ends."""

    @asynccontextmanager
    async def live(app: FastAPI) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            service.close()

    app = FastAPI(
        title="seentwice",
        summary="Recommendations and duplicates of photos of homes.",
        description=_WHAT,
        version=__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=live,
        redirect_slashes=False,
    )
    for router in (make_question_routes, make_listing_routes, make_photo_routes):
        app.include_router(router(service), dependencies=describe_key(service.keys))
    app.include_router(make_page_routes(service))
    add_handlers(app)
    return Guard(app, service.limits, service.keys, service.metrics)

"""A service: its index, the threads that work for it, and what ends with it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, TypeVarTuple

from fastapi import Request

from seentwice.web.failures import later
from seentwice.web.folder_index import CheckCopies
from seentwice.web.keys import ApiKeys
from seentwice.web.limits import ServiceLimits
from seentwice.web.live_index import LiveIndex
from seentwice.web.metrics import ServiceMetrics
from seentwice.web.photo_writer import PhotoWriter
from seentwice.web.uploads import UploadFolder

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")
_ASKING = 16  # questions that a scan may answer together
_LOOKING = 4  # photos that are read from the disk or sent at a time


class Closing(Protocol):
    """What is closed with a service."""

    def close(self) -> None:
        """Finish what runs, and let go."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """All that requests are answered with."""

    live: LiveIndex
    check_copies: CheckCopies | None  # None of an index without a table of photos
    writer: PhotoWriter | None  # None where nothing may be added
    limits: ServiceLimits
    keys: ApiKeys | None  # None lets everyone of this machine ask
    metrics: ServiceMetrics
    parts: tuple[Closing, ...] = ()  # that are closed with it
    uploads: UploadFolder = field(default_factory=UploadFolder)
    asking: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_ASKING, "ask"))
    looking: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_LOOKING, "look")
    )
    adding: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "add"))

    def start(self) -> None:
        """Begin to watch for a newer index."""
        self.live.start_watching()

    def close(self) -> None:
        """Finish what runs, and let go of files and threads."""
        for pool in (self.asking, self.looking, self.adding):
            pool.shutdown()
        self.live.close()
        for part in self.parts:
            part.close()
        self.uploads.close()


async def call(
    request: Request,
    pool: ThreadPoolExecutor,
    function: Callable[[*_Ts], _T],
    *args: *_Ts,
) -> _T:
    """Return what a function gives in a thread, or refuse where the request took too long.

    What has not begun by then does not run at all.

    Raises:
        ApiError: the time is over.
    """
    return await wait_for(request, pool.submit(function, *args))


async def wait_for(request: Request, future: "Future[_T]") -> _T:
    """Return what a thread gives, as `call` does."""
    left = request.state.deadline - asyncio.get_running_loop().time()
    try:
        return await asyncio.wait_for(asyncio.wrap_future(future), max(0.0, left))
    except TimeoutError as error:
        raise later("timeout", "it took too long; try again") from error

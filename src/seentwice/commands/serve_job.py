"""The work of `seentwice serve`."""

import logging
import os
from contextlib import suppress

from rich.console import Console

from seentwice.commands.progress import print_plainly
from seentwice.commands.serve import ServeOptions
from seentwice.display import name_count
from seentwice.web.folder_index import FolderSource
from seentwice.web.keys import read_keys
from seentwice.web.limits import ServiceLimits
from seentwice.web.server import listen, open_service, serve


def answer(options: ServeOptions, console: Console) -> int:
    """Serve an index until SIGTERM or Ctrl-C, and end with 0.

    Raises:
        UserError: there is no such index, the port is taken, or others could ask without a key.
    """
    keys = None if options.key_file is None else read_keys(options.key_file)
    limits = ServiceLimits(
        body_bytes=options.max_body_bytes,
        max_pixels=options.max_pixels,
        results=options.most_results,
        candidates=options.most_candidates,
        seconds=float(options.seconds),
        waiting=options.most_waiting,
    )
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    source = FolderSource(options.index, options.max_pixels, options.workers or os.cpu_count() or 1)
    listening = listen(options.host, options.port, keys)
    with listening:
        service = open_service(source, limits, keys, options.is_read_only)
        listings = len(service.live.current.recommender)
        host, port = listening.getsockname()[:2]
        place = f"[{host}]" if ":" in host else host
        print_plainly(
            f"{name_count(listings, 'listing', 'listings')} at http://{place}:{port}/", console
        )
        with suppress(KeyboardInterrupt):  # uvicorn raises the signal once more when it is done
            serve(service, listening)
    return 0

"""Answer recommendations and checks over HTTP."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seentwice.commands.options import OptionParser, whole_number
from seentwice.commands.photo_index import choose_index
from seentwice.commands.progress import open_console
from seentwice.errors import UserError

ON_STOP = "requests under way were answered"
_EXAMPLES = """\
  seentwice serve --among PHOTOS              PHOTOS is a folder that index has read
  seentwice serve --among PHOTOS --host 0.0.0.0 --api-key-file keys.txt
  kill -HUP PID                               opens the index anew; so does a run of index
"""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What is served, where, and how much of it."""

    index: Path
    host: str
    port: int
    key_file: Path | None
    is_read_only: bool
    workers: int | None  # None is one a core
    max_pixels: int
    max_body_bytes: int
    most_results: int
    most_candidates: int
    seconds: int
    most_waiting: int


def run(arguments: Sequence[str]) -> int:
    """Answer until the user stops it."""
    options = _read_options(arguments)
    if importlib.util.find_spec("fastapi") is None or importlib.util.find_spec("uvicorn") is None:
        raise UserError("serve needs FastAPI and uvicorn: pip install 'seentwice[web]'")
    from seentwice.commands.serve_job import answer  # brings torch, which --help need not

    return answer(options, open_console())


def _read_options(arguments: Sequence[str]) -> ServeOptions:
    given = _make_parser().parse(arguments)
    return ServeOptions(
        index=choose_index(given.index, given.among, "--among", "index"),
        host=given.host,
        port=given.port,
        key_file=given.api_key_file,
        is_read_only=given.read_only,
        workers=given.workers,
        max_pixels=given.max_pixels,
        max_body_bytes=given.max_body_mb * 1_000_000,
        most_results=given.max_results,
        most_candidates=given.max_candidates,
        seconds=given.max_seconds,
        most_waiting=given.max_waiting,
    )


def _make_parser() -> OptionParser:
    parser = OptionParser(
        "serve",
        "Answers over HTTP which listings look most like a photo, and whether a photo is here\n"
        "already; takes listings, and shows a page to try it. The index is what seentwice index\n"
        "made of a folder; a newer one is opened while the service answers.",
        _EXAMPLES,
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--among", type=Path, metavar="PHOTOS", help="folder that index has read")
    which.add_argument("--index", type=Path, metavar="FOLDER", help="as index --index named it")
    parser.add_argument(
        "--host", default="127.0.0.1", help="to listen at (default: 127.0.0.1, this machine alone)"
    )
    parser.add_argument(
        "--port", type=whole_number(0, 65_535), default=8000, help="0 is any (default: 8000)"
    )
    parser.add_argument(
        "--api-key-file",
        type=Path,
        metavar="FILE",
        help="keys, one a line, of which each request has one in the header X-API-Key",
    )
    parser.add_argument(
        "--read-only", action="store_true", help="take no listings, and write nothing"
    )
    limits = parser.add_argument_group("limits")
    count = whole_number(1)
    for option, default, what in (
        ("--max-body-mb", 64, "of a request"),
        ("--max-pixels", 100_000_000, "of a photo"),
        ("--max-results", 1_000, "of a question"),
        ("--max-candidates", 10_000, "ids that a question names"),
        ("--max-seconds", 20, "of a request; then it is refused"),
        ("--max-waiting", 64, "requests under way; more are refused"),
    ):
        limits.add_argument(
            option, type=count, default=default, metavar="N", help=f"{what} (default: {default:,})"
        )
    limits.add_argument(
        "--workers", type=count, metavar="N", help="threads that look at photos (default: a core)"
    )
    return parser

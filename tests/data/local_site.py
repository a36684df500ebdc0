"""A site on the loopback interface that answers what a test tells it to."""

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """What the site says to one path."""

    body: bytes
    status: int
    headers: dict[str, str]
    sent_bytes: int | None  # then the connection breaks
    announced: bool
    released: threading.Event | None  # waits for it before it answers
    releases: threading.Event | None  # sets it


class Site(ThreadingHTTPServer):
    """Answers as it was told and remembers what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.authorizations: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away."""

    def serve(
        self,
        path: str,
        body: bytes = b"",
        status: int = 200,
        headers: dict[str, str] | None = None,
        sent_bytes: int | None = None,
        announced: bool = True,
        released: threading.Event | None = None,
        releases: threading.Event | None = None,
    ) -> None:
        self.answers[path] = Answer(
            body, status, headers or {}, sent_bytes, announced, released, releases
        )


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.server.asked.append(self.path)
        self.server.authorizations.append(self.headers.get("Authorization"))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.server.answers.get(self.path)
        if answer is None:
            self.send_error(404)
            return
        if answer.releases is not None:
            answer.releases.set()
        if answer.released is not None:
            answer.released.wait(20)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.announced:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: answer.sent_bytes])

    def log_message(self, *args: object) -> None:
        """Say nothing."""

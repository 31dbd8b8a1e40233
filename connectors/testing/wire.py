"""A small HTTP server on localhost whose answers may also be wrong, late or missing."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What came in.

    Attributes:
        path: Path and query.
        headers: By lower-case name.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes
    verb: str = "POST"


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What goes out, or what another server answered.

    Attributes:
        length: The Content-Length to claim; the body's own if None.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None

    @property
    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


def json_answer(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> HttpAnswer:
    """Return an answer in JSON."""
    kind = {"content-type": "application/json; charset=utf-8"}
    return HttpAnswer(status, json.dumps(content).encode(), {**kind, **(headers or {})})


def post(url: str, body: bytes, headers: Mapping[str, str]) -> HttpAnswer:
    """Post to a server on localhost, past any proxy, and return whatever it answers."""
    if not url.startswith("http"):
        raise ValueError(f"{url!r} is not an address to post to; set it as http://127.0.0.1:…")
    request = Request(url, data=body, headers=dict(headers), method="POST")  # noqa: S310
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
            return HttpAnswer(answer.status, answer.read(), dict(answer.headers))
    except HTTPError as refusal:
        with refusal:
            return HttpAnswer(refusal.code, refusal.read(), dict(refusal.headers))


class LocalServer:
    """Answers every GET and POST on 127.0.0.1 with what ``respond`` returns.

    Args:
        respond: Called in a thread of its own per request; None cuts the connection.
        port: Where to listen; any free one for 0.
    """

    def __init__(self, respond: Callable[[HttpRequest], HttpAnswer | None], port: int = 0) -> None:
        class Connection(_Connection):
            pass

        Connection.respond = staticmethod(respond)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), Connection)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The address, without a slash at its end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Connection(BaseHTTPRequestHandler):
    respond: Callable[[HttpRequest], HttpAnswer | None]

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def _answer(self, verb: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.respond(HttpRequest(self.path, headers, body, verb))
        self.close_connection = True
        if answer is not None:
            self._send(answer)

    def _send(self, answer: HttpAnswer) -> None:
        try:
            self.send_response_only(answer.status)  # the date is the answer's to say
            for name, value in answer.headers.items():
                self.send_header(name, value)
            length = len(answer.body) if answer.length is None else answer.length
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(answer.body)
        except (BrokenPipeError, ConnectionResetError):
            return  # the client has given up waiting

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the inherited name
        """Log nothing."""

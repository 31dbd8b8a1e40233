"""Requests that nobody entitled sends: made by chance from a seed, and put to the inbox."""

import gzip
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

POSTED = ("/slack/interactions", "/slack/events", "/receipts/crm", "/receipts/nowhere")
"""Where systems send what they have signed."""
FOLLOWED = ("/answer/", "/static/", "/")
"""Where somebody may go on with a path of their own."""
ASKED = ("/healthz", "/livez", "/metrics")

_BOMB = gzip.compress(b"\0" * 20_000_000, 9)
_NAMES = (
    b"x-slack-signature",
    b"x-slack-request-timestamp",
    b"webhook-id",
    b"webhook-timestamp",
    b"webhook-signature",
    b"content-encoding",
    b"content-type",
    b"transfer-encoding",
    b"cookie",
    b"authorization",
    b"x-forwarded-for",
    b"x-original-url",
)
_VALUES = (
    b"",
    b"0",
    b"-1",
    b"1e9",
    b"9" * 400,
    b"yesterday",
    b"v0=" + b"0" * 64,
    b"v0=\xff\xfe",
    b"v1," + b"A" * 44,
    b"v1,",
    b"v1",
    b" ".join([b"v1,A"] * 500),
    b"\x00",
    b"\xc3\x28",
    b"gzip",
    b"deflate, br",
    b"chunked",
    b"application/json; charset=utf-7",
    b"multipart/form-data",
    b"multipart/form-data; boundary=" + b"-" * 300,
    b"application/x-www-form-urlencoded",
    b"Bearer null",
    b"followthrough_person=mia.chen; followthrough_session=e30=.x.y",
    b"../../etc/passwd",
    b"' OR 1=1 --",
)
_STEPS = (
    "..", ".", "%2e%2e", "..%2f..%2f", "%00", "%ff%fe", "etc/passwd", "CSC-1", "%5c..%5c", "//",
    "\N{FULLWIDTH FULL STOP}\N{FULLWIDTH FULL STOP}", "a" * 5_000, "%0d%0aSet-Cookie:x=y", ";", "*",
    "WyJtaWEuY2hlbiJd.x", "~", "%", "{{7*7}}", "inbox.css%00.png",
)  # fmt: skip
_BODIES = (
    b"",
    b"payload=",
    b"payload={",
    b'payload=%7B"type":"block_actions"%7D',
    b"payload=%ff%fe",
    b"\xff\xfe\x00",
    b"[" * 20_000,
    b'{"data": {"decision": "churn-save-call", "subject": "acme"}}',
    b"null",
    b"payload=1&" * 2_000,
    _BOMB,
)


@dataclass(frozen=True, slots=True)
class HostileRequest:
    """What is put to the inbox, below any client that would tidy it up."""

    method: str
    path: str
    query: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)

    def scope(self) -> dict[str, Any]:
        """Return it as ASGI has it."""
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": unquote_to_bytes(self.path).decode("utf-8", "replace"),
            "raw_path": self.path.encode(),
            "query_string": self.query,
            "root_path": "",
            "headers": [(b"host", b"127.0.0.1:8484"), *self.headers],
            "client": ("127.0.0.1", 40_000),
            "server": ("127.0.0.1", 8484),
        }


def hostile_posts(count: int, paths: Sequence[str], *, seed: int) -> Iterator[HostileRequest]:
    """Yield so many requests to these paths; the same ones for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        yield _post(chance, paths)


def hostile_requests(count: int, *, seed: int) -> Iterator[HostileRequest]:
    """Yield so many requests; the same ones for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        kind = chance.random()
        if kind < 0.7:
            yield _post(chance, POSTED)
        elif kind < 0.95:
            steps = chance.choices(_STEPS, k=chance.randint(1, 4))
            path = chance.choice(FOLLOWED) + chance.choice(("/", "")).join(steps)
            yield HostileRequest("GET", path, headers=_headers(chance))
        else:
            query = chance.choice((b"", b"a=b", b"name[]=x", b"\xff=%", b"x" * 3_000))
            path = chance.choice(ASKED)
            yield HostileRequest("GET", path, query=query, headers=_headers(chance))


def _post(chance: random.Random, paths: Sequence[str]) -> HostileRequest:
    path, headers = chance.choice(paths), _headers(chance)
    return HostileRequest("POST", path, headers=headers, chunks=_chunks(chance))


def _headers(chance: random.Random) -> list[tuple[bytes, bytes]]:
    names = chance.choices(_NAMES, k=chance.randint(0, 6))
    return [(name, _value(chance)) for name in names]


def _value(chance: random.Random) -> bytes:
    if chance.random() < 0.8:
        return chance.choice(_VALUES)
    return chance.randbytes(chance.randint(1, 60)).replace(b"\n", b"").replace(b"\r", b"")


def _chunks(chance: random.Random) -> list[bytes]:
    fate = chance.random()
    if fate < 0.02:  # too much, a piece at a time, without saying beforehand how much
        return [b"x" * 65_536] * chance.randint(9, 20)
    if fate < 0.8:
        return [chance.choice(_BODIES)]
    return [chance.randbytes(chance.randint(1, 2_000)) for _ in range(chance.randint(1, 5))]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the inbox answered."""

    status: int
    headers: Mapping[bytes, bytes]
    read: int
    """Bytes of the request that were read."""


async def put(app: Any, request: HostileRequest) -> Reply:
    """Put a request to the application, as a server does."""
    left, read, said = list(request.chunks), 0, {}

    async def receive() -> dict[str, Any]:
        nonlocal read
        chunk = left.pop(0) if left else b""
        read += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": bool(left)}

    async def send(message: dict[str, Any]) -> None:
        said.update(message)

    await app(request.scope(), receive, send)
    return Reply(said["status"], dict(said["headers"]), read)

"""What every answer of the inbox carries, and which requests are turned away unread.

A page of another site must not answer a case in a reader's name (it cannot post here), must not
frame these pages, and must not read them by giving its own name our address.
"""

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows.messages import LINK_PATH

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not no-referrer: with it browsers hide a form's origin even from the page's own server.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
HEALTH: Final = "/healthz"
"""Asked by machines that know the inbox by its number alone; it tells nothing of a case."""

METRICS: Final = "/metrics"
"""The same, for Prometheus."""

ALIVE: Final = "/livez"
"""Whether it answers at all, whatever it would have to say."""

OPEN_TO_MACHINES: Final = (ALIVE, HEALTH, METRICS)
SIGNED: Final = ("/slack/", "/receipts/")
"""Where each request is signed by a system; no browser can be led to send one, from nowhere."""
PROVEN_OTHERWISE: Final = (*SIGNED, "/api/", f"{LINK_PATH}/")
"""Where a signature or a token says who asks, so that local mode need not care from where."""

STATIC: Final = "/static/"
"""Styles and scripts: they tell nothing, and whoever opens a personal link needs them."""

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_NOT_FROM_THERE = (
    "This inbox has no sign-in, so it answers the machine it runs on and no other. To let people "
    "in from elsewhere set FOLLOWTHROUGH_OIDC_ISSUER; docs/how-to/sign-in.md says how.\n"
)
_HARMLESS = ("GET", "HEAD", "OPTIONS")


class Guard:
    """Turns away requests that no page of ours and no program of the reader's has sent.

    Args:
        app: What is guarded.
        url: The inbox's address as people reach it.
        is_local: Whether nobody signs in, so that this machine alone is served.
    """

    def __init__(self, app: ASGIApp, *, url: str, is_local: bool) -> None:
        self._app = app
        self._url = url
        self._is_local = is_local
        self._hosts = {*_THIS_MACHINE, urlsplit(url).hostname}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or have it answered, with our headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_safely)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._is_local and _is_remote(scope):
            return PlainTextResponse(_NOT_FROM_THERE, status_code=403)
        if scope["path"].startswith(SIGNED):
            return None
        if scope["path"] not in OPEN_TO_MACHINES and _hostname(host) not in self._hosts:
            return PlainTextResponse(
                f"This inbox is reached at {self._url}, not at {host!r}. If that is its address, "
                "set FOLLOWTHROUGH_URL to it.\n",
                status_code=400,
            )
        if scope["method"] not in _HARMLESS and _is_from_elsewhere(scope, headers, host):
            return PlainTextResponse(
                "Nothing was recorded: this was sent from a page of another site. "
                f"Open {self._url} and answer there.\n",
                status_code=403,
            )
        return None


async def body_within(request: Request, largest: int) -> bytes | None:
    """Return the body, or None as soon as it proves too large.

    Args:
        request: What came; nothing has read its body yet. Packed bodies are not unpacked.
        largest: How many bytes it may have.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            return None
    return bytes(body)


def _is_remote(scope: Scope) -> bool:
    """Whether it comes from another machine, and nothing else tells who asks."""
    open_to_all = (*PROVEN_OTHERWISE, STATIC)
    if scope["path"] in OPEN_TO_MACHINES or scope["path"].startswith(open_to_all):
        return False
    address = (scope.get("client") or ("",))[0]
    try:
        return not ip_address(address).is_loopback
    except ValueError:
        return True


def _is_from_elsewhere(scope: Scope, headers: Headers, host: str) -> bool:
    """Whether a browser sent it for a page of another origin.

    Every browser says where a form was; what does not, and brings a cookie along, is not trusted.
    Programs have neither.
    """
    if site := headers.get("sec-fetch-site"):
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    if origin is None:
        return "cookie" in headers and not scope["path"].startswith(PROVEN_OTHERWISE)
    return origin.partition("://")[2] != host


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None

"""How much a request may bring along; what brings more is turned away, however it is sent."""

from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY: Final = 1024 * 1024
"""Bytes; no form and no call has a tenth of it."""


OWN_LIMIT: Final = "/api/"
"""The API takes more, and says what is too much in its own form."""


class Limit:
    """Reads no more of a request than it may have; nothing of what is cut short is acted on.

    Args:
        app: What answers the rest.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the request answered, or answer 413."""
        if scope["type"] != "http" or scope["path"].startswith(OWN_LIMIT):
            await self._app(scope, receive, send)
            return
        claimed = Headers(scope=scope).get("content-length", "0")
        if not (claimed.isascii() and claimed.isdigit()) or int(claimed[:20]) > LARGEST_BODY:
            await Response(status_code=413)(scope, receive, send)
            return
        reading = _Reading(receive, send)
        await self._app(scope, reading.receive, reading.send)


class _Reading:
    """One request as it comes in; once it is too large it looks as if the sender had gone."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._read = 0

    @property
    def _is_too_large(self) -> bool:
        return self._read > LARGEST_BODY

    async def receive(self) -> Message:
        message = await self._receive()
        self._read += len(message.get("body", b""))
        return {"type": "http.disconnect"} if self._is_too_large else message

    async def send(self, message: Message) -> None:
        if self._is_too_large and message["type"] == "http.response.start":
            message["status"] = 413
        await self._send(message)

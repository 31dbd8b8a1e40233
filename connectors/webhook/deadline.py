"""A bound on a whole exchange over HTTP; the client's own bounds each of its steps alone."""

import socket
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from threading import Timer
from typing import Any, Self


class Deadline:
    """Cuts a connection that takes too long, so that whoever reads from it finds it ended.

    Args:
        budget: How long the exchange may take, counted from entering the context.
    """

    def __init__(self, budget: timedelta) -> None:
        self._timer = Timer(budget.total_seconds(), self._cut)
        self._timer.daemon = True
        self._connection: socket.socket | None = None
        self._is_over = False

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._timer.cancel()
        if self._connection is not None:
            self._connection.close()

    def watch(self, event: str, about: Mapping[str, Any]) -> None:
        """Take note of the connection once there is one; see the ``trace`` extension of httpx."""
        if event == "connection.connect_tcp.complete":
            # A copy of our own: speaking TLS takes the socket itself away.
            self._connection = about["return_value"].get_extra_info("socket").dup()
            if self._is_over:
                self._cut()

    def _cut(self) -> None:
        self._is_over = True
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)

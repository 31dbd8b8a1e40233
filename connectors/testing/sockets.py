"""Slack's end of Socket Mode: connections that the app opens, and what is sent over them.

Sources:
    https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import json
from collections.abc import Mapping
from queue import Empty, Queue
from threading import Condition, RLock, Thread
from typing import Any, Self
from uuid import uuid4

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

PATIENCE = 3.0
"""Seconds within which an envelope has to be acknowledged."""

_Json = Mapping[str, Any]


class Sockets:
    """Connections of one app; each envelope goes to any one of them.

    Attributes:
        unacknowledged: Envelopes that nobody acknowledged in time.

    Args:
        app: The app's id.
    """

    def __init__(self, app: str) -> None:
        self.unacknowledged = 0
        self._app = app
        self._tickets: set[str] = set()
        self._open: list[ServerConnection] = []
        self._answers: dict[str, Queue[_Json]] = {}
        self._lock = RLock()
        self._changed = Condition(self._lock)
        self._server: Server | None = None
        self._thread: Thread | None = None

    def __enter__(self) -> Self:
        self._server = serve(self._connected, "127.0.0.1", 0)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self.disconnect()
            self._thread.join()

    def url(self) -> str:
        """Return an address for one connection."""
        if self._server is None:
            raise RuntimeError("the sockets are not open")
        ticket = uuid4().hex
        self._tickets.add(ticket)
        return f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/link/?ticket={ticket}"

    @property
    def count(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def disconnect(self) -> None:
        """Close every connection, after the warning that Slack gives."""
        with self._lock:
            gone, self._open = self._open, []
        for connection in gone:
            try:
                connection.send(json.dumps({"type": "disconnect", "reason": "refresh_requested"}))
                connection.close()
            except ConnectionClosed:
                continue

    def deliver(self, kind: str, payload: _Json, **about: Any) -> _Json | None:
        """Send an envelope and return its acknowledgement; None when none came in time.

        Args:
            kind: ``interactive`` or ``events_api``.
            payload: What is in it.
            about: More of the envelope, such as ``retry_attempt``.

        Raises:
            LookupError: No connection is open.
        """
        with self._changed:
            # The app may believe itself connected a moment before it is so here.
            if not self._changed.wait_for(lambda: self._open, timeout=1.0):
                raise LookupError("the app has no connection open")
            connection = self._open[0]
            self._open.append(self._open.pop(0))
        name = str(uuid4())
        answers = self._answers[name] = Queue()
        takes_answer = kind == "interactive"
        envelope = {"envelope_id": name, "type": kind, "payload": payload, **about}
        envelope["accepts_response_payload"] = takes_answer
        try:
            connection.send(json.dumps(envelope))
            return answers.get(timeout=PATIENCE)
        except (Empty, ConnectionClosed):
            self.unacknowledged += 1
            return None
        finally:
            del self._answers[name]

    def _connected(self, connection: ServerConnection) -> None:
        request = connection.request
        ticket = (request.path if request else "").rpartition("ticket=")[2]
        if ticket not in self._tickets:
            connection.close(4001, "unknown ticket")
            return
        self._tickets.discard(ticket)
        hello: dict[str, Any] = {"type": "hello", "connection_info": {"app_id": self._app}}
        with self._changed:
            self._open.append(connection)
            self._changed.notify_all()
            hello["num_connections"] = len(self._open)
        try:
            connection.send(json.dumps(hello))
            for text in connection:
                self._heard(text)
        except ConnectionClosed:
            pass
        finally:
            with self._lock:
                if connection in self._open:
                    self._open.remove(connection)

    def _heard(self, text: str | bytes) -> None:
        try:
            answer = json.loads(text)
            waiting = self._answers.get(answer["envelope_id"])
        except (ValueError, LookupError, TypeError):
            return  # as Slack does, with what it does not understand
        if waiting is not None:
            waiting.put(answer)

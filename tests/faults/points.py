"""Named points at which a process sends itself a signal, laid around what it already does.

Nothing of the program knows them: ledger, database driver and HTTP client are wrapped from outside.
"""

import http.client
import os
import signal
from contextlib import contextmanager

from sqlalchemy import event

WRITES = ("ingest", "claim", "departure", "settle", "step", "answer")
CALLS = {"post": "chat_postMessage", "look": "conversations_history", "amend": "chat_update"}
POINTS = (
    *(f"{name} before commit" for name in WRITES),
    *(f"{name} after commit" for name in WRITES),
    *(f"{name} before request" for name in CALLS),
    *(f"{name} in flight" for name in CALLS),
    *(f"{name} after answer" for name in CALLS),
)


class Mine:
    """Lays one point into a company's process; passing it is the end, or a long sleep.

    Args:
        company: The process's own.
        point: One of ``POINTS``.
        by: The signal it sends itself there, once.
    """

    def __init__(self, company, point, by=signal.SIGKILL):
        self._point = point
        self._by = by
        self._doing = None
        ledger = company.ledger
        for place, name, doing in (
            (ledger.runs, "record", "ingest"),
            (ledger.outbox, "claim", "claim"),
            (ledger.outbox, "is_held", "departure"),
            (ledger.outbox, "settle", "settle"),
            (company.layer.pursuit, "take_step", "step"),
            (company.desk, "_answer", "answer"),
        ):
            setattr(place, name, self._named(getattr(place, name), doing, "after commit"))
        engine = ledger._store.engine
        event.listen(engine, "commit", lambda _connection: self.pass_("before commit"))
        for doing, name in CALLS.items():
            client = company.channel._client
            setattr(client, name, self._named(getattr(client, name), doing, "after answer"))
        self._lay_in_flight()

    def _named(self, call, doing, afterwards):
        def wrapped(*args, **named):
            with self._doing_it(doing):
                if afterwards == "after answer":
                    self.pass_("before request")
                found = call(*args, **named)
                if found not in ([], None, False) or doing in {"departure", "ingest"}:
                    self.pass_(afterwards)
                return found

        # Slack's channel names what it asked by the method's name.
        wrapped.__name__ = call.__name__
        return wrapped

    @contextmanager
    def _doing_it(self, doing):
        before, self._doing = self._doing, doing
        try:
            yield
        finally:
            self._doing = before

    def _lay_in_flight(self):
        answer = http.client.HTTPConnection.getresponse

        def getresponse(connection):
            self.pass_("in flight")
            return answer(connection)

        http.client.HTTPConnection.getresponse = getresponse

    def pass_(self, where):
        if f"{self._doing} {where}" == self._point:
            self._point = None
            os.kill(os.getpid(), self._by)

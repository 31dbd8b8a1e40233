"""What machines ask of the inbox: whether all is well, and the figures behind that."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from time import monotonic

from fastapi.responses import JSONResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Histogram,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from decisions.errors import LedgerError
from decisions.ledger.pulse import Totals
from flows.wiring import Layer

_LOG = logging.getLogger(__name__)

COUNTED_EVERY = timedelta(minutes=1)
"""Totals count every row, so they are not counted at every question."""


class Operation:
    """Answers monitors; tells nothing of a case or a person.

    Args:
        layer: Everything there is.
    """

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._totals: tuple[float, Totals] | None = None
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        self.answering = Histogram(
            "followthrough_request_seconds",
            "How long this inbox took to answer, by route.",
            ["method", "route", "status"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3),
            registry=self._registry,
        )

    def alive(self) -> JSONResponse:
        """Say that the program runs."""
        return JSONResponse({"ok": True})

    def health(self) -> JSONResponse:
        """Say whether the ledger can be reached and what is due is taken up."""
        try:
            backlog = self._layer.ledger.pulse.backlog(self._layer.clock())
        except LedgerError as fault:
            _LOG.error("%s", fault)
            return JSONResponse({"ok": False, "ledger": "out of reach"}, 503)
        bound = self._layer.settings.late_after
        late = sorted(kind for kind, found in backlog.items() if found.oldest > bound)
        told = {
            "ok": not late,
            "ledger": "reachable",
            "late": late,
            "due": {kind: found.count for kind, found in backlog.items()},
            "oldest_due_seconds": {
                kind: round(found.oldest.total_seconds()) for kind, found in backlog.items()
            },
        }
        return JSONResponse(told, 503 if late else 200)

    def metrics(self) -> Response:
        """Return the figures in Prometheus's text format."""
        try:
            written = generate_latest(self._registry)
        except LedgerError as fault:
            _LOG.error("%s", fault)
            return PlainTextResponse("the ledger is out of reach\n", 503)
        return Response(written, media_type=CONTENT_TYPE_LATEST)

    def collect(self) -> Iterator[Metric]:
        """Yield the figures; see ``prometheus_client.registry.Collector``."""
        due = GaugeMetricFamily("followthrough_due", "Rows that are due now.", labels=["work"])
        oldest = GaugeMetricFamily(
            "followthrough_oldest_due_seconds",
            "For how long the first row has been due.",
            labels=["work"],
        )
        for work, found in self._layer.ledger.pulse.backlog(self._layer.clock()).items():
            due.add_metric([work], found.count)
            oldest.add_metric([work], found.oldest.total_seconds())
        yield from (due, oldest)
        totals = self._counted()
        for name, what, label, counts in (
            ("messages", "Messages by the state they are in.", "state", totals.messages),
            ("cases", "Cases by the state they are in.", "state", totals.cases),
        ):
            gauge = GaugeMetricFamily(f"followthrough_{name}", what, labels=[label])
            for state, count in sorted(counts.items()):
                gauge.add_metric([state], count)
            yield gauge
        answers = CounterMetricFamily(
            "followthrough_answers", "Answers recorded, late ones apart.", labels=["kind"]
        )
        for kind, count in sorted((kind, n) for kind, n in totals.answers.items() if kind):
            answers.add_metric([kind], count)
        yield answers
        delivery = GaugeMetricFamily(
            "followthrough_delivery_seconds",
            "How long messages sent within the last hour had waited.",
            labels=["statistic"],
        )
        for statistic, span in (
            ("mean", totals.mean_delivery),
            ("longest", totals.longest_delivery),
        ):
            if span is not None:
                delivery.add_metric([statistic], span.total_seconds())
        yield delivery

    def _counted(self) -> Totals:
        now = monotonic()
        if self._totals is None or now - self._totals[0] > COUNTED_EVERY.total_seconds():
            self._totals = now, self._layer.ledger.pulse.totals(self._layer.clock())
        return self._totals[1]


class Stopwatch:
    """Times every answer by its route; the addresses themselves name cases and are not kept.

    Args:
        app: What answers.
        answering: Where the times go.
    """

    def __init__(self, app: ASGIApp, answering: Histogram) -> None:
        self._app = app
        self._answering = answering

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the request answered, and note when the first of the answer left."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, above, is_noted = monotonic(), scope.get("root_path", ""), False

        def note(status: int) -> None:
            nonlocal is_noted
            is_noted = True
            route, method = "none", "any"
            if found := getattr(scope.get("route"), "path", None):
                mounted = scope.get("root_path", "").removeprefix(above)
                route, method = mounted + found, scope["method"]
            self._answering.labels(method, route, str(status)).observe(monotonic() - begun)

        async def send_timed(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                note(message["status"])

        try:
            await self._app(scope, receive, send_timed)
        except Exception:
            if not is_noted:  # what answers it stands further out
                note(500)
            raise

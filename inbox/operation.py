"""What machines ask of the inbox: whether all is well, and the figures behind that."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from time import monotonic

from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from starlette.responses import PlainTextResponse, Response

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

    def _counted(self) -> Totals:
        now = monotonic()
        if self._totals is None or now - self._totals[0] > COUNTED_EVERY.total_seconds():
            self._totals = now, self._layer.ledger.pulse.totals()
        return self._totals[1]

"""Receipts of other systems: checked, read, recorded, and only then said to be taken.

The sender is a program, so every answer is JSON. Whoever has not signed learns nothing: not
whether there is such a connection, such a decision or such a case.
"""

import logging
from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from decisions.errors import LedgerError, NotUnderstood
from decisions.ports import Prover
from flows.wiring import Layer
from inbox.safety import body_within

_LOG = logging.getLogger(__name__)

PATH = "/receipts/{source}"
PATIENCE: Final = timedelta(seconds=2)
"""How long the ledger may keep a sender waiting; it sends again, and most give up after five."""
LARGEST_BODY = 64 * 1024
"""Bytes; a receipt is a few lines."""


def receipts_router(layer: Layer) -> APIRouter:
    """Return the route that other systems post receipts to.

    Args:
        layer: Everything there is.
    """
    router = APIRouter()
    provers = dict(layer.provers)  # built now: a secret that is no good is told at the start

    @router.post(PATH, include_in_schema=False)
    async def receipts(request: Request, source: str) -> Response:
        body = await body_within(request, LARGEST_BODY)
        if body is None:
            return Response(status_code=413)
        prover = provers.get(source)
        id_ = prover.signed(body, request.headers) if prover else None
        if prover is None or id_ is None:
            _LOG.warning("refused a receipt that no connected system has signed just now")
            return Response(status_code=401)
        return await run_in_threadpool(_taken, layer, prover, body, id_)

    return router


def _taken(layer: Layer, prover: Prover, body: bytes, id_: str) -> Response:
    try:
        deed = prover.read(body, id_)
        with layer.ledger.patience(PATIENCE):
            found = layer.ledger.receipts.take(deed)
    except NotUnderstood as fault:
        return _answer(422, ok=False, error=str(fault), kept=False)
    except LedgerError as fault:
        _LOG.error("%s", fault)
        return _answer(503, ok=False, error="the ledger is out of reach; send it again", kept=False)
    if found.unfit is not None:
        text = f"{found.unfit}; the receipt is kept, and looked at anew when it is sent again"
        return _answer(404, ok=False, error=text, kept=True)
    return _answer(200, ok=True, case=found.case, repeated=found.repeated)


def _answer(status: int, **said: object) -> JSONResponse:
    return JSONResponse(said, status)

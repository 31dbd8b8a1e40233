"""Faults as programs read them: problem details after RFC 9457."""

import logging
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request

from decisions.errors import (
    ConnectorError,
    DecisionLayerError,
    LedgerError,
    LifecycleError,
    NotEntitled,
    NotUnderstood,
    UnknownPerson,
)

_LOG = logging.getLogger(__name__)

MEDIA: Final = "application/problem+json"
_STATUS: Final = (
    (NotEntitled, 403),
    (LifecycleError, 409),
    (LedgerError, 503),
    (ConnectorError, 503),
    (NotUnderstood, 422),
    (UnknownPerson, 422),
)


class Problem(BaseModel):
    """What went wrong, after RFC 9457."""

    type: str = "about:blank"
    title: str
    """The status in words."""
    status: int
    detail: str
    """What was asked, what was found, what to do."""
    faults: list[str] = []
    """Where the request is at fault: each place, and what is wrong there."""


class Refused(Exception):
    """A request that is answered with a problem.

    Attributes:
        status: HTTP status.
        headers: To send along.
    """

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        self.status, self.headers = status, headers or {}
        super().__init__(detail)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return problems as OpenAPI lists them among an operation's answers."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA: {"schema": schema}},
        }
        for status in sorted(statuses)
    }


def answer(
    status: int,
    detail: str,
    *,
    faults: list[str] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """Return a problem as an answer."""
    told = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, faults=faults or []
    )
    return JSONResponse(told.model_dump(), status, headers, media_type=MEDIA)


def explain_faults(api: FastAPI) -> None:
    """Have an application answer every fault with a problem."""
    for kind in (Refused, RequestValidationError, HTTPException, DecisionLayerError, Exception):
        api.add_exception_handler(kind, _explained)


def _explained(_request: Request, error: Exception) -> JSONResponse:
    match error:
        case Refused():
            return answer(error.status, str(error), headers=error.headers)
        case RequestValidationError():
            faults = [
                f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}"
                for each in error.errors()
            ]
            return answer(422, "the request is not of its form", faults=faults)
        case HTTPException():
            headers = dict(error.headers or {})
            return answer(error.status_code, error.detail, headers=headers)
        case LedgerError():
            _LOG.error("%s", error)
            return answer(503, "the ledger is out of reach; nothing was recorded")
        case DecisionLayerError():
            status = next((each for kind, each in _STATUS if isinstance(error, kind)), 409)
            return answer(status, str(error))
        case _:
            _LOG.error("a request of the API met a fault nobody foresaw", exc_info=error)
            return answer(500, "something is broken on our side; the log of the inbox has it")

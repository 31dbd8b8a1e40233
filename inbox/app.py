"""The inbox as one ASGI application: pages, answers, Slack's replies."""

import logging
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import Response

from decisions.errors import DecisionLayerError, LedgerError, NotEntitled
from flows.signing import signing_key
from flows.wiring import Layer
from inbox import identity
from inbox.answers import Answers
from inbox.api import API, create_api
from inbox.identity import Stranger
from inbox.inspecting import Inspecting
from inbox.largest import Limit
from inbox.linked import Linked
from inbox.operation import Operation, Stopwatch
from inbox.overseeing import Overseeing
from inbox.pages import Pages
from inbox.receipts import receipts_router
from inbox.rendering import Renderer
from inbox.safety import ALIVE, HEADERS, HEALTH, METRICS, Guard
from inbox.sign_in import SignIn
from inbox.slack import slack_router

_LOG = logging.getLogger(__name__)

STATIC: Final = Path(__file__).parent / "static"

_IN_OUR_WORDS: Final = {
    "Not Found": "There is no page at this address.",
    "Method Not Allowed": "This address takes what forms send; it is no page to open.",
}
"""For what the framework says by itself."""


def create_app(layer: Layer) -> FastAPI:
    """Return the inbox over a layer.

    Args:
        layer: What it shows, and whose desk takes the answers.
    """
    # Without a schema there are no documentation pages either, whose scripts come from elsewhere.
    app = FastAPI(title="Followthrough", openapi_url=None, redirect_slashes=False)
    settings, operation = layer.settings, Operation(layer)
    app.add_middleware(Limit)
    app.add_middleware(Stopwatch, answering=operation.answering)
    if settings.signs_in:
        app.add_middleware(
            SessionMiddleware,
            secret_key=signing_key(settings),
            session_cookie=identity.SESSION,
            max_age=int(identity.LONGEST_SESSION.total_seconds()),
            same_site="lax",  # strict would keep it back when the provider leads here
            https_only=settings.inbox_url.startswith("https://"),
        )
    app.add_middleware(Guard, url=settings.inbox_url, is_local=not settings.signs_in)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    renderer = Renderer(layer)
    pages = Pages(renderer)
    app.include_router(pages.router())
    answers = Answers(renderer, pages)
    app.include_router(answers.router())
    app.include_router(Linked(renderer, pages, answers).router())
    app.include_router(Overseeing(renderer).router())
    app.include_router(Inspecting(renderer).router())
    if settings.signs_in:
        app.include_router(SignIn(renderer).router())
    app.include_router(slack_router(lambda: layer))
    app.include_router(receipts_router(layer))
    app.mount(API, create_api(layer, operation))
    app.add_api_route(HEALTH, operation.health)
    app.add_api_route(METRICS, operation.metrics)
    app.add_api_route(ALIVE, operation.alive)
    known = (HTTPException, RequestValidationError, DecisionLayerError, Stranger, Exception)
    for kind in known:
        app.add_exception_handler(kind, _Faults(renderer, pages).explained)
    return app


class _Faults:
    """Answers every fault with a page; what only an operator should read goes to the log."""

    def __init__(self, renderer: Renderer, pages: Pages) -> None:
        self._renderer = renderer
        self._pages = pages

    def explained(self, request: Request, error: Exception) -> Response:
        """Return the page for a fault; to whoever is not known yet, the page that asks."""
        if isinstance(error, Stranger):
            response = self._pages.me(request)
            response.headers.update(HEADERS)
            return response
        status, title, text = _explanation(error)
        response = self._renderer.problem(request, status, title, text)
        # What nobody foresaw is answered outside of the guard, which else adds them.
        response.headers.update(HEADERS)
        return response


def _explanation(error: Exception) -> tuple[int, str, str]:
    match error:
        case HTTPException():
            title = "Not here" if error.status_code == 404 else "Not possible"
            return error.status_code, title, _IN_OUR_WORDS.get(error.detail, error.detail)
        case RequestValidationError():
            names = ", ".join(sorted({str(fault["loc"][-1]) for fault in error.errors()}))
            return 422, "Not understood", f"What was sent for {names} cannot be read; go back."
        case NotEntitled():
            return 403, "Not allowed", str(error)
        case LedgerError():
            _LOG.error("%s", error)
            text = "The ledger is out of reach. Nothing was recorded; try again in a minute."
            return 503, "Not just now", text
        case DecisionLayerError():
            return 409, "Not possible", str(error)
        case _:
            text = "Something is broken on our side. What happened is in the log of this inbox."
            return 500, "Broken", text

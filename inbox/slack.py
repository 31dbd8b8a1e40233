"""Where Slack posts what people do: checked to be Slack's, for this app, and answered in time.

Slack is answered only once the desk has recorded, so that whatever looks accepted is stored.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from connectors.slack.channel import SlackChannel
from connectors.slack.interactions import Challenge, read_event, read_interaction
from decisions.errors import ConnectorError, LedgerError
from flows.wiring import Layer
from inbox.afterwards import Afterwards
from inbox.safety import body_within
from inbox.slack_answers import Messenger, NotMeantForUs

_LOG = logging.getLogger(__name__)

PATH = "/slack/interactions"
EVENTS = "/slack/events"
LARGEST_BODY = 512 * 1024
"""Bytes; what Slack sends of a message of ours is far smaller."""


_After = Mapping[str, Callable[[], None]]
_Act = Callable[[Messenger, bytes], tuple[Response, _After]]


def slack_router(layer: Callable[[], Layer]) -> APIRouter:
    """Return the routes that Slack posts presses, forms and events to.

    Args:
        layer: Called for every request.
    """
    router, afterwards = APIRouter(), Afterwards()

    @router.post(PATH, include_in_schema=False)
    async def interactions(request: Request) -> Response:
        return await _received(layer(), request, _interaction, afterwards)

    @router.post(EVENTS, include_in_schema=False)
    async def events(request: Request) -> Response:
        return await _received(layer(), request, _event, afterwards)

    return router


async def _received(layer: Layer, request: Request, act: _Act, afterwards: Afterwards) -> Response:
    body = await body_within(request, LARGEST_BODY)
    if body is None:
        return Response(status_code=413)
    channel = _signer(layer, body, request.headers)
    if channel is None:
        path = request.url.path
        _LOG.warning("refused a request to %s that no connected Slack app has signed", path)
        return Response(status_code=401)
    messenger = Messenger(layer, channel)
    return await run_in_threadpool(partial(_answered, messenger, body, act, afterwards))


def _answered(messenger: Messenger, body: bytes, act: _Act, afterwards: Afterwards) -> Response:
    try:
        with afterwards.answering():
            response, after = act(messenger, body)
    except ValueError as fault:
        _LOG.warning("refused a request of Slack's: %s", fault)
        return Response(status_code=404)
    except NotMeantForUs as stray:
        _LOG.warning("refused a request of Slack's that was sent to %s", stray)
        return Response(status_code=401)
    except (LedgerError, ConnectorError) as fault:
        _LOG.error("an answer from Slack was not recorded: %s", fault)
        return Response(status_code=503)
    response.background = BackgroundTask(afterwards.add, after)
    return response


def _interaction(messenger: Messenger, body: bytes) -> tuple[Response, _After]:
    said = messenger.answer(read_interaction(body))
    if said.answer is None:
        return Response(), said.after
    return JSONResponse(said.answer), said.after


def _event(messenger: Messenger, body: bytes) -> tuple[Response, _After]:
    event = read_event(body)
    if isinstance(event, Challenge):
        return PlainTextResponse(event.answer), {}
    return Response(), messenger.notice(event).after


def _signer(layer: Layer, body: bytes, headers: Mapping[str, str]) -> SlackChannel | None:
    """Return the connected Slack app that the request was signed for."""
    channels = (each for each in layer.channels.values() if isinstance(each, SlackChannel))
    return next((each for each in channels if each.is_genuine(body, headers)), None)

"""Answers given in Slack: checked to be Slack's, carried to the desk, replied to in private.

Slack is answered only once the desk has recorded, so that whatever looks accepted is stored. What
the desk says reaches the person afterwards, where nobody else sees it.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from connectors.slack.blocks import ACKNOWLEDGE, DONE, OVERRIDE, SNOOZE
from connectors.slack.channel import SlackChannel
from connectors.slack.forms import (
    NOTE,
    OVERRIDE_FORM,
    REASON,
    override_form,
    written_override,
)
from decisions.definition import Action
from decisions.desk import Author, Reply
from decisions.errors import ConnectorError, LifecycleError
from decisions.ledger.records import Case
from flows.wiring import Layer
from inbox.moments import next_morning

_LOG = logging.getLogger(__name__)

PATH = "/slack/interactions"
LARGEST_BODY = 512 * 1024
"""Bytes; what Slack sends of a message of ours is far smaller."""

_STRANGER = (
    "Nothing was recorded: people.yaml names nobody with your Slack account. Ask whoever looks "
    "after Followthrough to add your Slack id there."
)

_Json = Mapping[str, Any]


def slack_router(layer: Callable[[], Layer]) -> APIRouter:
    """Return the route that Slack posts presses and forms to.

    Args:
        layer: Called for every request.
    """
    router = APIRouter()

    @router.post(PATH, include_in_schema=False)
    async def interactions(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return Response(status_code=413)
        present = layer()
        channel = _signer(present, body, request.headers)
        if channel is None:
            _LOG.warning("refused a request to %s that no connected Slack app signed", PATH)
            return Response(status_code=401)
        try:
            content = json.loads(parse_qs(body.decode())["payload"][0])
            interaction = _Interaction(present, channel, content, str(content["user"]["id"]))
            answer = await run_in_threadpool(interaction.answered)
        except (KeyError, IndexError, TypeError, ValueError):
            _LOG.exception("Slack sent something that is neither a press nor a form of ours")
            return Response(status_code=400)
        return answer

    return router


async def _body(request: Request) -> bytes | None:
    """Return the body, or None as soon as it proves too large."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            return None
    return body


def _signer(layer: Layer, body: bytes, headers: Mapping[str, str]) -> SlackChannel | None:
    """Return the connected Slack app that the request was signed for."""
    channels = (each for each in layer.channels.values() if isinstance(each, SlackChannel))
    return next((each for each in channels if each.is_genuine(body, headers)), None)


@dataclass(frozen=True, slots=True)
class _Interaction:
    """One press or one form.

    Attributes:
        layer: Everything there is.
        channel: The Slack app it came through.
        content: What Slack sent.
        user: Slack's id of the person.
    """

    layer: Layer
    channel: SlackChannel
    content: _Json
    user: str

    def answered(self) -> Response:
        """Carry it to the desk, and return what Slack is to be answered."""
        if self.content["type"] == "block_actions":
            return self._pressed(self.content["actions"][0])
        if self.content["type"] == "view_submission":
            view = self.content["view"]
            return self._submitted(view) if view["callback_id"] == OVERRIDE_FORM else Response()
        return Response()

    def _pressed(self, press: _Json) -> Response:
        if press["action_id"] not in {ACKNOWLEDGE, DONE, OVERRIDE, SNOOZE}:
            return Response()  # the link button; Slack tells of it all the same
        reply_to = str(self.content["response_url"])
        person = self._person()
        if person is None:
            return self._replied(reply_to, _STRANGER)
        message = self.content.get("container", {}).get("message_ts", "")
        click = f"slack:{self.user}:{press['action_id']}:{message}:{press['action_ts']}"
        author = Author(person, "slack", click)
        try:
            said = self._carried_out(press["action_id"], str(press["value"]), author, reply_to)
        except (LifecycleError, ConnectorError) as refusal:
            said = str(refusal)
        return self._replied(reply_to, said) if said else Response()

    def _carried_out(self, action: str, key: str, author: Author, reply_to: str) -> str | None:
        desk = self.layer.desk
        if action == ACKNOWLEDGE:
            return desk.acknowledge(key, author).text
        if action == SNOOZE:
            return self._snoozed(key, author).text
        case, declared = self._case(key)
        if action == DONE:
            return desk.done(key, author, what=f"{case.action}, as recommended").text
        form = override_form(key, declared.override_reasons, reply_to=reply_to)
        self.channel.open_form(str(self.content["trigger_id"]), form)
        return None

    def _snoozed(self, key: str, author: Author) -> Reply:
        now = self.layer.clock()
        morning = next_morning(self.layer.workspace.people.hours(author.person), now)
        return self.layer.desk.snooze(key, author, until=morning or now + timedelta(days=1))

    def _submitted(self, view: _Json) -> Response:
        written = written_override(view)
        person = self._person()
        if person is None:
            return _refused(NOTE, _STRANGER)
        try:
            _, declared = self._case(written.case)
            reason = written.reason(declared.override_reasons)
            if reason is None:
                return _refused(REASON, "Choose a reason.")
            # The same form sent twice counts once; sent anew with other words it is another answer.
            words = hashlib.sha256(f"{reason}\n{written.note}".encode()).hexdigest()[:16]
            author = Author(person, "slack", f"slack:{self.user}:{view['id']}:{words}")
            reply = self.layer.desk.override(written.case, author, reason=reason, note=written.note)
        except LifecycleError as refusal:
            return _refused(NOTE, str(refusal))
        return self._replied(written.reply_to, reply.text)

    def _case(self, key: str) -> tuple[Case, Action]:
        case = self.layer.ledger.cases.named(key)
        definition = self.layer.ledger.cases.definition_of(case)
        return case, definition.actions[case.action]

    def _person(self) -> str | None:
        """Return the key of the person whose Slack account it is, by its id, else by its e-mail.

        An e-mail counts only for people without a Slack id: that is how they are found when they
        are told, too.
        """
        people = self.layer.workspace.people.people
        for key, person in people.items():
            if person.slack == self.user:
                return key
        email = self.channel.email_of(self.user)
        found = [key for key, each in people.items() if each.slack is None and each.email == email]
        return found[0] if len(found) == 1 else None

    def _replied(self, reply_to: str, text: str) -> Response:
        return Response(background=BackgroundTask(self._reply, reply_to, text))

    def _reply(self, reply_to: str, text: str) -> None:
        try:
            self.channel.reply(reply_to, text)
        except ConnectorError as failure:
            _LOG.warning("a reply was not taken, what it was about is recorded: %s", failure)


def _refused(place: str, text: str) -> Response:
    return JSONResponse({"response_action": "errors", "errors": {place: text}})

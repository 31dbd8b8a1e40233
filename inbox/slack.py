"""Answers given in Slack: checked to be Slack's, carried to the desk, replied to in private.

Slack is answered only once the desk has recorded, so that whatever looks accepted is stored. What
the desk says reaches the person afterwards, where nobody else sees it.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from connectors.slack.blocks import ACKNOWLEDGE, DONE, SNOOZE
from connectors.slack.channel import SlackChannel
from connectors.slack.forms import NOTE, REASON, override_form
from connectors.slack.interactions import Press, Submission, read_interaction
from decisions.definition import Action
from decisions.desk import Author
from decisions.errors import ConnectorError, LifecycleError
from decisions.ledger.records import Case
from flows import sweep
from flows.wiring import Layer
from inbox.moments import next_morning

_LOG = logging.getLogger(__name__)

PATH = "/slack/interactions"
LARGEST_BODY = 512 * 1024
"""Bytes; what Slack sends of a message of ours is far smaller."""

_VIA = "slack"
_STRANGER = (
    "Nothing was recorded: people.yaml names nobody with your Slack account. Ask whoever looks "
    "after Followthrough to add your Slack id there."
)
_NOT_OURS = "This message was not sent for that case; open the case in the inbox."
_NO_FORM = "Nothing was recorded: the form did not open. Press Override once more."


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
            _LOG.warning("refused a request to %s that no connected Slack app has signed", PATH)
            return Response(status_code=401)
        try:
            interaction = read_interaction(body)
        except ValueError as fault:
            _LOG.warning("refused a request of Slack's to %s: %s", PATH, fault)
            return Response(status_code=400)
        return await run_in_threadpool(_Messenger(present, channel).answer, interaction)

    return router


async def _body(request: Request) -> bytes | None:
    """Return the body, or None as soon as it proves too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)


def _signer(layer: Layer, body: bytes, headers: Mapping[str, str]) -> SlackChannel | None:
    """Return the connected Slack app that the request was signed for."""
    channels = (each for each in layer.channels.values() if isinstance(each, SlackChannel))
    return next((each for each in channels if each.is_genuine(body, headers)), None)


@dataclass(frozen=True, slots=True)
class _Messenger:
    """Takes what people do in one Slack workspace to the desk.

    Attributes:
        layer: Everything there is.
        channel: The Slack app it came through.
    """

    layer: Layer
    channel: SlackChannel

    def answer(self, interaction: Press | Submission | None) -> Response:
        """Carry it to the desk, and return what Slack is to be answered."""
        if isinstance(interaction, Press):
            return self._pressed(interaction)
        if isinstance(interaction, Submission):
            return self._submitted(interaction)
        return Response()

    def _pressed(self, press: Press) -> Response:
        person = self._person(press.user)
        if person is None:
            return self._replied(press.reply_to, _STRANGER)
        seen = self.layer.ledger.outbox.seen
        if not seen(press.case, delivery=press.delivery, reference=press.reference):
            _LOG.warning("refused a press on a message that was not sent for %s", press.case)
            return self._replied(press.reply_to, _NOT_OURS)
        try:
            said = self._carried_out(press, Author(person, _VIA, press.click))
        except LifecycleError as refusal:
            said = str(refusal)
        return self._replied(press.reply_to, said) if said else Response()

    def _carried_out(self, press: Press, author: Author) -> str | None:
        """Return what the person is to be told, or None where a form opens before them."""
        desk = self.layer.desk
        if press.action == ACKNOWLEDGE:
            return desk.acknowledge(press.case, author).text
        if press.action == SNOOZE:
            now = self.layer.clock()
            morning = next_morning(self.layer.workspace.people.hours(author.person), now)
            until = morning or now + timedelta(days=1)
            return desk.snooze(press.case, author, until=until).text
        case, action = self._case(press.case)
        if press.action == DONE:
            return desk.done(press.case, author, what=f"{case.action}, as recommended").text
        form = override_form(press.case, action.override_reasons, reply_to=press.reply_to)
        try:
            self.channel.open_form(press.trigger, form)
        except ConnectorError as failure:
            _LOG.warning("the form for overriding %s did not open: %s", press.case, failure)
            return _NO_FORM
        return None

    def _submitted(self, submission: Submission) -> Response:
        written = submission.written
        person = self._person(submission.user)
        if person is None:
            return _refused(NOTE, _STRANGER)
        try:
            _, action = self._case(written.case)
            reason = written.reason(action.override_reasons)
            if reason is None:
                return _refused(REASON, "Choose a reason")
            author = Author(person, _VIA, submission.click)
            reply = self.layer.desk.override(written.case, author, reason=reason, note=written.note)
        except LifecycleError as refusal:
            return _refused(NOTE, str(refusal))
        return self._replied(written.reply_to, reply.text)

    def _case(self, key: str) -> tuple[Case, Action]:
        case = self.layer.ledger.cases.named(key)
        definition = self.layer.ledger.cases.definition_of(case)
        return case, definition.actions[case.action]

    def _person(self, user: str) -> str | None:
        """Return the key of the person whose Slack account it is, by its id, else by its e-mail.

        An e-mail counts only for people without a Slack id: that is how they are told, too.
        """
        people = self.layer.workspace.people.people
        by_id = [key for key, person in people.items() if person.slack == user]
        if by_id:
            return by_id[0]
        email = self.channel.email_of(user)
        by_email = [
            key
            for key, person in people.items()
            if email and person.slack is None and person.email.lower() == email.lower()
        ]
        return by_email[0] if len(by_email) == 1 else None

    def _replied(self, reply_to: str, text: str) -> Response:
        return Response(background=BackgroundTask(self._reply, reply_to, text))

    def _reply(self, reply_to: str, text: str) -> None:
        try:
            self.channel.reply(reply_to, text)
        except ConnectorError as failure:
            _LOG.warning("Slack did not take a reply, the answer itself is recorded: %s", failure)
        # At once, not at the next sweep: the person is looking at the buttons they pressed.
        sweep.amend(self.layer)


def _refused(place: str, text: str) -> Response:
    return JSONResponse({"response_action": "errors", "errors": {place: text}})

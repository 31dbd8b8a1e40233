"""Direct messages through a Slack app, and what a press of one of their buttons needs."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, repeat
from typing import Any
from urllib.parse import urlsplit

from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookClient

from connectors.slack.asking import SDK_LOG, Asking
from connectors.slack.blocks import carried_by, carries, origin_of, payload
from connectors.slack.config import SLACK_API
from connectors.slack.directory import Directory
from connectors.slack.examination import Examination
from connectors.slack.interactions import Identity
from connectors.slack.responses import SDK_FAILURES, RefusedForm
from connectors.slack.signature import Signature
from connectors.slack.socket import SlackSocket
from connectors.slack.texts import fitting
from decisions.errors import (
    ConnectorError,
    PermanentFailure,
    TemporaryFailure,
    UnknownOutcome,
)
from decisions.ports import Addressee, Clock, Finding, Message, Pace, Receipt, wall_clock

_LOG = logging.getLogger(__name__)

_PAGES, _PAGE = 5, 200
_REPLY_HOST = "hooks.slack.com"

_Json = Mapping[str, Any]


class SlackChannel:
    """Tells people by direct message from one Slack app; see ``decisions.ports.Channel``.

    Nothing is sent a second time from in here: whether that is safe is the ledger's to decide.
    The one exception is a message that Slack refuses in its full form, which goes out plainer.

    Attributes:
        name: The connection's name in ``connections.yaml``.
        timeout: How long Slack may take to answer, in whole seconds.
        origin: Returns what tells the ledger it speaks for from any other.
        socket: By which its answers come where Slack cannot reach us; None without an app token.
        pace: One message a second into one conversation, and 240 a minute into all of them.
    """

    timeout = timedelta(seconds=10)
    pace = Pace(each=timedelta(seconds=1), all=timedelta(seconds=0.25))

    def __init__(
        self,
        name: str,
        token: str,
        base_url: str = SLACK_API,
        *,
        signing_secret: str | None = None,
        app_token: str | None = None,
        clock: Clock = wall_clock,
    ) -> None:
        if not token.isascii() or not token.isprintable() or " " in token.strip():
            text = "the token holds characters that no Slack token has; copy it once more"
            raise PermanentFailure(text, connector=name)
        self.name = name
        self.origin: Callable[[], str | None] = lambda: None
        self._clock = clock
        self._base_url = base_url
        self._timeout = max(1, round(self.timeout.total_seconds()))
        self._signature = Signature(signing_secret, clock)
        self._asking = Asking(name, token, base_url, timeout=self._timeout)
        self._client = self._asking.client
        self._ask = self._asking.ask
        self._directory = Directory(name, self._asking, clock)
        self.socket = (
            SlackSocket(name, app_token, base_url, timeout=self._timeout) if app_token else None
        )

    def __repr__(self) -> str:
        return f"SlackChannel({self.name!r})"

    def deliver(self, message: Message) -> Receipt:
        """Post the message to the person's direct messages; see ``Channel.deliver``.

        Slack takes messages for people who have left, so it is asked about the person first.
        """
        user = self._directory.reachable(message.to)
        content = payload(message, origin=self.origin())
        try:
            answer = self._post(user, message.to.person, content)
        except RefusedForm as refusal:
            _LOG.warning("%s: %s; sending it plainer", message.key, refusal)
            answer = self._post(user, message.to.person, _plainer(content, refusal.code))
        return self._receipt(answer.get("channel"), answer.get("ts"))

    def find(self, message: Message) -> Receipt | None:
        """Look for the message among the newest 1,000 in the conversation; see ``Channel.find``."""
        whom = message.to.person
        try:
            user = self._directory.user(message.to)["id"]
            opened = self._ask(self._client.conversations_open, whom, users=user)
            conversation = str((opened.get("channel") or {}).get("id"))
            for posted in self._history(conversation, whom):
                if carries(posted, message.key):
                    return self._receipt(conversation, posted.get("ts"))
        except PermanentFailure as refusal:
            text = f"whether {message.key!r} was taken cannot be looked up: {refusal}"
            raise UnknownOutcome(text, connector=self.name) from refusal
        return None

    def amend(self, reference: str, message: Message) -> None:
        """Change a message that was posted; see ``AmendingChannel.amend``."""
        content = payload(message, origin=self.origin())
        try:
            self._change(reference, message.to.person, content)
        except RefusedForm as refusal:
            _LOG.warning("%s: %s; changing it plainer", message.key, refusal)
            self._change(reference, message.to.person, _plainer(content, refusal.code))

    def recounted(self, to: Addressee, since: datetime) -> Iterator[str]:
        """Read a person's whole conversation back; see ``RecountingChannel.recounted``."""
        user = self._directory.user(to)["id"]
        opened = self._ask(self._client.conversations_open, to.person, users=user)
        conversation = str((opened.get("channel") or {}).get("id"))
        oldest = f"{since.timestamp():.6f}"
        for posted in self._history(conversation, to.person, pages=None, oldest=oldest):
            if key := carried_by(posted):
                yield key

    def examined(self, people: Sequence[Addressee]) -> Iterator[Finding]:
        """Ask Slack about the app, its permissions and its people; see ``Examinable.examined``."""
        return Examination(
            self.name,
            self._client,
            self._clock,
            can_verify=self._signature.can_verify,
            socket=self.socket,
        ).findings(people)

    def is_genuine(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Say whether a request was signed by Slack for this app within five minutes of now."""
        return self._signature.is_genuine(body, headers)

    def email_of(self, user: str) -> str | None:
        """Return the e-mail of a Slack account, or None where Slack does not say."""
        try:
            return self._directory.email_of(user)
        except ConnectorError as failure:
            _LOG.warning("whose Slack account %s is could not be asked: %s", user, failure)
            return None

    def identity(self) -> Identity:
        """Return which app this is, in which workspace; see ``Directory.identity``."""
        return self._directory.identity()

    def installation(self) -> tuple[str, str]:
        """Return the ids of app and workspace; see ``InstalledChannel.installation``."""
        here = self._directory.identity()
        return here.app, here.team

    def told_by_others(
        self, people: Sequence[Addressee], ours: str | None, since: datetime
    ) -> Iterator[tuple[str, str, datetime]]:
        """Look into conversations; see ``InstalledChannel.told_by_others``."""
        for to in people:
            try:
                user = self._directory.reachable(to)
                opened = self._ask(self._client.conversations_open, to.person, users=user)
                conversation = str((opened.get("channel") or {}).get("id"))
                newest = list(islice(self._history(conversation, to.person), _PAGE))
            except PermanentFailure:  # nobody is told anything there
                continue
            for posted in newest:
                at = datetime.fromtimestamp(float(posted.get("ts") or 0), UTC)
                origin = origin_of(posted)
                if at >= since and origin not in {None, ours}:
                    yield str(origin), to.name, at

    def confirm(self, to: Addressee) -> None:
        """See that somebody still can be told something; see ``Directory.reachable``."""
        self._directory.reachable(to)

    def show_home(self, user: str, view: _Json) -> None:
        """Show somebody the app's Home.

        Args:
            user: Their Slack id.
            view: The Home, as built by ``connectors.slack.home``.

        Raises:
            TemporaryFailure: Slack did not take it.
            PermanentFailure: Slack refuses it.
        """
        self._ask(self._client.views_publish, user, user_id=user, view=dict(view))

    def open_form(self, trigger: str, view: _Json) -> None:
        """Open a form before the person who pressed a button.

        Args:
            trigger: The press's ``trigger_id``; Slack takes it once and for three seconds.
            view: The form, as built by ``connectors.slack.forms``.

        Raises:
            TemporaryFailure: It did not open; the person may press again.
            PermanentFailure: Slack refuses the form.
        """
        self._ask(self._client.views_open, "the form", trigger_id=trigger, view=dict(view))

    def reply(self, address: str, text: str) -> None:
        """Tell the person who pressed a button something that nobody else sees.

        Args:
            address: The press's ``response_url``; Slack takes it for half an hour.
            text: What to say, as plain text.

        Raises:
            PermanentFailure: The address is not Slack's.
            TemporaryFailure: Slack did not take it.
        """
        if not self._is_reply_address(address):
            raise PermanentFailure("the reply address is not Slack's", connector=self.name)
        client = WebhookClient(address, timeout=self._timeout, retry_handlers=[], logger=SDK_LOG)
        client.proxy = None
        content = {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": fitting(text, 3_000),
        }
        try:
            status = client.send_dict(content).status_code
        except SDK_FAILURES as error:
            raise self._asking.failure(error, "response_url", "the reply", posting=False) from error
        if status != 200:
            found = f"the reply was answered with HTTP {status}"
            raise TemporaryFailure(found, connector=self.name)

    def _change(self, reference: str, whom: str, content: _Json) -> None:
        conversation, _, ts = reference.partition("/")
        update = self._client.chat_update
        self._ask(update, whom, channel=conversation, ts=ts, link_names=False, **content)

    def _post(self, user: str, whom: str, content: _Json) -> SlackResponse:
        return self._ask(
            self._client.chat_postMessage,
            whom,
            posting=True,
            channel=user,
            link_names=False,
            mrkdwn=False,
            unfurl_links=False,
            unfurl_media=False,
            **content,
        )

    def _history(
        self, conversation: str, whom: str, *, pages: int | None = _PAGES, oldest: str = "0"
    ) -> Iterator[_Json]:
        cursor = None
        for _ in range(pages) if pages else repeat(None):
            page = self._ask(
                self._client.conversations_history,
                whom,
                channel=conversation,
                cursor=cursor,
                include_all_metadata=True,
                limit=_PAGE,
                oldest=oldest,
            )
            yield from page.get("messages") or ()
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return
        text = f"the conversation with {whom} is longer than what is read back of it"
        raise UnknownOutcome(text, connector=self.name)

    def _receipt(self, conversation: object, ts: object) -> Receipt:
        try:
            accepted_at = datetime.fromtimestamp(float(str(ts)), UTC)
        except (ValueError, OverflowError) as error:
            text = f"Slack's answer names no time ({ts!r}); look before trying again"
            raise UnknownOutcome(text, connector=self.name) from error
        return Receipt(reference=f"{conversation}/{ts}", accepted_at=accepted_at)

    def _is_reply_address(self, address: str) -> bool:
        parts, ours = urlsplit(address), urlsplit(self._base_url)
        if (parts.scheme, parts.netloc) == ("https", _REPLY_HOST):
            return True
        return self._base_url != SLACK_API and parts[:2] == ours[:2]


def _plainer(content: _Json, code: str) -> _Json:
    refused = "metadata" if "metadata" in code else "blocks"
    return {part: value for part, value in content.items() if part != refused}

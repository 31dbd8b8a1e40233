"""A Slack workspace on localhost: people, messages, buttons, forms, and faults on request."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from threading import RLock
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

from connectors.testing import interaction
from connectors.testing.team import SCOPES, Form, Member, Posted, Refusal, SlackTeam
from connectors.testing.wire import HttpAnswer, HttpRequest, LocalServer, json_answer, post
from decisions.ports import Clock, wall_clock

_EVERY_SCOPE = frozenset(scope for scope in SCOPES.values() if scope)
_TAKES_JSON = ("chat.", "views.", "conversations.open")
_NESTED = ("blocks", "metadata", "view")


@dataclass(slots=True)
class _Fault:
    """What happens to the next call of a method, in place of or after the method itself."""

    method: str
    answer: HttpAnswer | None
    accepted: bool = False
    delay: float = 0.0


class FakeSlack:
    """A Slack workspace with one app, answering on localhost while it is entered.

    It keeps state and is strict: it checks token, scopes and content type, refuses blocks that
    Slack would refuse, and knows nobody it was not told of::

        with FakeSlack() as slack:
            slack.add_person("U01DANA", email="dana.reyes@larkfield.example")
            channel = SlackChannel("slack", slack.token, slack.url)
            channel.deliver(message)
            [told] = slack.messages_to("U01DANA")
            slack.press(told, "acknowledge", to="http://127.0.0.1:8000/slack/interactions")

    Faults are queued, and each happens once: ``slack.refuse("ratelimited", status=429,
    retry_after=30)`` meets the next post, the one after it goes through.

    Attributes:
        token: The bot token that is good.
        signing_secret: What presses and submissions are signed with.
        interactions_to: Where presses and submissions go unless told otherwise.
        calls: Every call so far: method and arguments, refused ones included.
    """

    def __init__(
        self,
        *,
        token: str = "xoxb-larkfield-1",  # noqa: S107  good for this server alone
        signing_secret: str = "8f2c1d7a5b3e4960",  # noqa: S107
        scopes: frozenset[str] = _EVERY_SCOPE,
        clock: Clock = wall_clock,
    ) -> None:
        self.token = token
        self.signing_secret = signing_secret
        self.interactions_to = ""
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._clock = clock
        self._team = SlackTeam(clock, scopes)
        self._faults: list[_Fault] = []
        self._lock = RLock()
        self._server = LocalServer(self._respond)
        self._last: tuple[str, bytes, Mapping[str, str]] | None = None

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *failure: object) -> None:
        self._server.__exit__(*failure)

    @property
    def url(self) -> str:
        """The API's address, for ``base_url``."""
        return f"{self._server.url}/api/"

    def add_person(
        self, user: str, *, email: str, name: str = "", zone: str = "UTC", is_bot: bool = False
    ) -> None:
        """Add a person; ``user`` is their Slack id, such as ``U01DANA``."""
        self._team.members[user] = Member(user, name or email, email, zone, is_bot=is_bot)

    def deactivate(self, user: str) -> None:
        """Close a person's account."""
        self._team.members[user].deleted = True

    def post(self, user: str, text: str) -> Posted:
        """Put another message of the app's into a person's direct messages."""
        return self._team.post(user, {"text": text})

    def messages_to(self, user: str) -> list[Posted]:
        """Return what stands in the app's direct messages with a person, oldest first."""
        return [m for m in self._team.messages if m.to == user and not m.private]

    def private_replies_to(self, user: str) -> list[str]:
        """Return the texts that only this person saw, oldest first."""
        return [m.text for m in self._team.messages if m.to == user and m.private]

    @property
    def forms(self) -> list[Form]:
        """Every form that was opened, oldest first."""
        return self._team.forms

    def refuse(
        self,
        code: str,
        *,
        method: str = "chat.postMessage",
        status: int = 200,
        retry_after: int | None = None,
    ) -> None:
        """Answer the next call of the method with an error code, and do nothing."""
        headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
        answer = json_answer({"ok": False, "error": code}, status, headers)
        self._faults.append(_Fault(method, answer))

    def cut_before_accept(self, method: str = "chat.postMessage") -> None:
        """Drop the connection of the next call, and do nothing."""
        self._faults.append(_Fault(method, None))

    def cut_after_accept(self, method: str = "chat.postMessage") -> None:
        """Do what the next call asks, and drop its connection without an answer."""
        self._faults.append(_Fault(method, None, accepted=True))

    def answer_html(self, status: int = 502, *, method: str = "chat.postMessage") -> None:
        """Answer the next call with a page of HTML, as a proxy before Slack does."""
        body = b"<html><body>Bad gateway</body></html>"
        answer = HttpAnswer(status, body, {"content-type": "text/html"})
        self._faults.append(_Fault(method, answer))

    def answer_raw(
        self, body: bytes, *, method: str = "chat.postMessage", length: int | None = None
    ) -> None:
        """Do what the next call asks and answer 200 with this body, cut short if ``length``."""
        answer = HttpAnswer(200, body, {"content-type": "application/json"}, length)
        self._faults.append(_Fault(method, answer, accepted=True))

    def hang(self, seconds: float, method: str = "chat.postMessage") -> None:
        """Do what the next call asks, and then say nothing for so many seconds."""
        self._faults.append(_Fault(method, None, accepted=True, delay=seconds))

    def press(
        self, message: Posted, action: str, *, by: str | None = None, to: str | None = None
    ) -> HttpAnswer:
        """Press a button and return what the app answered.

        Args:
            message: The message the button stands on.
            action: The button's ``action_id``.
            by: Who presses; the message's recipient by default.
            to: The app's address for interactions; ``interactions_to`` by default.

        Raises:
            LookupError: The message has no such button.
        """
        user = by or message.to
        with self._lock:
            address = self._team.new_reply_address(user)
            content = interaction.press(
                message,
                action,
                user,
                trigger=self._team.new_trigger(user),
                reply_to=f"{self._server.url}/actions/{address}",
                at=self._team.new_ts(),
            )
        return self.interact(content, to=to)

    def submit(self, form: Form, values: Mapping[str, str], *, to: str | None = None) -> HttpAnswer:
        """Submit a form and return what the app answered.

        Args:
            form: One of ``forms``.
            values: By ``block_id``: what is typed, or the text of the option that is chosen.
            to: The app's address for interactions; ``interactions_to`` by default.

        Raises:
            LookupError: The form offers no such option.
        """
        with self._lock:
            trigger = self._team.new_trigger(form.user)
        content = interaction.submission(form, values, trigger=trigger)
        answer = self.interact(content, to=to)
        found = answer.json if answer.status == 200 and answer.body else {}
        form.errors = found.get("errors", {}) if found.get("response_action") == "errors" else {}
        form.closed = answer.status == 200 and not form.errors
        return answer

    def repeat(self) -> HttpAnswer:
        """Send the last press or submission once more, to the byte.

        Raises:
            LookupError: There was none.
        """
        if self._last is None:
            raise LookupError("nothing was pressed or submitted yet")
        return post(*self._last)

    def interact(self, content: Mapping[str, Any], *, to: str | None = None) -> HttpAnswer:
        """Sign and send any interaction, as Slack does, and return what the app answered."""
        body = urlencode({"payload": json.dumps(content)}).encode()
        self._last = to or self.interactions_to, body, self.signed(body)
        return post(*self._last)

    def signed(self, body: bytes, *, at: float | None = None) -> dict[str, str]:
        """Return the headers that prove a body to come from Slack, ``at`` seconds since 1970."""
        timestamp = int(self._clock().timestamp() if at is None else at)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return form | interaction.signature(self.signing_secret, body, timestamp)

    def _respond(self, request: HttpRequest) -> HttpAnswer | None:
        with self._lock:
            if request.path.startswith("/actions/"):
                address = request.path.removeprefix("/actions/")
                taken = self._team.reply(address, json.loads(request.body))
                return HttpAnswer(200, b"ok") if taken else json_answer({"ok": False}, 404)
            method = request.path.removeprefix("/api/")
            arguments = _arguments(method, request)
            self.calls.append((method, arguments))
            fault = next((each for each in self._faults if each.method == method), None)
            if fault is not None:
                self._faults.remove(fault)
            answer = None
            if fault is None or fault.accepted:
                answer = self._answer(method, arguments, request.headers)
        if fault is None:
            return answer
        time.sleep(fault.delay)
        return fault.answer

    def _answer(
        self, method: str, arguments: dict[str, Any], headers: Mapping[str, str]
    ) -> HttpAnswer:
        try:
            self._authenticate(headers)
            said = {"x-oauth-scopes": ",".join(sorted(self._team.scopes))}
            said["date"] = format_datetime(self._clock(), usegmt=True)
            return json_answer(self._team.call(method, arguments), headers=said)
        except Refusal as refusal:
            return json_answer(refusal.content)

    def _authenticate(self, headers: Mapping[str, str]) -> None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme != "Bearer":
            raise Refusal("not_authed")
        if token != self.token:
            raise Refusal("invalid_auth")


def _arguments(method: str, request: HttpRequest) -> dict[str, Any]:
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/json") and method.startswith(_TAKES_JSON):
        content: dict[str, Any] = json.loads(request.body)
        return content
    if not kind.startswith("application/x-www-form-urlencoded"):
        return {}  # Slack ignores a body it does not understand
    found: dict[str, Any] = dict(parse_qsl(request.body.decode()))
    return {name: json.loads(value) if name in _NESTED else value for name, value in found.items()}

"""A Slack workspace on localhost: people, channels, messages, buttons, forms, faults on request."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Self
from urllib.parse import parse_qsl

from connectors.testing.acting import Acting
from connectors.testing.faults import Fault, Faults
from connectors.testing.methods import SCOPES, WebApi
from connectors.testing.pace import Breach, Pace
from connectors.testing.sockets import Sockets
from connectors.testing.team import APP, BOT, TEAM, Form, Member, Place, Posted, Refusal, SlackTeam
from connectors.testing.wire import HttpAnswer, HttpRequest, LocalServer, json_answer
from decisions.ports import Clock, wall_clock

_EVERY_SCOPE = frozenset(scope for scope in SCOPES.values() if scope)
_TAKES_JSON = ("chat.", "views.", "conversations.open")
_NESTED = ("blocks", "metadata", "view", "attachments")


class FakeSlack(Faults, Acting):
    """A Slack workspace with one app, answering on localhost while it is entered.

    It keeps state and is strict: it checks token, scopes and content type, refuses blocks that
    Slack would refuse, records posts that come faster than Slack allows, and knows nobody it was
    not told of::

        with FakeSlack() as slack:
            slack.add_person("U01DANA", email="dana.reyes@larkfield.example")
            channel = SlackChannel("slack", slack.token, slack.url)
            channel.deliver(message)
            [told] = slack.messages_to("U01DANA")
            slack.press(told, "acknowledge", to="http://127.0.0.1:8000/slack/interactions")

    Faults are queued, and each happens once unless told otherwise: ``slack.refuse("ratelimited",
    status=429, retry_after=30)`` meets the next post, the one after it goes through.

    Attributes:
        token: The bot token that is good.
        app_token: The app token that opens Socket Mode.
        calls: Every call so far: method and arguments, refused ones included.
        pages: What else is answered, by the path's first part; for pages of a preview.

    Args:
        token: The bot token that is good.
        app_token: The app token that opens Socket Mode.
        signing_secret: What presses and submissions are signed with.
        scopes: What the app may do.
        clock: The present instant.
        team: The workspace's id.
        app: The app's id.
        pace: Takes note of every post; one that is strict refuses what comes too soon.
        port: Where to listen; any free one for 0.
    """

    def __init__(  # noqa: PLR0913  each is a dial of its own
        self,
        *,
        token: str = "xoxb-larkfield-1",  # noqa: S107  good for this server alone
        app_token: str = f"xapp-1-{APP}-larkfield",
        signing_secret: str = "8f2c1d7a5b3e4960",  # noqa: S107
        scopes: frozenset[str] = _EVERY_SCOPE,
        clock: Clock = wall_clock,
        team: str = TEAM,
        app: str = APP,
        pace: Pace | None = None,
        port: int = 0,
    ) -> None:
        self.token = token
        self.app_token = app_token
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.pages: dict[str, Callable[[HttpRequest], HttpAnswer]] = {}
        self._clock = clock
        self._pace = pace or Pace()
        self._late: list[tuple[datetime, str, dict[str, Any]]] = []
        Faults.__init__(self, clock)
        Acting.__init__(self, SlackTeam(clock, team=team, app=app), Sockets(app), signing_secret)
        self._api = WebApi(self._team, scopes, self._pace, self._sockets.url)
        self._server = LocalServer(self._respond, port)

    def __enter__(self) -> Self:
        self._sockets.__enter__()
        self._server.__enter__()
        return self

    def __exit__(self, *failure: object) -> None:
        self._server.__exit__(*failure)
        self._sockets.__exit__(*failure)

    @property
    def url(self) -> str:
        """The API's address, for ``base_url``."""
        return f"{self._server.url}/api/"

    @property
    def _reply_url(self) -> str:
        return f"{self._server.url}/actions"

    def add_person(
        self, user: str, *, email: str, name: str = "", zone: str = "UTC", is_bot: bool = False
    ) -> None:
        """Add a person; ``user`` is their Slack id, such as ``U01DANA``."""
        self._team.members[user] = Member(user, name or email, email, zone, is_bot=is_bot)

    def add_channel(self, channel: str, *, name: str, app_is_in: bool = True) -> None:
        """Add a channel; ``channel`` is its id, such as ``C01SALES``."""
        members = {BOT} if app_is_in else set()
        self._team.places[channel] = Place(channel, name, members)

    def archive(self, channel: str) -> None:
        """Archive a channel: nothing in it can be posted or changed any more."""
        self._team.places[channel].archived = True

    def deactivate(self, user: str) -> None:
        """Close a person's account."""
        self._team.members[user].deleted = True

    def delete(self, message: Posted) -> None:
        """Take a message away, as an administrator may."""
        message.deleted = True

    def post(self, user: str, text: str) -> Posted:
        """Put another message of the app's into a person's direct messages."""
        with self._lock:
            return self._team.post(user, {"text": text})

    @property
    def people(self) -> Mapping[str, Member]:
        """Everybody, by their Slack id."""
        return self._team.members

    @property
    def messages(self) -> list[Posted]:
        """Every message that was ever taken, oldest first; what is lost or doubled shows here."""
        with self._lock:
            self._catch_up()
            return [message for message in self._team.messages if not message.private]

    @property
    def everything(self) -> list[Posted]:
        """The same, and what only one person saw."""
        with self._lock:
            self._catch_up()
            return list(self._team.messages)

    @property
    def deliveries(self) -> Counter[str]:
        """How often each delivery id was taken."""
        return Counter(message.key for message in self.messages if message.key)

    def messages_to(self, user: str) -> list[Posted]:
        """Return what stands in the app's direct messages with a person, oldest first."""
        return [m for m in self.messages if m.to == user and not m.deleted]

    def private_replies_to(self, user: str) -> list[str]:
        """Return the texts that only this person saw, oldest first."""
        return [m.text for m in self._team.messages if m.to == user and m.private]

    @property
    def forms(self) -> list[Form]:
        """Every form that was opened, oldest first."""
        return self._team.forms

    @property
    def homes(self) -> dict[str, Form]:
        """What the app shows on its Home, by person."""
        return self._team.homes

    @property
    def breaches(self) -> list[Breach]:
        """Posts that came faster than Slack allows."""
        return self._pace.breaches

    @property
    def connections(self) -> int:
        """How many sockets the app has open."""
        return self._sockets.count

    @property
    def unacknowledged(self) -> int:
        """Envelopes that the app did not acknowledge within three seconds."""
        return self._sockets.unacknowledged

    def disconnect(self) -> None:
        """Close the app's sockets, as Slack does every few hours."""
        self._sockets.disconnect()

    def _respond(self, request: HttpRequest) -> HttpAnswer | None:
        first = request.path.lstrip("/").partition("/")[0].partition("?")[0]
        if first in self.pages:
            return self.pages[first](request)
        if request.verb != "POST":
            return HttpAnswer(404)
        if first == "actions":
            address = request.path.removeprefix("/actions/")
            with self._lock:
                taken = self._team.reply(address, json.loads(request.body))
            return HttpAnswer(200, b"ok") if taken else json_answer({"ok": False}, 404)
        return self._called(request)

    def _called(self, request: HttpRequest) -> HttpAnswer | None:
        method = request.path.removeprefix("/api/")
        arguments = _arguments(method, request)
        with self._lock:
            self._catch_up()
            self.calls.append((method, arguments))
            fault = self._met(method) or Fault(method, None, accepted=True, rightly=True)
            if fault.late is not None:
                self._late.append((self._clock() + fault.late, method, arguments))
            answer = None
            if fault.accepted:
                answer = self._answer(method, arguments, request.headers)
        time.sleep(fault.delay)
        return answer if fault.rightly else fault.answer

    def _catch_up(self) -> None:
        """Do what was accepted too late, once its time has come."""
        now = self._clock()
        due = [each for each in self._late if each[0] <= now]
        self._late = [each for each in self._late if each[0] > now]
        for _, method, arguments in sorted(due, key=lambda each: each[0]):
            try:
                self._api.call(method, arguments)
            except Refusal:
                continue  # nobody is there any more to be told

    def _answer(
        self, method: str, arguments: dict[str, Any], headers: Mapping[str, str]
    ) -> HttpAnswer:
        said = {"x-oauth-scopes": ",".join(sorted(self._api.scopes))}
        said["date"] = format_datetime(self._clock(), usegmt=True)
        try:
            self._authenticate(method, headers)
            return json_answer(self._api.call(method, arguments), headers=said)
        except Refusal as refusal:
            if refusal.content["error"] == "ratelimited":
                return json_answer(refusal.content, 429, said | {"Retry-After": "1"})
            return json_answer(refusal.content, headers=said)

    def _authenticate(self, method: str, headers: Mapping[str, str]) -> None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme != "Bearer":
            raise Refusal("not_authed")
        opens = method == "apps.connections.open"
        if token == (self.token if opens else self.app_token):
            raise Refusal("not_allowed_token_type")
        if token != (self.app_token if opens else self.token):
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

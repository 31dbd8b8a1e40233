"""Whether a Slack app would work: asked of Slack itself, without telling anybody anything."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from connectors.slack.responses import SDK_FAILURES, Meaning, meaning, refusal_code
from connectors.slack.socket import SlackSocket
from decisions.ports import Addressee, Clock, Condition, Finding

SCOPES: Final = {
    "chat:write": "send direct messages",
    "im:write": "open the conversation to look into",
    "im:history": "look whether a message arrived before sending it again",
    "users:read": "see whether a person has left, and which app this is",
    "users:read.email": "find people who have no Slack id in people.yaml",
}
"""What the app needs, and what for; ``slack-manifest.yaml`` asks for the same."""

SKEW: Final = timedelta(minutes=1)
"""How far the clocks may be apart. Beyond five minutes every press of a button is refused."""


class Examination:
    """One look at an app.

    Args:
        name: The connection's name.
        client: Speaks to Slack as the app.
        clock: The present instant.
        can_verify: Whether a signing secret is set.
        socket: Opens Socket Mode; None without an app token.
    """

    def __init__(
        self,
        name: str,
        client: WebClient,
        clock: Clock,
        *,
        can_verify: bool,
        socket: SlackSocket | None = None,
    ) -> None:
        self._name = name
        self._client = client
        self._clock = clock
        self._can_verify = can_verify
        self._socket = socket

    def findings(self, people: Sequence[Addressee]) -> Iterator[Finding]:
        """Yield what was looked at; without access nothing further is asked."""
        try:
            answer = self._client.auth_test()
        except SDK_FAILURES as error:
            yield self._without_access(error)
            return
        yield self._finding("token", f"{answer.get('team')}, as app {answer.get('bot_id')}")
        if self._socket is None or self._can_verify:
            yield self._secret()
        if self._socket is not None:
            yield self._tried(self._socket, answer)
        yield self._permissions(answer)
        yield self._time(answer)
        reachable = None
        for person in people:
            found, user = self._person(person)
            reachable = reachable or (user and (user, person.name))
            yield found
        if reachable:
            yield self._opened(*reachable)

    def _finding(
        self,
        about: str,
        found: str,
        condition: Condition = Condition.FINE,
        advice: str | None = None,
    ) -> Finding:
        return Finding(
            about=f"{self._name}: {about}", condition=condition, found=found, advice=advice
        )

    def _without_access(self, error: Exception) -> Finding:
        if isinstance(error, SlackApiError) and meaning(error) is Meaning.REPAIR:
            code = refusal_code(error)
            advice = "install the app once more, and set the variable that 'token' names"
            return self._finding("token", f"Slack answers {code!r}", Condition.FAULTY, advice)
        return self._away("token", error)

    def _away(self, about: str, error: Exception) -> Finding:
        found = refusal_code(error) if isinstance(error, SlackApiError) else type(error).__name__
        advice = "look again later; nothing is lost meanwhile"
        return self._finding(about, f"Slack did not answer ({found})", Condition.AWAY, advice)

    def _secret(self) -> Finding:
        if self._can_verify:
            return self._finding("signing secret", "set; whether it is this app's shows at a press")
        return self._finding(
            "signing secret",
            "none is set, so that every press of a button is refused",
            Condition.FAULTY,
            "set the variable that 'signing_secret' names in connections.yaml, or 'app_token' "
            "where Slack cannot reach the inbox",
        )

    def _tried(self, socket: SlackSocket, answer: SlackResponse) -> Finding:
        try:
            socket.try_out()
            bot = self._client.bots_info(bot=answer.get("bot_id")).get("bot") or {}
        except SDK_FAILURES as error:
            if isinstance(error, SlackApiError) and meaning(error) is Meaning.REPAIR:
                return self._finding(
                    "socket mode",
                    f"Slack answers {refusal_code(error)!r}",
                    Condition.FAULTY,
                    "make an app-level token with connections:write, and turn on Socket Mode",
                )
            return self._away("socket mode", error)
        if socket.app not in {None, bot.get("app_id")}:
            found = f"its token is of app {socket.app}, the bot's of {bot.get('app_id')}"
            advice = "take both tokens from the same app"
            return self._finding("socket mode", found, Condition.FAULTY, advice)
        return self._finding("socket mode", "opens; buttons need no address")

    def _permissions(self, answer: SlackResponse) -> Finding:
        granted = _header(answer, "x-oauth-scopes")
        if granted is None:
            return self._finding("permissions", "Slack does not say them", Condition.DOUBTFUL)
        missing = [name for name in SCOPES if name not in {s.strip() for s in granted.split(",")}]
        if not missing:
            return self._finding("permissions", f"all {len(SCOPES)} are granted")
        found = "; ".join(f"{name} is missing, to {SCOPES[name]}" for name in missing)
        advice = "add them under OAuth & Permissions, and install the app once more"
        return self._finding("permissions", found, Condition.FAULTY, advice)

    def _time(self, answer: SlackResponse) -> Finding:
        try:
            theirs = parsedate_to_datetime(_header(answer, "date") or "")
        except ValueError:
            return self._finding("clock", "Slack does not say its time", Condition.DOUBTFUL)
        apart = abs(self._clock() - theirs)
        if apart <= SKEW:
            return self._finding("clock", f"{apart.total_seconds():.0f} s from Slack's")
        return self._finding(
            "clock",
            f"{apart.total_seconds():,.0f} s from Slack's, which refuses presses beyond 300 s",
            Condition.FAULTY,
            "let this machine keep time by NTP",
        )

    def _person(self, to: Addressee) -> tuple[Finding, str | None]:
        """Return what was found, and their Slack id if they can be told something."""
        ask: Callable[..., SlackResponse] = self._client.users_lookupByEmail
        by, asked = f"the e-mail {to.email}", {"email": to.email}
        if to.slack:
            ask, by, asked = self._client.users_info, f"the id {to.slack}", {"user": to.slack}
        advice = f"correct {to.person} in people.yaml, or name their cover"
        try:
            user: Mapping[str, Any] = ask(**asked).get("user") or {}
        except SDK_FAILURES as error:
            if isinstance(error, SlackApiError) and meaning(error) is Meaning.UNREACHABLE:
                found = f"Slack knows nobody by {by}"
                return self._finding(to.person, found, Condition.FAULTY, advice), None
            return self._away(to.person, error), None
        if user.get("deleted") or user.get("is_bot"):
            what = "is deactivated" if user.get("deleted") else "is a bot's"
            found = f"their account {what}"
            return self._finding(to.person, found, Condition.FAULTY, advice), None
        return self._finding(to.person, f"found by {by}"), user.get("id") or to.slack

    def _opened(self, user: str, name: str) -> Finding:
        """Open a conversation, which tells nobody anything, and see whether its past is there."""
        try:
            channel = self._client.conversations_open(users=user).get("channel") or {}
            self._client.conversations_history(channel=str(channel.get("id")), limit=1)
        except SDK_FAILURES as error:
            if not isinstance(error, SlackApiError) or meaning(error) in {
                Meaning.UNKNOWN,
                Meaning.WAIT,
            }:
                return self._away("direct messages", error)
            found = f"Slack answers {refusal_code(error)!r} to one with {name}"
            advice = "turn on the app's messages tab, and grant im:write and im:history"
            return self._finding("direct messages", found, Condition.FAULTY, advice)
        return self._finding("direct messages", "can be opened and read back")


def _header(answer: SlackResponse, name: str) -> str | None:
    found = {key.lower(): value for key, value in answer.headers.items()}
    return found.get(name)

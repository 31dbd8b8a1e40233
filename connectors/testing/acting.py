"""What people do in a pretended Slack: press, submit, look; and how the app is told of it."""

import json
from collections.abc import Mapping
from datetime import timedelta
from threading import RLock
from typing import Any
from urllib.parse import urlencode

from connectors.testing import interaction
from connectors.testing.sockets import Sockets
from connectors.testing.team import Form, Posted, SlackTeam
from connectors.testing.wire import HttpAnswer, post

_NOBODY_ANSWERED = HttpAnswer(504)
"""What stands for an envelope that was not acknowledged: the person sees an error."""


class Acting:
    """Carries what people do to the app, signed, over HTTP or over its open socket.

    Attributes:
        signing_secret: What is sent over HTTP is signed with.
        interactions_to: Where presses and submissions go unless told otherwise; where it is empty,
            over the app's socket.
        events_to: The same, for events.

    Args:
        team: The workspace.
        sockets: The app's connections.
        signing_secret: What is sent over HTTP is signed with.
    """

    def __init__(self, team: SlackTeam, sockets: Sockets, signing_secret: str) -> None:
        self.signing_secret = signing_secret
        self.interactions_to = ""
        self.events_to = ""
        self._team = team
        self._sockets = sockets
        self._lock = RLock()
        self._last: tuple[str, bytes, Mapping[str, str]] | None = None

    @property
    def _reply_url(self) -> str:
        raise NotImplementedError

    def press(
        self,
        message: Posted,
        action: str,
        *,
        by: str | None = None,
        to: str | None = None,
        **sending: Any,
    ) -> HttpAnswer:
        """Press a button and return what the app answered.

        Args:
            message: The message the button stands on.
            action: The button's ``action_id``.
            by: Who presses; the message's recipient by default.
            to: The app's address for interactions; ``interactions_to`` by default.
            sending: As for ``interact``.

        Raises:
            LookupError: The message has no such button.
        """
        user = by or message.to
        with self._lock:
            address = f"{self._reply_url}/{self._team.new_reply_address(user)}"
            content = interaction.press(self._team, message, action, user, reply_to=address)
        return self.interact(content, to=to, **sending)

    def press_home(
        self, user: str, action: str, value: str | None = None, **sending: Any
    ) -> HttpAnswer:
        """Press a button of a person's Home; see ``press``.

        Args:
            user: Whose Home it is.
            action: The button's ``action_id``.
            value: The button's value, where several have the same ``action_id``.
            sending: As for ``interact``.

        Raises:
            LookupError: The Home has no such button, or there is none yet.
        """
        with self._lock:
            home = self._team.homes[user]
            content = interaction.home_press(self._team, home, action, value)
        return self.interact(content, **sending)

    def submit(
        self, form: Form, values: Mapping[str, Any], *, to: str | None = None, **sending: Any
    ) -> HttpAnswer:
        """Submit a form and return what the app answered.

        Args:
            form: One of ``forms``.
            values: By ``block_id``: what is typed or picked, or the text of the option chosen.
            to: The app's address for interactions; ``interactions_to`` by default.
            sending: As for ``interact``.

        Raises:
            LookupError: The form offers no such option.
        """
        with self._lock:
            form.written = dict(values)
            content = interaction.submission(self._team, form, values)
        answer = self.interact(content, to=to, **sending)
        found = answer.json if answer.status == 200 and answer.body else {}
        asked = found.get("response_action")
        form.errors = found.get("errors", {}) if asked == "errors" else {}
        if asked in {"update", "push"}:
            with self._lock:
                if asked == "update":
                    form.view = found["view"]
                else:
                    self._team.opened(form.user, found["view"])
        form.closed = answer.status == 200 and asked not in {"errors", "update", "push"}
        return answer

    def open_home(self, user: str, *, retry: int = 0, to: str | None = None) -> HttpAnswer:
        """Look at the app's Home, of which the app is told, and return what it answered.

        Args:
            user: Who looks.
            retry: The how manieth time Slack tells of it, from 1; 0 for the first.
            to: The app's address for events; ``events_to`` by default.
        """
        about = {"type": "app_home_opened", "user": user, "tab": "home", "channel": f"D{user[1:]}"}
        with self._lock:
            content = interaction.event(self._team, about)
        return self.tell(content, retry=retry, to=to)

    def tell(
        self, content: Mapping[str, Any], *, retry: int = 0, to: str | None = None
    ) -> HttpAnswer:
        """Send the app an event, signed, and return what it answered."""
        address = to or self.events_to
        if not address:
            repeated = {"retry_attempt": retry, "retry_reason": "timeout" if retry else ""}
            answer = self._sockets.deliver("events_api", content, **repeated)
            return _NOBODY_ANSWERED if answer is None else HttpAnswer()
        body = json.dumps(content).encode()
        headers = self.signed(body) | {"Content-Type": "application/json"}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_timeout"}
        return post(address, body, headers)

    def repeat(self) -> HttpAnswer:
        """Send the last press or submission once more, to the byte.

        Raises:
            LookupError: There was none.
        """
        if self._last is None:
            raise LookupError("nothing was pressed or submitted yet")
        return post(*self._last)

    def interact(
        self,
        content: Mapping[str, Any],
        *,
        to: str | None = None,
        late: timedelta = timedelta(),
        forged: bool = False,
    ) -> HttpAnswer:
        """Sign and send any interaction, as Slack does, and return what the app answered.

        Args:
            content: The interaction.
            to: The app's address for interactions; ``interactions_to`` by default.
            late: How long ago it was signed.
            forged: Whether somebody else than Slack has signed it.
        """
        address = to or self.interactions_to
        if not address:
            answer = self._sockets.deliver("interactive", content)
            if answer is None:
                return _NOBODY_ANSWERED
            payload = answer.get("payload")
            return HttpAnswer(200, json.dumps(payload).encode() if payload else b"")
        body = urlencode({"payload": json.dumps(content)}).encode()
        signed_at = (self._team.clock() - late).timestamp()
        secret = "somebody-elses" if forged else None
        self._last = address, body, self.signed(body, at=signed_at, secret=secret)
        return post(*self._last)

    def signed(
        self, body: bytes, *, at: float | None = None, secret: str | None = None
    ) -> dict[str, str]:
        """Return the headers that prove a body to come from Slack, ``at`` seconds since 1970."""
        timestamp = int(self._team.clock().timestamp() if at is None else at)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return form | interaction.signature(secret or self.signing_secret, body, timestamp)

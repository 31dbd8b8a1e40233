"""Who is who in one Slack workspace, asked at most every ten minutes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.slack.asking import Asking
from connectors.slack.interactions import Identity
from decisions.errors import PermanentFailure
from decisions.ports import Addressee, Clock

REMEMBERED = timedelta(minutes=10)

_Json = Mapping[str, Any]


class Directory:
    """People and the app itself, as Slack knows them.

    Args:
        name: The connection's name.
        asking: Asks Slack.
        clock: The present instant.
    """

    def __init__(self, name: str, asking: Asking, clock: Clock) -> None:
        self._name = name
        self._asking = asking
        self._clock = clock
        self._people: dict[str, tuple[datetime, _Json]] = {}
        self._identity: Identity | None = None

    def reachable(self, to: Addressee) -> str:
        """Return the Slack id of somebody who can be told something.

        Slack takes messages for people who have left, so it is asked about the person first.

        Raises:
            PermanentFailure: Slack does not know them, or their account is closed or a bot's.
            TemporaryFailure: Slack cannot be asked just now.
        """
        user = self.user(to)
        if user.get("deleted") or user.get("is_bot"):
            what = "deactivated" if user.get("deleted") else "a bot's"
            text = f"{to.person}'s Slack account is {what}; put their cover in people.yaml"
            raise PermanentFailure(text, connector=self._name)
        return str(user["id"])

    def user(self, to: Addressee) -> _Json:
        """Return what Slack knows of somebody: found by their id, else by their e-mail."""
        return self._known(to.person, user=to.slack, email=to.email)

    def email_of(self, user: str) -> str | None:
        """Return the e-mail of a Slack account; None where Slack does not say one."""
        profile = self._known(user, user=user).get("profile") or {}
        return profile.get("email") or None

    def identity(self) -> Identity:
        """Return which app the token is of, and in which workspace; asked once.

        Raises:
            ConnectorError: Slack cannot be asked just now.
        """
        if self._identity is None:
            client = self._asking.client
            here = self._asking.ask(client.auth_test, "the app")
            about = self._asking.ask(client.bots_info, "the app", bot=here.get("bot_id"))
            app = (about.get("bot") or {}).get("app_id")
            self._identity = Identity(str(app), str(here.get("team_id")))
        return self._identity

    def _known(self, whom: str, *, user: str | None, email: str = "") -> _Json:
        address = user or email
        asked_at, found = self._people.get(address, (None, {}))
        now = self._clock()
        if asked_at is not None and timedelta() <= now - asked_at < REMEMBERED:
            return found
        client = self._asking.client
        if user:
            answer = self._asking.ask(client.users_info, whom, user=user)
        else:
            answer = self._asking.ask(client.users_lookupByEmail, whom, email=email)
        found = {"id": user, **(answer.get("user") or {})}
        self._people[address] = now, found
        return found

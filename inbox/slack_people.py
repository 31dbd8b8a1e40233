"""Whose Slack account an answer comes from, and who may be chosen in a form."""

from datetime import datetime

from connectors.slack.channel import SlackChannel
from connectors.slack.forms import Written
from decisions.ownership import People


class SlackPeople:
    """People of the workspace, by their Slack accounts.

    Args:
        people: Who there is.
        channel: The Slack app that knows accounts.
    """

    def __init__(self, people: People, channel: SlackChannel) -> None:
        self._people = people
        self._channel = channel

    def key(self, user: str) -> str | None:
        """Return the key of the person whose account it is, by its id, else by its e-mail.

        An e-mail counts only for people without a Slack id: that is how they are told, too.
        """
        people = self._people.people
        by_id = [key for key, person in people.items() if person.slack == user]
        if by_id:
            return by_id[0]
        email = self._channel.email_of(user)
        by_email = [
            key
            for key, person in people.items()
            if email and person.slack is None and person.email.lower() == email.lower()
        ]
        return by_email[0] if len(by_email) == 1 else None

    def present(self, user: str, now: datetime) -> str | None:
        """Return the key of the person whose account it is, unless they have left."""
        key = self.key(user)
        return None if key is None or self._people.has_left(key, now) else key

    def colleagues(self, now: datetime, *, but: str | None) -> dict[str, str]:
        """Return the names of those who have not left, by key, in their order.

        Two of one name are told apart by their keys.
        """
        people = self._people
        present = [key for key in people.people if key != but and not people.has_left(key, now)]
        names = [people.name(key) for key in present]
        shown = {
            key: people.name(key)
            if names.count(people.name(key)) == 1
            else f"{people.name(key)} ({key})"
            for key in present
        }
        return dict(sorted(shown.items(), key=lambda each: each[1]))

    def chosen(self, written: Written) -> str | None:
        """Return the key of the person who was chosen in a form, or None."""
        if written.user is not None:
            return self.key(written.user)
        return written.choice(list(self._people.people))

"""Chats and pagers through Apprise, by a URL each: for rooms and on-call services.

Apprise says of a try that it worked or that it did not, never why, so that everything but success
is an unknown outcome here. What needs more has a connector of its own: Slack, e-mail, webhooks.
"""

import logging
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from decisions.errors import PermanentFailure, UnknownOutcome
from decisions.ports import Clock, Message, Receipt

# Its lines name addresses and quote what services answer; the channel raises what matters.
logging.getLogger("apprise").setLevel(logging.CRITICAL)


class AppriseConfig(BaseModel):
    """One service that Apprise knows.

    Attributes:
        url: Apprise's address of it, tokens included.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: SecretStr = Field(description="Apprise's address of the service, as ${TEAMS_URL}.")


class AppriseChannel:
    """Tells people in a room or by a pager; see ``decisions.ports.Channel``.

    Attributes:
        name: The connection's name in ``connections.yaml``.
    """

    def __init__(self, name: str, url: str, *, clock: Clock) -> None:
        import apprise

        self.name = name
        self._clock = clock
        self._apprise = apprise.Apprise()
        if not self._apprise.add(url):
            text = "its url is none that Apprise reads; see https://appriseit.com/services"
            raise PermanentFailure(text, connector=name)

    def __repr__(self) -> str:
        return f"AppriseChannel({self.name!r})"

    def deliver(self, message: Message) -> Receipt:
        """Hand the message over, once; see ``Channel.deliver``."""
        title = f"{message.to.name}: {message.title}"
        if not self._apprise.notify(body=_body(message), title=title, body_format="text"):
            text = "the service did not say that it took the message, and Apprise not why"
            raise UnknownOutcome(text, connector=self.name)
        return Receipt(reference=f"apprise/{message.key}", accepted_at=self._clock())

    def find(self, message: Message) -> Receipt | None:
        """Say that nobody can be asked; see ``Channel.find``."""
        text = f"whether {message.key!r} was taken cannot be asked through Apprise"
        raise UnknownOutcome(text, connector=self.name)


def _body(message: Message) -> str:
    due = ""
    if message.answer_by is not None:
        from babel.dates import format_datetime  # a run that tells nobody needs no calendar

        there = message.answer_by.astimezone(ZoneInfo(message.to.zone))
        written = format_datetime(there, "EEE d MMM, HH:mm", locale="en")
        due = f"Answer by {written} ({message.to.zone})"
    facts = [f"{fact.label}: {fact.text}" for fact in message.facts[:20]]
    # Never the personal link: a room is read by many.
    lines = [message.lead, message.why, *facts, due, message.url, f"Accountable: {message.owner}"]
    return "\n".join(line for line in lines if line)

"""Who hears that somebody cannot be told, or that a channel is out of order."""

from datetime import datetime

from decisions.errors import UnknownPerson
from decisions.ledger.claims import Alarm, Claim
from decisions.ownership import People, resolve
from decisions.ports import Kind


def undelivered(
    claim: Claim, failure: str, people: People, now: datetime, route: str | None = None
) -> Alarm | None:
    """Return who hears that somebody could not be told; once a day for each such person.

    Args:
        claim: What could not be handed over.
        failure: Why.
        people: Who there is.
        now: The present instant (timezone-aware).
        route: The connection that the alarm goes through; None for the usual one.
    """
    if claim.notification.kind == Kind.ALARMED:  # that alarms do not arrive alarms nobody
        return None
    told = claim.notification
    what = claim.case.key if claim.case else claim.definition.decision
    because = f"{people.name(told.recipient)} could not be told of {what}: {failure}"
    to = _technical_owner(claim, people, now)
    key = f"alarm:{told.recipient}:{now:%Y-%m-%d}:{to}"
    return Alarm(key, to, because, route) if to else None


def out_of_order(
    claim: Claim, channel: str, disorder: str, people: People, now: datetime, route: str | None
) -> Alarm | None:
    """Return who hears that nothing passes through a channel; the ledger tells it once an outage.

    Args:
        claim: What met it; an alarm that cannot leave tells of it as well.
        channel: The connection.
        disorder: What is wrong with it.
        people: Who there is.
        now: The present instant (timezone-aware).
        route: The connection that the alarm goes through; None for the usual one.
    """
    to = _technical_owner(claim, people, now)
    because = f"{channel} is out of order, and what goes through it waits: {disorder}"
    return Alarm(f"alarm:{channel}", to, because, route) if to else None


def _technical_owner(claim: Claim, people: People, now: datetime) -> str | None:
    owners = claim.definition.owners
    try:
        return resolve("technical", people=people, owners=owners, assignee=None, at=now).person
    except UnknownPerson:
        return None

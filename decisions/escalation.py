"""Who hears next about a case, and when: pure rules, no clock, no ledger.

A case in a cycle has taken some number of steps. For an *open* case the ask to the assignee is
step 0 and the policy's steps follow; for an *acknowledged* one nothing is told until
``complete_by`` has passed, then the assignee is reminded and the policy's steps follow.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from decisions.definition import Action
from decisions.ports import Kind
from decisions.quantities import Span
from decisions.worktime import WorkingHours, deadline

ASSIGNEE = "assignee"
"""The target of a reminder: whoever holds the case."""


class End(StrEnum):
    """What is left when the policy has no further step."""

    CLOSE_UNANSWERED = "close unanswered"
    KEEP_OPEN = "keep open"
    STOP_REMINDING = "stop reminding"


@dataclass(frozen=True, slots=True)
class Telling:
    """One person is to be told.

    Attributes:
        to: A target as the definition writes it, or ``ASSIGNEE``.
        kind: Why.
    """

    to: str
    kind: Kind


def due_step(action: Action, *, state: str, taken: int) -> Telling | End:
    """Return the step that follows, for a case whose ``due_at`` has passed.

    Args:
        action: The action as pinned by the case's version.
        state: ``open`` or ``acknowledged``.
        taken: Steps taken in this cycle, the ask not counted.
    """
    acknowledged = state == "acknowledged"
    if acknowledged and taken == 0:
        return Telling(ASSIGNEE, Kind.REMINDED)
    position = taken - 1 if acknowledged else taken
    if position < len(action.escalate):
        return Telling(action.escalate[position].to, Kind.ESCALATED)
    if acknowledged:
        return End.STOP_REMINDING
    return End.CLOSE_UNANSWERED if action.unanswered == "close" else End.KEEP_OPEN


def wait(action: Action, *, state: str, taken: int) -> Span | None:
    """Return how long the person told last has, or None if nothing follows.

    The last person on the policy has as long as the first had to answer, ``respond_within``.

    Args:
        action: The action as pinned by the case's version.
        state: ``open`` or ``acknowledged``.
        taken: Steps taken in this cycle, the ask not counted.
    """
    position = taken - 1 if state == "acknowledged" else taken
    if 0 <= position < len(action.escalate):
        return action.escalate[position].after
    return action.respond_within if state == "open" else None


def next_due(
    action: Action, *, state: str, taken: int, sent_at: datetime, hours: WorkingHours
) -> datetime | None:
    """Return when the next step falls due, or None if nothing follows.

    The wait counts from the instant the message was sent, so an outage on our side delays
    everybody and shortens nobody's time to answer.

    Args:
        action: The action as pinned by the case's version.
        state: ``open`` or ``acknowledged``.
        taken: Steps taken in this cycle, the ask not counted.
        sent_at: When the last message was sent or found undeliverable (timezone-aware).
        hours: Working hours of the person told last.
    """
    span = wait(action, state=state, taken=taken)
    return deadline(sent_at, span, hours) if span else None

"""What happened to a case, a line each, oldest first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from decisions.ledger import SYSTEM, Dossier
from decisions.ledger.records import (
    Answer,
    Arm,
    Assignment,
    Case,
    Notification,
    NotificationState,
    Outcome,
)
from decisions.ledger.results import PROVEN
from decisions.lifecycle import PAST, Move

_TOLD: Final = {
    "asked": "{} was asked",
    "escalated": "{} was told that nobody had answered",
    "reminded": "{} was reminded to complete it",
}
_ON_ITS_WAY: Final = {
    NotificationState.PENDING: "The message to {} waits to be sent",
    NotificationState.SENDING: "The message to {} is being sent",
    NotificationState.UNKNOWN: "Whether the message to {} arrived is being looked up",
    NotificationState.SUPERSEDED: "The message to {} was taken back, no longer needed",
}
_BY_ITSELF: Final = {
    "woke": "Its snooze was over",
    "policy ended": "Nobody is left to tell",
    "unanswered": "Closed: nobody answered, which is not consent",
}
"""Entries that no other row tells of."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        at: When (timezone-aware).
        text: What, in one line.
        detail: What was said or found, if anything.
        tone: ``answer`` for what people said, ``fault`` for what went wrong, else ``plain``.
    """

    at: datetime
    text: str
    detail: str | None = None
    tone: Literal["plain", "answer", "fault"] = "plain"


@dataclass(frozen=True, slots=True)
class Teller:
    """Puts a dossier into words for one reader.

    Attributes:
        name: Gives a person's name for their key.
        written: Gives an instant as the reader's wall clock shows it.
    """

    name: Callable[[str | None], str]
    written: Callable[[datetime], str]

    def events(self, dossier: Dossier) -> list[Event]:
        """Return everything that happened to the case, oldest first."""
        case = dossier.case
        found = [
            Event(case.opened_at, _beginning(case), f"Rule: {case.rule}"),
            *(self._assigned(one) for one in dossier.assignments if _says_more(one)),
            *(self._told(one) for one in dossier.notifications),
            *(self._answered(one) for one in dossier.answers),
            *(
                Event(one.acted_at, "What was done is proven", one.what, "answer")
                for one in dossier.interventions
                if one.source == PROVEN
            ),
            *(self._observed(dossier, one) for one in dossier.outcomes),
            *self._by_itself(dossier),
        ]
        return sorted(found, key=lambda event: event.at)

    def _assigned(self, one: Assignment) -> Event:
        instead = f", in place of {self.name(one.in_place_of)}" if one.in_place_of else ""
        because = one.because if one.by == SYSTEM else None
        return Event(one.at, f"Given to {self.name(one.assignee)}{instead}", because)

    def _told(self, one: Notification) -> Event:
        name = self.name(one.recipient)
        if one.state == NotificationState.SENT and one.sent_at:
            return Event(one.sent_at, _TOLD[one.kind].format(name), through(one))
        if one.state in _ON_ITS_WAY:
            text = _ON_ITS_WAY[NotificationState(one.state)].format(name)
            return Event(one.created_at, text, one.failure, "fault" if one.failure else "plain")
        return Event(one.created_at, f"{name} could not be reached", one.failure, "fault")

    def _answered(self, one: Answer) -> Event:
        name = self.name(one.by)
        if not one.accepted:
            return Event(one.at, f"{name} wanted to {one.kind} it, in vain", one.told, "fault")
        to = f" to {self.name(one.to)}" if one.to else ""
        until = f" until {self.written(one.until)}" if one.until else ""
        instead = f", in place of {self.name(one.in_place_of)}" if one.in_place_of else ""
        said = ": ".join(part for part in (one.reason, one.note) if part)
        text = f"{name} {PAST[Move(one.kind)]} it{to}{until}{instead}"
        return Event(one.at, text, said or None, "answer")

    def _observed(self, dossier: Dossier, one: Outcome) -> Event:
        declared = dossier.definition.outcome
        if one.state == "censored":
            return Event(one.recorded_at, "The outcome can never be known", one.reason, "fault")
        if one.value is None or declared is None:
            return Event(one.recorded_at, "No outcome was found", None, "fault")
        measure = declared.measure.replace("_", " ")
        return Event(one.recorded_at, f"The outcome is known: {measure} {one.value:g}")

    def _by_itself(self, dossier: Dossier) -> Iterator[Event]:
        for entry in dossier.entries:
            if entry.act in _BY_ITSELF:
                yield Event(entry.at, _BY_ITSELF[entry.act])


def through(told: Notification) -> str:
    """Return how a message reached its person; a drawn one says that it was not sent."""
    if (told.reference or "").startswith("preview/"):
        return f"Drawn here only: {told.channel} has no token yet"
    return f"Through {told.channel}"


def _beginning(case: Case) -> str:
    begun = "Drawn to be left alone" if case.arm == Arm.CONTROL else "Opened"
    return f"{begun} by run {case.run_id}"


def _says_more(one: Assignment) -> bool:
    """Whether it says more than the answer that brought it about."""
    return one.by == SYSTEM or one.in_place_of is not None

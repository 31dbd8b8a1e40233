"""What will happen to a case, when and to whom, if nobody answers from now on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from decisions.definition import Definition
from decisions.escalation import ASSIGNEE, End, Telling, due_step, next_due
from decisions.ledger.records import Case, CaseState, Notification
from decisions.ownership import People
from decisions.ports import Kind
from decisions.pursuit import standin_for
from decisions.worktime import deadline

MOST_STEPS = 50
"""No policy has as many steps; a bound for one that would come back to itself."""


class Event(StrEnum):
    """What comes."""

    TOLD = "told"
    ASKED = "asked again"
    CLOSED = "closed unanswered"
    KEPT_OPEN = "kept open, nobody left to tell"
    STOPPED = "no further reminder"
    MATURE = "outcome looked up"


@dataclass(frozen=True, slots=True)
class Coming:
    """One thing that is to come.

    Attributes:
        at: When, if every message is taken at once (timezone-aware); None while a message is on
            its way, since waits count from when it was taken.
        event: What.
        to: Who will be told; None where nobody is.
        because: Their role on the policy, and for whom they stand in.
    """

    at: datetime | None
    event: Event
    to: str | None = None
    because: str | None = None


def outlook(
    case: Case,
    definition: Definition,
    messages: Sequence[Notification],
    *,
    people: People,
    now: datetime,
) -> list[Coming]:
    """Return what is to come, in order; what is overdue comes first, at the present instant.

    Absence is judged as people.yaml has it today, at the instant of each step.

    Args:
        case: The case as it stands.
        definition: The definition that the case is pinned to.
        messages: What was queued for it so far.
        people: Who there is.
        now: The present instant (timezone-aware).
    """
    found: list[Coming] = []
    if case.state in {CaseState.OPEN, CaseState.ACKNOWLEDGED}:
        found += _Ahead(case, definition, people, now).steps(messages)
    if case.outcome_due_at is not None:
        found.append(Coming(max(case.outcome_due_at, now), Event.MATURE))
    return sorted(found, key=lambda one: one.at or now)


@dataclass(frozen=True, slots=True)
class _Ahead:
    case: Case
    definition: Definition
    people: People
    now: datetime

    def steps(self, messages: Sequence[Notification]) -> Iterator[Coming]:
        under_way = [one for one in messages if one.next_at is not None]
        for one in under_way:
            yield Coming(one.next_at, Event.TOLD, one.recipient, one.because)
        case, at = self.case, self.case.due_at
        if at is None and under_way:
            last = under_way[-1]
            at = self._due(str(case.state), case.step, last.recipient, self.now)
        if at is None:
            return
        at = max(at, self.now)
        state, taken = str(case.state), case.step
        if case.snoozed_until is not None:
            found = standin_for(ASSIGNEE, case, self.definition, self.people, at)
            yield Coming(at, Event.ASKED, found.person, "snoozed until then")
            following = self._after_waking(at, found.person)
            if following is None:
                return
            at, taken = following
        yield from self._from(state, taken, at)

    def _after_waking(self, at: datetime, assignee: str) -> tuple[datetime, int] | None:
        action = self.definition.actions[self.case.action]
        if self.case.state == CaseState.OPEN:
            wait = deadline(at, action.respond_within, self.people.hours(assignee))
            following = self._due("open", 0, assignee, at) or wait
            return following, 0
        if self.case.complete_by is None:
            return None
        if self.case.complete_by > at:
            return self.case.complete_by, 0
        reminded = self._due("acknowledged", 1, assignee, at)
        return (reminded, 1) if reminded else None

    def _from(self, state: str, taken: int, at: datetime) -> Iterator[Coming]:
        action = self.definition.actions[self.case.action]
        for _ in range(MOST_STEPS):
            step = due_step(action, state=state, taken=taken)
            if isinstance(step, End):
                yield Coming(at, _ENDS[step])
                return
            found = standin_for(step.to, self.case, self.definition, self.people, at)
            yield Coming(at, Event.TOLD, found.person, _role(step, found.because))
            taken += 1
            following = self._due(state, taken, found.person, at)
            if following is None:
                return
            at = following

    def _due(self, state: str, taken: int, person: str, sent_at: datetime) -> datetime | None:
        action = self.definition.actions[self.case.action]
        hours = self.people.hours(person)
        return next_due(action, state=state, taken=taken, sent_at=sent_at, hours=hours)


_ENDS = {
    End.CLOSE_UNANSWERED: Event.CLOSED,
    End.KEEP_OPEN: Event.KEPT_OPEN,
    End.STOP_REMINDING: Event.STOPPED,
}


def _role(step: Telling, because: str | None) -> str:
    role = "reminded: not completed in time" if step.kind is Kind.REMINDED else step.to
    return f"{role}; {because}" if because else role

"""One try to hand a message over: by which channel, and where the message stands afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from decisions.errors import (
    ConnectorError,
    OutOfOrder,
    PermanentFailure,
    TemporaryFailure,
    UnknownOutcome,
    UnknownPerson,
)
from decisions.escalation import next_due
from decisions.ledger.claims import Alarm, Claim, Delivery
from decisions.ledger.outbox import PATIENCE, SETTLE
from decisions.ledger.records import CaseState, NotificationState
from decisions.ownership import People, resolve
from decisions.ports import Channel, Kind, Message, Receipt

RETRY = timedelta(minutes=1)
"""How long to wait after a first temporary failure that did not say for how long; then double."""

LONGEST_RETRY = timedelta(minutes=30)

ABSENCES = 2
"""Looks that do not find a message of unknown outcome before it is sent again."""

MOST_SILENCES = 3
"""Looks that nobody answers before a message of unknown outcome is sent again, marked, or held."""

REPEATED = "Repeat: the first message could not be confirmed"

Unconfirmed = Literal["resend", "hold"]
"""What becomes of a message that cannot be looked up: sent again and marked, or kept back."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to hand one message over.

    Attributes:
        claim: The message's row, held under our lease.
        message: What to hand over.
        channels: By connection name.
        people: Who there is.
        now: The present instant (timezone-aware).
        is_held: Whether the message may not leave; asked right before it would.
        unconfirmed: What becomes of a message that cannot be looked up.
    """

    claim: Claim
    message: Message
    channels: Mapping[str, Channel]
    people: People
    now: datetime
    is_held: Callable[[], bool] = lambda: False
    unconfirmed: Unconfirmed = "resend"

    def made(self) -> Delivery:
        """Hand the message over by the channel whose turn it is, and say how it ended.

        A message that an earlier try may have sent is looked up first: a late duplicate is worse
        than a minute's delay.
        """
        name = self.claim.routes[0]
        if name not in self.channels:
            return self._refused(name, f"{name} is not connected")
        channel = self.channels[name]
        return self._looked_up(channel) if self.claim.doubtful else self._handed(channel)

    def _looked_up(self, channel: Channel) -> Delivery:
        told = self.claim.notification
        try:
            receipt = channel.find(self.message)
        except ConnectorError as silence:
            return self._unanswered(channel, silence)
        if receipt is not None:
            return self._sent(channel.name, receipt)
        if told.absences + 1 < ABSENCES:
            found = "looked up once and not found; looked up once more"
            return self._in_doubt(channel.name, found, absences=told.absences + 1)
        # Should the first turn up after all, later than anything waits, this one says what it is.
        return self._handed(channel, _marked(self.message))

    def _unanswered(self, channel: Channel, silence: ConnectorError) -> Delivery:
        told = self.claim.notification
        asked_for = getattr(silence, "retry_after", None)
        if asked_for is not None:  # the other side is there, and will answer
            return self._in_doubt(channel.name, silence, wait=asked_for)
        silences = told.silences + 1
        if silences <= MOST_SILENCES:
            return self._in_doubt(channel.name, silence, silences=silences)
        if self.unconfirmed == "resend" and silences == MOST_SILENCES + 1:
            # Losing a message is worse than repeating it, if the repeat says that it is one.
            return self._handed(channel, _marked(self.message), silences=silences)
        wait = min(SETTLE * 2 ** min(silences, 10), LONGEST_RETRY)
        return self._in_doubt(channel.name, silence, silences=silences, wait=wait)

    def _handed(
        self, channel: Channel, message: Message | None = None, *, silences: int = 0
    ) -> Delivery:
        if self.is_held():
            return self._held()
        try:
            return self._sent(channel.name, channel.deliver(message or self.message))
        except PermanentFailure as refusal:
            return self._refused(channel.name, str(refusal))
        except OutOfOrder as disorder:
            return self._kept(channel.name, disorder)
        except TemporaryFailure as failure:
            return self._later(channel.name, failure)
        except UnknownOutcome as doubt:
            # Of what was repeated once nobody hears a third time: it is asked about for a day.
            return self._in_doubt(channel.name, doubt, silences=silences)

    def _sent(self, channel: str, receipt: Receipt) -> Delivery:
        return Delivery(
            state=NotificationState.SENT,
            channel=channel,
            message=self.message,
            reference=receipt.reference,
            due_at=self._next_due(),
        )

    def _held(self) -> Delivery:
        told = self.claim.notification
        return Delivery(
            state=NotificationState.UNKNOWN if self.claim.doubtful else NotificationState.PENDING,
            channel=None,
            message=None,
            failure="held: halted, changed meanwhile, or not its turn",
            next_at=self.claim.due_at or self.now,
            absences=told.absences,
            silences=told.silences,
        )

    def _kept(self, channel: str, disorder: OutOfOrder) -> Delivery:
        """Keep the message in its place until the installation is repaired."""
        return Delivery(
            state=NotificationState.PENDING,
            channel=channel,
            message=self.message,
            failure=str(disorder),
            next_at=self.claim.due_at or self.now,
            wait_until=self.now + (disorder.retry_after or RETRY),
            out_of_order=str(disorder),
            alarm=self._disorder(channel, disorder),
        )

    def _later(self, channel: str, failure: TemporaryFailure) -> Delivery:
        told = self.claim.notification
        if self.now - told.created_at >= PATIENCE:
            return self._refused(channel, str(failure), NotificationState.DEAD)
        next_at, wait_until = self.claim.due_at or self.now, None
        if failure.retry_after is not None:
            # The whole channel is asked to wait; the message keeps its place before the others.
            wait_until = self.now + failure.retry_after
        else:
            doubled = RETRY * 2 ** min(told.attempts - 1, 10)
            next_at = self.now + min(doubled, LONGEST_RETRY)
        return Delivery(
            state=NotificationState.PENDING,
            channel=channel,
            message=self.message,
            failure=str(failure),
            next_at=next_at,
            wait_until=wait_until,
        )

    def _in_doubt(
        self,
        channel: str,
        said: object,
        *,
        absences: int = 0,
        silences: int = 0,
        wait: timedelta = SETTLE,
    ) -> Delivery:
        told = self.claim.notification
        if self.now - told.created_at >= PATIENCE:
            return self._given_up(NotificationState.DEAD, channel, str(said))
        return Delivery(
            state=NotificationState.UNKNOWN,
            channel=channel,
            message=self.message,
            failure=str(said),
            next_at=self.now + wait,
            absences=absences,
            silences=silences,
        )

    def _refused(
        self,
        channel: str,
        failure: str,
        state: NotificationState = NotificationState.UNREACHABLE,
    ) -> Delivery:
        """Go on to the next channel; where there is none, give up."""
        said = _joined(self.claim.notification.failure, failure)
        if len(self.claim.routes) == 1:
            return self._given_up(state, channel, said)
        return Delivery(
            state=NotificationState.PENDING,
            channel=channel,
            message=self.message,
            failure=said,
            next_at=self.claim.due_at or self.now,
            route=self.claim.routes[1],
        )

    def _given_up(self, state: NotificationState, channel: str, failure: str) -> Delivery:
        # Whoever cannot be told has no time to answer: the next step is due at once.
        return Delivery(
            state=state,
            channel=channel,
            message=self.message,
            failure=failure,
            due_at=self.now,
            alarm=undelivered(self.claim, failure, self.people, self.now),
        )

    def _disorder(self, channel: str, disorder: OutOfOrder) -> Alarm | None:
        because = f"{channel} is out of order, and what goes through it waits: {disorder}"
        others = (name for name in self.channels if name != channel)
        key = f"alarm:{channel}:{self.now:%Y-%m-%dT%H:%M:%S}"
        return _alarm(self.claim, key, because, self.people, self.now, next(others, None))

    def _next_due(self) -> datetime | None:
        case = self.claim.case
        if case is None or case.state not in {CaseState.OPEN, CaseState.ACKNOWLEDGED}:
            return None
        return next_due(
            self.claim.definition.actions[case.action],
            state=case.state,
            taken=case.step,
            sent_at=self.now,
            hours=self.people.hours(self.claim.notification.recipient),
        )


def undelivered(claim: Claim, failure: str, people: People, now: datetime) -> Alarm | None:
    """Return who hears that somebody could not be told; once a day for each such person.

    Args:
        claim: What could not be handed over.
        failure: Why.
        people: Who there is.
        now: The present instant (timezone-aware).
    """
    told = claim.notification
    what = claim.case.key if claim.case else claim.definition.decision
    because = f"{people.name(told.recipient)} could not be told of {what}: {failure}"
    key = f"alarm:{told.recipient}:{now:%Y-%m-%d}"
    return _alarm(claim, key, because, people, now, None)


def _alarm(
    claim: Claim, key: str, because: str, people: People, now: datetime, route: str | None
) -> Alarm | None:
    if claim.notification.kind == Kind.ALARMED:  # that alarms do not arrive alarms nobody
        return None
    owners = claim.definition.owners
    try:
        to = resolve("technical", people=people, owners=owners, assignee=None, at=now).person
    except UnknownPerson:
        return None
    return Alarm(f"{key}:{to}", to, because, route)


def unwritable(claim: Claim, failure: str, people: People, now: datetime) -> Delivery:
    """Return the end of a message that cannot be written: whoever is next is due at once.

    Args:
        claim: What was to be written.
        failure: Why not.
        people: Who there is.
        now: The present instant (timezone-aware).
    """
    return Delivery(
        state=NotificationState.UNREACHABLE,
        channel=None,
        message=None,
        failure=failure,
        due_at=now,
        alarm=undelivered(claim, failure, people, now),
    )


def has_lost_its_point(claim: Claim) -> bool:
    """Whether the case has moved on since the message was queued."""
    case = claim.case
    if case is None:
        return False
    _, cycle, *_ = claim.notification.key.split(":")
    is_over = case.state not in {CaseState.OPEN, CaseState.ACKNOWLEDGED}
    return is_over or case.cycle != int(cycle) or case.snoozed_until is not None


def _marked(message: Message) -> Message:
    lead = f"{REPEATED}. {message.lead}" if message.lead else REPEATED
    return message.model_copy(update={"lead": lead})


def _joined(earlier: str | None, failure: str) -> str:
    said = [text for text in (earlier, failure) if text and not text.startswith("held:")]
    return "; ".join(dict.fromkeys(said))

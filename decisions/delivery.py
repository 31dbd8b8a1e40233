"""One try to hand a message over: which channel, and where the message stands afterwards."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from decisions.errors import ConnectorError, PermanentFailure, TemporaryFailure, UnknownOutcome
from decisions.escalation import next_due
from decisions.ledger.outbox import PATIENCE, SETTLE, Claim, Delivery
from decisions.ledger.records import CaseState, NotificationState
from decisions.ownership import People
from decisions.ports import Channel, Message, Receipt

RETRY = timedelta(minutes=1)
"""How long to wait after a first temporary failure that did not say for how long; then double."""

LONGEST_RETRY = timedelta(minutes=30)

MOST_LOOKS = 3
"""Looks for a message of unknown outcome before it is sent again, marked as a repeat."""

REPEATED = "Repeat: the first message could not be confirmed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to hand one message over.

    Attributes:
        claim: The message's row, held under our lease.
        message: What to hand over.
        channels: By connection name.
        people: Who there is.
        now: The present instant (timezone-aware).
        is_held: Whether the message may not leave; asked right before each time it would.
    """

    claim: Claim
    message: Message
    channels: Mapping[str, Channel]
    people: People
    now: datetime
    is_held: Callable[[], bool] = lambda: False

    def made(self) -> Delivery:
        """Hand the message over by the first channel that works, and say how it ended.

        A message that an earlier try may have sent is looked up first: a late duplicate is worse
        than a minute's delay.
        """
        said: list[str] = []
        for name in self._route():
            end = self._over(self.channels[name], said)
            if end is not None:
                return end
        if not said:
            said.append("no channel that it may go through is connected")
        return self._given_up(NotificationState.UNREACHABLE, None, "; ".join(said))

    def _route(self) -> Iterator[str]:
        case, actions = self.claim.case, self.claim.definition.actions
        asked = actions.values() if case is None else [actions[case.action]]
        names = dict.fromkeys(name for action in asked for name in action.through)
        yield from (name for name in names if name in self.channels)

    def _over(self, channel: Channel, said: list[str]) -> Delivery | None:
        message = self.message
        if self.claim.doubtful:
            try:
                receipt = channel.find(message)
            except ConnectorError as silence:
                if self.claim.notification.attempts <= MOST_LOOKS:
                    return self._later(NotificationState.UNKNOWN, channel.name, silence)
                # Losing a message is worse than repeating it, if the repeat says that it is one.
                message = _marked(message)
            else:
                if receipt is not None:
                    return self._sent(channel.name, receipt)
        return self._held() if self.is_held() else self._handed(channel, message, said)

    def _handed(self, channel: Channel, message: Message, said: list[str]) -> Delivery | None:
        try:
            return self._sent(channel.name, channel.deliver(message))
        except PermanentFailure as refusal:
            said.append(str(refusal))
            return None
        except TemporaryFailure as failure:
            return self._later(NotificationState.PENDING, channel.name, failure)
        except UnknownOutcome as doubt:
            return self._later(NotificationState.UNKNOWN, channel.name, doubt)

    def _sent(self, channel: str, receipt: Receipt) -> Delivery:
        return Delivery(
            state=NotificationState.SENT,
            channel=channel,
            message=self.message,
            reference=receipt.reference,
            due_at=self._next_due(),
        )

    def _held(self) -> Delivery:
        state = NotificationState.UNKNOWN if self.claim.doubtful else NotificationState.PENDING
        return Delivery(
            state=state, channel=None, message=None, failure="held: halted", next_at=self.now
        )

    def _later(self, state: NotificationState, channel: str, failure: ConnectorError) -> Delivery:
        told = self.claim.notification
        if self.now - told.created_at >= PATIENCE:
            return self._given_up(NotificationState.DEAD, channel, str(failure))
        # Who repeats what cannot be looked up must not do so twice a minute.
        wait = min(SETTLE * 2 ** min(max(told.attempts - MOST_LOOKS, 0), 10), LONGEST_RETRY)
        if state is NotificationState.PENDING:
            doubled = RETRY * 2 ** min(told.attempts - 1, 10)
            asked_for = getattr(failure, "retry_after", None)
            wait = asked_for or min(doubled, LONGEST_RETRY)
        return Delivery(
            state=state,
            channel=channel,
            message=self.message,
            failure=str(failure),
            next_at=self.now + wait,
        )

    def _given_up(self, state: NotificationState, channel: str | None, failure: str) -> Delivery:
        # Whoever cannot be told has no time to answer: the next step is due at once.
        return Delivery(
            state=state, channel=channel, message=self.message, failure=failure, due_at=self.now
        )

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


def unwritable(failure: str, now: datetime) -> Delivery:
    """Return the end of a message that cannot be written: whoever is next is due at once.

    Args:
        failure: Why.
        now: The present instant (timezone-aware).
    """
    return Delivery(
        state=NotificationState.UNREACHABLE,
        channel=None,
        message=None,
        failure=failure,
        due_at=now,
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

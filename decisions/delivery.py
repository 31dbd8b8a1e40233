"""One try to hand a message over: which channel, and where the message stands afterwards."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from decisions.errors import PermanentFailure, TemporaryFailure, UnknownOutcome
from decisions.escalation import next_due
from decisions.ledger.outbox import MOST_ATTEMPTS, SETTLE, Claim, Delivery
from decisions.ledger.records import CaseState, NotificationState
from decisions.ownership import People
from decisions.ports import Channel, Message, Receipt

RETRY = timedelta(minutes=1)
"""How long to wait after a temporary failure that did not say for how long."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to hand one message over.

    Attributes:
        claim: The message's row, held under our lease.
        message: What to hand over.
        channels: By connection name.
        people: Who there is.
        now: The present instant (timezone-aware).
    """

    claim: Claim
    message: Message
    channels: Mapping[str, Channel]
    people: People
    now: datetime

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
        case = self.claim.case
        if case is None:
            yield from self.channels
            return
        action = self.claim.definition.actions[case.action]
        yield from (name for name in action.through if name in self.channels)

    def _over(self, channel: Channel, said: list[str]) -> Delivery | None:
        try:
            receipt = channel.find(self.message) if self.claim.doubtful else None
            return self._sent(channel.name, receipt or channel.deliver(self.message))
        except PermanentFailure as refusal:
            said.append(str(refusal))
            return None
        except TemporaryFailure as failure:
            wait = failure.retry_after or RETRY
            return self._later(NotificationState.PENDING, channel.name, str(failure), wait)
        except UnknownOutcome as doubt:
            return self._later(NotificationState.UNKNOWN, channel.name, str(doubt), SETTLE)

    def _sent(self, channel: str, receipt: Receipt) -> Delivery:
        return Delivery(
            state=NotificationState.SENT,
            channel=channel,
            message=self.message,
            reference=receipt.reference,
            due_at=self._next_due(),
        )

    def _later(
        self, state: NotificationState, channel: str, failure: str, wait: timedelta
    ) -> Delivery:
        if self.claim.notification.attempts >= MOST_ATTEMPTS:
            return self._given_up(NotificationState.DEAD, channel, failure)
        return Delivery(
            state=state,
            channel=channel,
            message=self.message,
            failure=failure,
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
    return case.state not in {CaseState.OPEN, CaseState.ACKNOWLEDGED} or case.cycle != int(cycle)

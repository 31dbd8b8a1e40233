"""One try to hand a message over: by which channel, and where the message stands afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from decisions import alarms
from decisions.doubt import Course, Doubt, Unconfirmed, course
from decisions.errors import (
    ConnectorError,
    OutOfOrder,
    PermanentFailure,
    TemporaryFailure,
    UnknownOutcome,
)
from decisions.escalation import next_due
from decisions.ledger.claims import Claim, Delivery
from decisions.ledger.records import CaseState, NotificationState
from decisions.ledger.turns import PATIENCE
from decisions.ownership import People
from decisions.ports import Channel, Message, Receipt

RETRY = timedelta(minutes=1)
"""How long to wait after a first temporary failure that did not say for how long; then double."""

LONGEST_RETRY = timedelta(minutes=30)

REPEATED = "Repeat: the first message could not be confirmed"

_HELD = "held: halted, changed meanwhile, or not its turn"


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
        if self.claim.doubtful:
            return self._looked_up(channel)
        if not self.claim.has_turn:
            said, dead = str(self.claim.paused_because), NotificationState.DEAD
            return self._refused(name, said, dead, alarm_by=self._other(name))
        return self._handed(channel)

    @property
    def _is_used_up(self) -> bool:
        """Whether nobody waits for the connection any longer, counted from its first try."""
        tried_at = self.claim.notification.tried_at or self.now
        return not self.claim.has_turn or self.now - tried_at >= PATIENCE

    def _looked_up(self, channel: Channel) -> Delivery:
        doubt, said = self.claim.doubt, "looked up and not found"
        try:
            receipt = channel.find(self.message)
        except ConnectorError as silence:
            asked_for = getattr(silence, "retry_after", None)
            is_there = asked_for is not None and not isinstance(silence, OutOfOrder)
            if is_there and not self._is_used_up:
                return self._in_doubt(channel.name, silence, doubt, wait=asked_for)
            doubt, said = doubt.silent(), str(silence)
        else:
            if receipt is not None:
                return self._sent(channel.name, receipt, doubt.repeats)
            doubt = doubt.absent()
        return self._resolved(channel, doubt, said)

    def _resolved(self, channel: Channel, doubt: Doubt, said: str) -> Delivery:
        found = course(
            doubt,
            unconfirmed=self.unconfirmed,
            has_next_route=len(self.claim.routes) > 1,
            is_used_up=self._is_used_up,
        )
        match found:
            case Course.LOOK:
                return self._in_doubt(channel.name, said, doubt)
            case Course.REPEAT:
                return self._handed(channel, repeats=doubt.repeats + 1)
            case Course.ELSEWHERE:
                return self._refused(channel.name, said)
        return self._refused(channel.name, said, NotificationState.DEAD)

    def _handed(self, channel: Channel, *, repeats: int | None = None) -> Delivery:
        if self.is_held():
            return self._held()
        repeats = self.claim.doubt.repeats if repeats is None else repeats
        try:
            receipt = channel.deliver(_marked(self.message, repeats))
        except PermanentFailure as refusal:
            return self._refused(channel.name, str(refusal))
        except OutOfOrder as disorder:
            ended = self._kept(channel.name, disorder)
        except TemporaryFailure as failure:
            ended = self._later(channel.name, failure)
        except UnknownOutcome as outcome:
            return self._in_doubt(channel.name, outcome, Doubt(repeats=repeats))
        else:
            return self._sent(channel.name, receipt, repeats)
        return replace(ended, doubt=replace(ended.doubt, repeats=max(ended.doubt.repeats, repeats)))

    def _sent(self, channel: str, receipt: Receipt, repeats: int) -> Delivery:
        return Delivery(
            state=NotificationState.SENT,
            channel=channel,
            message=_marked(self.message, repeats),
            reference=receipt.reference,
            doubt=replace(self.claim.doubt, repeats=repeats),
            due=self._next_due,
        )

    def _held(self) -> Delivery:
        told = self.claim.notification
        return Delivery(
            state=NotificationState.UNKNOWN if self.claim.doubtful else NotificationState.PENDING,
            channel=None,
            message=None,
            failure=told.failure or _HELD,
            next_at=self._place,
            doubt=self.claim.doubt,
            failures=told.failures,
            is_tried=False,
        )

    def _kept(self, channel: str, disorder: OutOfOrder) -> Delivery:
        """Hold the channel back; the message goes by the next, or keeps its place for a while."""
        claim, said, other = self.claim, str(disorder), self._other(channel)
        ended = self._waiting(channel, said)
        is_given_up = claim.paused_at is not None and self.now - claim.paused_at >= PATIENCE
        if is_given_up or len(claim.routes) > 1:
            ended = self._refused(channel, said, NotificationState.DEAD, alarm_by=other)
        alarm = alarms.out_of_order(claim, channel, said, self.people, self.now, other)
        closed_for = disorder.retry_after or RETRY
        if ended.is_settled:  # the outage was alarmed when it began
            return replace(ended, closed_for=closed_for)
        return replace(ended, closed_for=closed_for, out_of_order=said, alarm=alarm)

    def _later(self, channel: str, failure: TemporaryFailure) -> Delivery:
        if self._is_used_up:
            return self._refused(channel, str(failure), NotificationState.DEAD)
        failures = self.claim.notification.failures
        ended = replace(self._waiting(channel, str(failure)), failures=failures + 1)
        if failure.retry_after is not None:
            # The whole channel is asked to wait; the message keeps its place before the others.
            return replace(ended, closed_for=failure.retry_after)
        wait = min(RETRY * 2 ** min(failures, 10), LONGEST_RETRY)
        return replace(ended, next_at=None, wait=wait)

    def _waiting(self, channel: str, failure: str) -> Delivery:
        """Return the end of a try that took nothing: the message keeps its place."""
        return Delivery(
            state=NotificationState.PENDING,
            channel=channel,
            message=self.message,
            failure=failure,
            next_at=self._place,
            doubt=Doubt(repeats=self.claim.doubt.repeats),
            failures=self.claim.notification.failures,
        )

    def _other(self, channel: str) -> str | None:
        return next((name for name in self.channels if name != channel), None)

    @property
    def _place(self) -> datetime:
        return self.claim.due_at or self.now

    def _in_doubt(
        self, channel: str, said: object, doubt: Doubt, *, wait: timedelta | None = None
    ) -> Delivery:
        return Delivery(
            state=NotificationState.UNKNOWN,
            channel=channel,
            message=self.message,
            failure=str(said),
            wait=wait or doubt.wait,
            doubt=doubt,
            failures=self.claim.notification.failures,
        )

    def _refused(
        self,
        channel: str,
        failure: str,
        state: NotificationState = NotificationState.UNREACHABLE,
        *,
        alarm_by: str | None = None,
    ) -> Delivery:
        """Go on to the next channel; where there is none, give up."""
        said = _joined(self.claim.notification.failure, failure)
        # Should the one before turn up after all, the next says what it is.
        repeats = max(self.claim.doubt.repeats, int(self.claim.doubtful))
        ended = replace(self._waiting(channel, said), doubt=Doubt(repeats=repeats))
        if len(self.claim.routes) > 1:
            return replace(ended, route=self.claim.routes[1], failures=0)
        alarm = alarms.undelivered(self.claim, said, self.people, self.now, alarm_by)
        # Whoever cannot be told has no time to answer: the next step is due at once.
        return replace(ended, state=state, next_at=None, due=lambda at: at, alarm=alarm)

    def _next_due(self, sent_at: datetime) -> datetime | None:
        case = self.claim.case
        if case is None or case.state not in {CaseState.OPEN, CaseState.ACKNOWLEDGED}:
            return None
        return next_due(
            self.claim.definition.actions[case.action],
            state=case.state,
            taken=case.step,
            sent_at=sent_at,
            hours=self.people.hours(self.claim.notification.recipient),
        )


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
        due=lambda at: at,
        alarm=alarms.undelivered(claim, failure, people, now),
    )


def has_lost_its_point(claim: Claim) -> bool:
    """Whether the case has moved on since the message was queued."""
    case = claim.case
    if case is None:
        return False
    _, cycle, *_ = claim.notification.key.split(":")
    is_over = case.state not in {CaseState.OPEN, CaseState.ACKNOWLEDGED}
    return is_over or case.cycle != int(cycle) or case.snoozed_until is not None


def _marked(message: Message, repeats: int) -> Message:
    if not repeats:
        return message
    lead = f"{REPEATED}. {message.lead}" if message.lead else REPEATED
    return message.model_copy(update={"lead": lead})


def _joined(earlier: str | None, failure: str) -> str:
    said = [text for text in (earlier, failure) if text and not text.startswith("held:")]
    return "; ".join(dict.fromkeys(said))

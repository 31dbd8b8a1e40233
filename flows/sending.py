"""Empties the outbox: hands over what is due at each channel's pace, amends what is outdated."""

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

from pydantic import BaseModel

from decisions.delivery import Attempt, has_lost_its_point, unwritable
from decisions.errors import (
    ConnectorError,
    DecisionLayerError,
    LedgerError,
    TemporaryFailure,
    UnknownOutcome,
)
from decisions.ledger import Claim
from decisions.ledger.amendments import Outdated
from decisions.ledger.records import NotificationState
from decisions.ports import AmendingChannel, Channel, Message, Pace, PacedChannel, let_pass
from flows.messages import amended, message_for, with_own_link
from flows.wiring import Layer

_logger = logging.getLogger(__name__)

SWEEP = timedelta(seconds=50)
"""For how long one sweep waits for turns; the next one begins after a minute."""

AMEND_AGAIN = timedelta(minutes=2)
"""When a message is amended again whose channel did not take the change."""


class Delivered(BaseModel):
    """How the messages that were due ended.

    Attributes:
        states: Messages by the state they ended in.
        waiting: Messages that are due and wait for their channel's turn.
        amended: Earlier messages that now say how their case stands.
    """

    states: dict[str, int] = {}
    waiting: int = 0
    amended: int = 0

    @property
    def sent(self) -> int:
        """Messages handed over."""
        return self.states.get(NotificationState.SENT, 0)


def deliver(layer: Layer) -> Delivered:
    """Claim and hand over messages until nothing is due, or what is due waits for later turns.

    One at a time: a lease covers one message, however slow the channel. A channel with a pace is
    waited for, but no longer than until the next sweep.
    """
    states: Counter[str] = Counter()
    outbox, until = layer.ledger.outbox, layer.clock() + SWEEP
    while True:
        claims = outbox.claim(most=1, paces=partial(_pace, layer.channels))
        for claim in claims:
            began_at = layer.clock()
            states[_delivered(layer, claim)] += 1
            _keep_pace(layer, claim, began_at, until)
        if not claims and not _turn_came(layer, until):
            break
    return Delivered(
        states=dict(sorted(states.items())), waiting=outbox.waiting(), amended=amend(layer)
    )


def _keep_pace(layer: Layer, claim: Claim, began_at: datetime, until: datetime) -> None:
    """Wait as long as the channel asks for between any two messages.

    Looking for what else could go meanwhile would read all that waits for the same channel.
    """
    if claim.pace is None:
        return
    free_at, now = began_at + claim.pace.all, layer.clock()
    if now < free_at <= until:
        let_pass(layer.clock, free_at - now)


def _turn_came(layer: Layer, until: datetime) -> bool:
    """Wait for the next turn of a channel; False where none comes before an instant."""
    turn_at, now = layer.ledger.outbox.next_turn(), layer.clock()
    if turn_at is None or turn_at > until:
        return False
    let_pass(layer.clock, turn_at - now)
    return layer.clock() > now or turn_at <= now


def _pace(channels: Mapping[str, Channel], name: str) -> Pace | None:
    try:
        channel = channels.get(name)
    except ConnectorError:  # of a channel that cannot be built, the try itself tells, and goes on
        return None
    return channel.pace if isinstance(channel, PacedChannel) else None


def amend(layer: Layer) -> int:
    """Let the messages of cases that have moved on say so; return how many now do.

    What was sent follows its case: who answered and when, without the buttons. A channel that asks
    to wait is let be until the next sweep.
    """
    amended_count = 0
    while claims := layer.ledger.amendments.claim():
        for outdated in claims:
            again_at = _amended(layer, outdated)
            if again_at is not None:
                layer.ledger.amendments.settle(outdated, again_at=again_at)
                return amended_count
            amended_count += 1
    return amended_count


def _delivered(layer: Layer, claim: Claim) -> str:
    if has_lost_its_point(claim):
        layer.ledger.outbox.drop(claim)
        return NotificationState.SUPERSEDED
    people = layer.workspace.people
    try:
        message = message_for(claim, people, layer.settings.inbox_url)
        delivery = Attempt(
            claim,
            _with_own_link(layer, message),
            layer.channels,
            people,
            layer.clock(),
            partial(layer.ledger.outbox.is_held, claim),
            layer.settings.unconfirmed,
        ).made()
    except Exception as error:
        _logger.exception("notification %s cannot be handed over", claim.notification.key)
        failure = f"{type(error).__name__}: {error}"
        delivery = unwritable(claim, failure, people, layer.clock())
    layer.ledger.outbox.settle(claim, delivery)
    return delivery.state


def _with_own_link(layer: Layer, message: Message) -> Message:
    try:
        return with_own_link(message, layer.links, layer.settings.inbox_url, layer.clock())
    except LedgerError as fault:  # without a key the message names the case's page instead
        _logger.warning("%s", fault)
        return message


def _amended(layer: Layer, outdated: Outdated) -> datetime | None:
    """Amend one message and settle it; return when to try again instead, if that may help."""
    told, amendments = outdated.notification, layer.ledger.amendments
    channel = layer.channels.get(told.channel or "")
    if not isinstance(channel, AmendingChannel) or told.reference is None:
        amendments.settle(outdated, again_at=None)
        return None
    try:
        people = layer.workspace.people
        channel.amend(told.reference, amended(outdated, people, layer.settings.inbox_url))
    except (TemporaryFailure, UnknownOutcome) as failure:
        wait = getattr(failure, "retry_after", None) or AMEND_AGAIN
        return layer.clock() + wait
    except DecisionLayerError as gone:
        _logger.warning("%s cannot be amended: %s", told.key, gone)
        amendments.lose(outdated, str(gone))
    else:
        amendments.settle(outdated, again_at=None)
    return None

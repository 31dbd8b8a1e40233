"""What the flows do, as plain functions: the flows call these, and so do cron and incidents.

No Prefect here. Each may be run as often as one likes, or twice at once.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pyarrow as pa
from pydantic import BaseModel

from decisions.deciding.archive import Draft
from decisions.deciding.boundary import Withheld, withheld
from decisions.deciding.distribution import measured
from decisions.deciding.evaluation import selected
from decisions.deciding.gate import Batch, confirm, inspected
from decisions.definition import Definition
from decisions.delivery import Attempt, has_lost_its_point, unwritable
from decisions.errors import (
    ConnectorError,
    DecisionLayerError,
    LedgerError,
    PermanentFailure,
    TemporaryFailure,
    UnknownOutcome,
)
from decisions.ledger import Claim
from decisions.ledger.amendments import Outdated
from decisions.ledger.records import NotificationState, Run
from decisions.ledger.standings import Mandate
from decisions.ports import AmendingChannel, Channel, Message, Pace, PacedChannel, let_pass
from flows.confirming import confirm_people
from flows.heartbeat import beat
from flows.messages import amended, message_for, with_own_link
from flows.wiring import Layer, rehearse

_logger = logging.getLogger(__name__)

SWEEP = timedelta(seconds=50)
"""For how long one sweep waits for turns; the next one begins after a minute."""

AMEND_AGAIN = timedelta(minutes=2)
"""When a message is amended again whose channel did not take the change."""


class Decided(BaseModel):
    """What one run did, or would have done in shadow.

    Attributes:
        run: Its number in the ledger.
        decision: The decision.
        evaluated: Subjects in the batch.
        opened: Cases opened for somebody.
        held_out: Subjects left alone on purpose.
        suppressed: Subjects a limit left out, by reason.
        not_met: Subjects no rule selected.
        withheld: Subjects nothing was decided on, by reason; all of them where the gate has faults.
        faults: What the gate found.
        warnings: What its owners should know; nothing is withheld for it.
        drift: By field, how far the batch has moved from its reference.
        examples: Keys of rows at fault: ``fault`` (place in the list), ``subject``, ``value``.
        stage: The stage it ran in; in shadow nothing was opened and nobody told.
        beside: What a version in shadow found beside the one that acts.
    """

    run: int
    decision: str
    evaluated: int
    opened: int = 0
    held_out: int = 0
    suppressed: dict[str, int] = {}
    not_met: int = 0
    withheld: dict[str, int] = {}
    faults: list[str] = []
    warnings: list[str] = []
    drift: dict[str, float] = {}
    examples: list[dict[str, Any]] = []
    stage: str = "live"
    beside: list["Decided"] = []

    @property
    def selected(self) -> int:
        """Subjects that a rule selected: opened, held out and suppressed together."""
        return self.opened + self.held_out + sum(self.suppressed.values())


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rules say of a batch that passed the gate.

    Attributes:
        matches: The subjects a rule selects, as ``evaluation.selected`` returns them.
        withheld: Those beyond the operating boundary, by reason.
    """

    matches: pa.Table
    withheld: tuple[Withheld, ...] = ()


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


class Escalated(BaseModel):
    """What one sweep did.

    Attributes:
        steps: What was done, case by case, in words.
        faults: Cases whose step could not be taken, and why; the others went on.
    """

    steps: list[str] = []
    faults: list[str] = []


class Dispatched(BaseModel):
    """What one every-minute sweep did: steps taken, messages handed over."""

    escalated: Escalated
    delivered: Delivered


def decide(layer: Layer, decision: str) -> Decided:
    """Open a case for every subject that the decision selects in its present batch.

    Raises:
        NotUnderstood: The workspace has no such decision.
        DefinitionError: An example of it fails; nothing was decided.
        LifecycleError: It is halted, or no version of it may decide yet.
        ConnectorError: A warehouse did not answer; nothing was recorded.
    """
    return side_by_side([_decided(layer, each) for each in mandates(layer, decision)])


def mandates(layer: Layer, decision: str) -> tuple[Mandate, ...]:
    """Return what may run of the decision now: one in shadow, then the version that acts.

    Raises:
        NotUnderstood: The workspace has no such decision.
        LifecycleError: It is halted, or no version of it may decide yet.
    """
    return layer.brake.mandates(layer.definition(decision))


def side_by_side(found: Sequence[Decided]) -> Decided:
    """Return what the version did that acts, with the one in shadow beside it.

    Args:
        found: What each did, the one that acts last.
    """
    *others, last = found
    return last.model_copy(update={"beside": others})


def _decided(layer: Layer, mandate: Mandate) -> Decided:
    batch = inspect_batch(layer, mandate.definition)
    judged = None if batch.faults else evaluate_rules(layer, mandate.definition)
    return record_verdicts(layer, mandate, batch, judged)


def inspect_batch(layer: Layer, definition: Definition) -> Batch:
    """Hold the definition against its own examples, then the batch against its data contract.

    What is watched for drift is counted, too.

    Raises:
        DefinitionError: An example fails, so that nobody can say what the rules would do.
        ConnectorError: A warehouse did not answer.
    """
    rehearse(layer.workspace, definition, layer.clock)
    earlier = layer.ledger.runs.earlier_counts(definition.decision)
    batch = inspected(definition, layer.warehouses, as_of=layer.clock(), earlier=earlier)
    if batch.faults or not definition.signal.gate.drift:
        return batch
    known = layer.ledger.drifts.references(definition.decision)
    usual = {name: each.distribution for name, each in known.items()}
    return replace(batch, measured=measured(definition, layer.warehouses, usual))


def evaluate_rules(layer: Layer, definition: Definition) -> Judged:
    """Let the warehouse find the subjects that a rule selects, and count those withheld."""
    warehouses, as_of = layer.warehouses, layer.clock()
    return Judged(
        matches=selected(definition, warehouses, as_of=as_of),
        withheld=withheld(definition, warehouses, as_of=as_of),
    )


def record_verdicts(layer: Layer, mandate: Mandate, batch: Batch, judged: Judged | None) -> Decided:
    """Draw arms, apply limits, route and record, in one transaction.

    Args:
        layer: What everything is wired to.
        mandate: The content that decided, and how far it may go.
        batch: What the gate saw; with faults, the whole batch is recorded as withheld.
        judged: What ``evaluate_rules`` found; None where the batch has faults.

    Raises:
        TemporaryFailure: The batch was replaced meanwhile; nothing was recorded.
        LifecycleError: The decision was halted or staged anew meanwhile; nothing was recorded.
    """
    people, runs, definition = layer.workspace.people, layer.ledger.runs, mandate.definition
    if judged is None:
        archived = _archive_withheld(layer, definition, batch)
        run = runs.withhold(definition, batch, people, archived=archived, under=mandate)
        return _summary(layer, run, mandate)

    def archive(verdicts: pa.Table) -> Draft:
        return _archive(layer, definition, batch, verdicts)

    run = runs.record(
        definition,
        batch,
        judged.matches,
        people,
        withheld=judged.withheld,
        archive=archive,
        under=mandate,
    )
    return _summary(layer, run, mandate)


def deliver(layer: Layer) -> Delivered:
    """Claim and hand over messages until nothing is due, or what is due waits for later turns.

    One at a time: a lease covers one message, however slow the channel. A channel with a pace is
    waited for, but no longer than until the next sweep.
    """
    states: Counter[str] = Counter()
    outbox, until = layer.ledger.outbox, layer.clock() + SWEEP
    while True:
        claims = outbox.claim(most=1, paces=partial(_pace, layer.channels))
        states.update(_delivered(layer, claim) for claim in claims)
        if not claims and not _turn_came(layer, until):
            break
    return Delivered(
        states=dict(sorted(states.items())), waiting=outbox.waiting(), amended=amend(layer)
    )


def _turn_came(layer: Layer, until: datetime) -> bool:
    """Wait for the next turn of a channel; False where none comes before an instant."""
    turn_at, now = layer.ledger.outbox.next_turn(), layer.clock()
    if turn_at is None or turn_at > until:
        return False
    let_pass(layer.clock, turn_at - now)
    return layer.clock() > now or turn_at <= now


def _pace(channels: Mapping[str, Channel], name: str) -> Pace | None:
    channel = channels.get(name)
    return channel.pace if isinstance(channel, PacedChannel) else None


def amend(layer: Layer) -> int:
    """Let the messages of cases that have moved on say so; return how many now do.

    What was sent follows its case: who answered and when, without the buttons.
    """
    amended_count = 0
    while claims := layer.ledger.amendments.claim():
        for outdated in claims:
            again_at = _amended(layer, outdated)
            layer.ledger.amendments.settle(outdated, again_at=again_at)
            amended_count += again_at is None
    return amended_count


def escalate(layer: Layer) -> Escalated:
    """Take the one step that has fallen due on every unanswered or uncompleted case."""
    found = Escalated()
    for key in layer.ledger.cases.due(layer.clock()):
        try:
            step = layer.pursuit.take_step(key)
        except DecisionLayerError as error:
            found.faults.append(f"{key}: {error}")
        else:
            found.steps += [step] if step else []
    return found


def dispatch(layer: Layer) -> Dispatched:
    """Take the steps that are due, then hand over what is to be told, and give a sign of life."""
    confirm_people(layer)
    done = Dispatched(escalated=escalate(layer), delivered=deliver(layer))
    beat(layer.settings)
    return done


def _summary(layer: Layer, run: Run, mandate: Mandate) -> Decided:
    counts = {name: value for name, value in run.counts.items() if name in Decided.model_fields}
    drifted = layer.ledger.drifts.of_runs([run.id]).get(run.id, [])
    return Decided(
        run=run.id,
        decision=run.decision,
        evaluated=run.evaluated,
        faults=run.faults,
        drift={each.field: each.psi for each in drifted},
        warnings=[each["text"] for each in run.warnings],
        examples=run.examples,
        stage=str(mandate.placing),
        **counts,
    )


def _archive(layer: Layer, definition: Definition, batch: Batch, verdicts: pa.Table) -> Draft:
    draft = layer.archive.write(definition, layer.warehouses, verdicts, as_of=layer.clock())
    try:
        # Gate, rules and archive each read the batch; only now is it known that it was the same.
        confirm(batch, definition, layer.warehouses)
    except ConnectorError:
        draft.discard()
        raise
    return draft


def _archive_withheld(layer: Layer, definition: Definition, batch: Batch) -> Draft | None:
    if batch.rows == 0:
        return None
    try:
        return layer.archive.write_withheld(definition, layer.warehouses)
    except PermanentFailure as failure:
        _logger.warning(
            "%s: the withheld batch cannot be archived: %s", definition.decision, failure
        )
        return None


def _delivered(layer: Layer, claim: Claim) -> str:
    if has_lost_its_point(claim):
        layer.ledger.outbox.drop(claim)
        return NotificationState.SUPERSEDED
    people, pace = layer.workspace.people, _pace(layer.channels, claim.routes[0])
    try:
        message = message_for(claim, people, layer.settings.inbox_url)
        delivery = Attempt(
            claim,
            _with_own_link(layer, message),
            layer.channels,
            people,
            layer.clock(),
            partial(layer.ledger.outbox.is_held, claim, pace),
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
    """Amend one message; return when to try again, None when nothing more is to be done."""
    told = outdated.notification
    channel = layer.channels.get(told.channel or "")
    if not isinstance(channel, AmendingChannel) or told.reference is None:
        return None
    try:
        people = layer.workspace.people
        channel.amend(told.reference, amended(outdated, people, layer.settings.inbox_url))
    except (TemporaryFailure, UnknownOutcome) as failure:
        wait = getattr(failure, "retry_after", None) or AMEND_AGAIN
        return layer.clock() + wait
    except DecisionLayerError as gone:
        _logger.warning("%s cannot be amended: %s", told.key, gone)
    return None

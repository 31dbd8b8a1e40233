"""What the flows do, as plain functions: the flows call these, and so do cron and incidents.

No Prefect here. Each may be run as often as one likes, or twice at once.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
from pydantic import BaseModel

from decisions.deciding.archive import Draft
from decisions.deciding.boundary import Withheld, withheld
from decisions.deciding.distribution import measured
from decisions.deciding.evaluation import selected
from decisions.deciding.gate import Batch, confirm, inspected
from decisions.definition import Definition
from decisions.errors import (
    ConnectorError,
    DecisionLayerError,
    PermanentFailure,
)
from decisions.ledger.records import Run
from decisions.ledger.standings import Mandate
from flows.confirming import confirm_people
from flows.heartbeat import beat
from flows.sending import Delivered, deliver
from flows.wiring import Layer, rehearse

_logger = logging.getLogger(__name__)


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


def escalate(layer: Layer) -> Escalated:
    """Take the one step that has fallen due on every unanswered or uncompleted case."""
    found = Escalated()
    found.steps += layer.pursuit.own_up(layer.settings.late_after)
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
    done = Dispatched(escalated=escalate(layer), delivered=deliver(layer))
    beat(layer.settings)
    confirm_people(layer)
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

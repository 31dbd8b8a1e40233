"""One record's verdict, recorded as that of a batch of one would be, without an engine for many.

What is drawn, limited, routed and written is the same; only who computes it differs, so that a
record takes milliseconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from decisions import columnar
from decisions.canonical import canonical_json, sha256
from decisions.deciding import allocation, limits
from decisions.deciding.boundary import Withheld
from decisions.deciding.gate import Batch
from decisions.deciding.routing import Route, routes
from decisions.definition import Definition
from decisions.effectiveness.declaration import Declaration
from decisions.ledger.bulk import insert_row, stored_instant
from decisions.ledger.openings import constants, next_numbers
from decisions.ledger.periods import period_name
from decisions.ledger.probing import known_of
from decisions.ledger.recording import Tally, record_tally
from decisions.ledger.records import Allocation, Arm, Assignment, Case, Notification, Run
from decisions.ledger.signals import append_signals
from decisions.ledger.standings import Mandate
from decisions.ledger.transaction import Transaction
from decisions.ownership import People

_SIGNAL = dict.fromkeys(("subject", "rule", "model_version", "facts", "reason"), "VARCHAR")
_SIGNAL |= {"score": "DOUBLE", "priority": "DOUBLE", "scored_at": "TIMESTAMPTZ"}


@dataclass(frozen=True, slots=True)
class Selected:
    """One subject that a rule selects.

    Attributes:
        subject: The subject.
        score: The model's score.
        scored_at: When it was scored (timezone-aware).
        model_version: The model's version.
        rule: The rule that decides.
        action: What is done.
        assign: The assigning field's value, or None.
        facts: Every field with its value, as JSON can say it.
        priority: What ``limits.prefer`` comes to, or the score.
        value: What a success is worth, or None.
    """

    subject: str
    score: float | None
    scored_at: datetime
    model_version: str
    rule: str
    action: str
    assign: str | None
    facts: Mapping[str, object]
    priority: float | None
    value: float | None


@dataclass(frozen=True, slots=True)
class _Judged:
    """What became of it: its arm, who gets it, and why it is suppressed, or None."""

    selected: Selected
    arm: Arm
    route: Route
    cost: Decimal
    reason: str | None


def record_single(
    transaction: Transaction,
    definition: Definition,
    batch: Batch,
    selected: Selected | None,
    people: People,
    *,
    withheld: Sequence[Withheld],
    under: Mandate | None,
) -> Run:
    """Record the verdict on one record.

    Args:
        transaction: What it is written in.
        definition: The decision.
        batch: The record as a batch.
        selected: The record, if a rule selects it.
        people: Who there is.
        withheld: Why the operating boundary keeps it back, if it does.
        under: The stage it runs in; None for a content that nobody has to sign.

    Raises:
        LifecycleError: The decision was halted or staged anew meanwhile.
    """
    ramp = limits.Ramp.of(definition.decision, under.placing) if under else None
    judged = _judged(transaction, definition, batch, selected, people, ramp) if selected else None
    return record_tally(
        transaction,
        definition,
        batch,
        _tally(judged, withheld),
        people,
        under=under,
        write=partial(_write, transaction, definition, judged),
    )


def _judged(
    transaction: Transaction,
    definition: Definition,
    batch: Batch,
    selected: Selected,
    people: People,
    ramp: limits.Ramp | None,
) -> _Judged:
    connection, at, subject = transaction.connection, transaction.at, selected.subject
    (route,) = routes(definition, [(selected.action, selected.assign)], people, at=at)
    known = known_of(
        connection, definition, subject, route.assignee, people, at=at, batch=batch.fingerprint
    )
    cost = limits.cost_of_one(selected.facts, definition.limits)
    reason = limits.reason_of_one(subject, selected.scored_at, cost, known, definition.limits, ramp)
    return _Judged(selected, _arm(connection, definition, subject), route, cost, reason)


def _tally(judged: _Judged | None, withheld: Sequence[Withheld]) -> Tally:
    if judged is None:
        return Tally(withheld=withheld)
    if judged.reason is not None:
        return Tally(suppressed={judged.reason: 1})
    is_held_out = judged.arm is Arm.CONTROL
    return Tally(opened=int(not is_held_out), held_out=int(is_held_out), cost=judged.cost)


def _arm(connection: Connection, definition: Definition, subject: str) -> Arm:
    """Return the subject's arm: the stored one, else as it is drawn."""
    if definition.holdout is None:
        return Arm.TREATMENT
    table, period = Allocation.__table__, period_name(connection, definition)
    query = select(table.c.arm).where(
        table.c.decision == definition.decision,
        table.c.period == period,
        table.c.subject == subject,
    )
    if stored := connection.execute(query).scalar():
        return Arm(stored)
    drawn = allocation.draw(period=period, decision=definition.decision, subject=subject)
    return Arm.CONTROL if drawn < definition.holdout.share.of_one else Arm.TREATMENT


def _write(
    transaction: Transaction, definition: Definition, judged: _Judged | None, run: Run, period: str
) -> None:
    if judged is None:
        return
    if declared := Declaration.of(definition):
        drawn = {"decision": definition.decision, "period": period, "run_id": run.id}
        drawn |= {"declaration": declared.sha256, "arm": judged.arm.value}
        drawn |= {"subject": judged.selected.subject}
        insert_row(transaction.connection, Allocation, drawn, skip_known=True)
    if judged.reason is None:
        _open(transaction, definition, judged, run, period)
    elif judged.reason == limits.ALREADY_OPEN:
        append_signals(transaction, definition, run, _signal(judged))


def _signal(judged: _Judged) -> Any:
    one = judged.selected
    facts = canonical_json(one.facts)
    row = (one.subject, one.rule, one.model_version, facts, judged.reason)
    return columnar.table([(*row, one.score, one.priority, one.scored_at)], **_SIGNAL)


def _open(
    transaction: Transaction, definition: Definition, judged: _Judged, run: Run, period: str
) -> None:
    """Open the case, assign it, queue the question, and tell of it."""
    connection, one, route = transaction.connection, judged.selected, judged.route
    last_id, last_number = next_numbers(connection, definition)
    id_, number = last_id + 1, last_number + 1
    key, facts = f"{definition.prefix}-{number}", canonical_json(one.facts)
    is_held_out = judged.arm is Arm.CONTROL
    same = constants(transaction, definition, run, period)
    case = {
        "id": id_,
        "key": key,
        "number": number,
        "subject": one.subject,
        "arm": judged.arm.value,
        "rule": one.rule,
        "action": one.action,
        "score": one.score,
        "scored_at": stored_instant(one.scored_at, connection),
        "model_version": one.model_version,
        "facts": facts,
        "priority": one.priority,
        "value": one.value,
        "state": "held_out" if is_held_out else "open",
        "assignee": route.assignee,
        "respond_by": None if is_held_out else stored_instant(route.respond_by, connection),
    }
    insert_row(connection, Case, case | same[Case])
    if not is_held_out:
        why = {"case_id": id_, "because": route.because}
        held = {"assignee": route.assignee, "in_place_of": route.in_place_of}
        insert_row(connection, Assignment, why | held | same[Assignment])
        told = {"key": f"{key}:0:0:{route.assignee}:asked", "recipient": route.assignee}
        told |= {"route": definition.actions[one.action].through[0]}
        insert_row(connection, Notification, why | told | same[Notification])
    body = {name: case[name] for name in ("action", "arm", "assignee", "rule", "score")}
    body |= {"run": run.id, "evidence": sha256(f"{key}|{one.subject}|{facts}")}
    transaction.enter("held out" if is_held_out else "opened", key, body)

"""One record decided and recorded, as a program asks for it: the rules and ledger of a batch."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import BaseModel

from decisions.canonical import canonical_json
from decisions.deciding.boundary import Withheld
from decisions.deciding.evaluation import literal_version
from decisions.deciding.gate import Batch
from decisions.deciding.record import RecordVerdict, decide_record
from decisions.definition import NOTHING, Definition, FieldSpec
from decisions.errors import NotUnderstood
from decisions.ledger.records import Run
from decisions.ledger.runs import fingerprint
from decisions.ledger.singles import Selected
from decisions.ledger.versions import pinned
from decisions.spelling import iso_instant
from flows.sweep import mandates
from flows.wiring import Layer


class DecidedRecord(BaseModel):
    """What became of one record.

    Attributes:
        run: The run in the ledger that it is recorded as.
        decision: The decision.
        subject: Whom the record is about.
        verdict: opened, held_out, suppressed, withheld or not_met.
        reason: Why it is suppressed or withheld; else None.
        rule: The rule that decides; None where none does.
        action: What is done, or ``nothing``.
    """

    run: int
    decision: str
    subject: str
    verdict: str
    reason: str | None = None
    rule: str | None = None
    action: str = NOTHING


def decide_one(
    layer: Layer, decision: str, record: Mapping[str, object], *, key: str
) -> DecidedRecord:
    """Decide one record by the version that acts, and record what follows in one transaction.

    The run has no archive: what was known is frozen with the case, if one is opened. A request that
    was recorded before is answered from its run, whatever the rules say by now and even while the
    decision is halted.

    Args:
        layer: What everything is wired to.
        decision: The decision.
        record: The subject, the signal's and the context's fields, and when it was scored; now, if
            that is left out.
        key: Names the request: the same record under the same key counts once, however often it
            comes.

    Raises:
        NotUnderstood: There is no such decision, or the record is not one that its data contract
            allows; all faults at once. Or the key was used for another record.
        LifecycleError: It is halted, or no version of it may decide yet.
    """
    batch = Batch(1, fingerprint(key, canonical_json(_plain(record))), ())
    if earlier := layer.ledger.runs.of_request(decision, batch):
        return _told_again(layer, earlier, record)
    mandate = mandates(layer, decision)[-1]
    definition, now = mandate.definition, layer.clock()
    fields = dict(record)
    scored_at = _scored_at(definition, fields, now)
    version = _model_version(definition, fields)
    said = decide_record(definition, fields, now)
    _hold_to_contract(definition, fields)
    run = layer.ledger.runs.record_one(
        definition,
        batch,
        _selected(definition, fields, said, scored_at, version),
        layer.workspace.people,
        withheld=_withheld(definition, fields, said),
        under=mandate,
    )
    if run.as_of < now:  # another process recorded the same request a moment ago
        return _told_again(layer, run, record)
    return _told(definition, fields, said, run)


def _told_again(layer: Layer, run: Run, record: Mapping[str, object]) -> DecidedRecord:
    """Return what was told of a record, by the version and the instant it was decided at."""
    definition, fields = pinned(layer.ledger.version_of(run)), dict(record)
    fields.pop(definition.signal.scored_at, None)
    _model_version(definition, fields)
    return _told(definition, fields, decide_record(definition, fields, run.as_of), run)


def _scored_at(definition: Definition, fields: dict[str, object], now: datetime) -> datetime:
    signal = definition.signal
    given = fields.pop(signal.scored_at, None)
    if given is None:
        return now
    try:
        at = given if isinstance(given, datetime) else iso_instant(str(given))
    except ValueError as error:
        raise NotUnderstood(f"{signal.scored_at} is {given!r}; write an ISO instant") from error
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    gate = signal.gate
    if at - now > gate.max_future.elapsed or (gate.max_age and now - at > gate.max_age.elapsed):
        allowed = f"at most {gate.max_future} ahead"
        allowed += f" and {gate.max_age} old" if gate.max_age else ""
        raise NotUnderstood(f"{signal.scored_at} is {at.isoformat()}; {allowed} was expected")
    return at


def _model_version(definition: Definition, fields: dict[str, object]) -> str:
    version = definition.signal.model.version
    literal = literal_version(version)
    if literal is not None:
        return literal
    given = fields.get(version) if version in definition.columns else fields.pop(version, None)
    if given is None:
        raise NotUnderstood(f"{version}, the model's version, is missing")
    return str(given)


def _hold_to_contract(definition: Definition, fields: Mapping[str, object]) -> None:
    """Refuse what would have the gate withhold a whole batch of such rows."""
    faults = [f"{definition.signal.subject} is missing"] * (_subject(definition, fields) is None)
    for name, spec in definition.signal.fields.items():
        value = fields.get(name)
        if value is None:
            faults += [] if spec.nulls else [f"{name} is missing"]
        elif not _is_allowed(value, spec):
            faults.append(f"{name} is {value!r}, outside what is declared")
    if faults:
        raise NotUnderstood("; ".join(faults))


def _is_allowed(value: object, spec: FieldSpec) -> bool:
    if spec.allowed and value not in spec.allowed:
        return False
    if not isinstance(value, int | float) or isinstance(value, bool):
        return True
    return (spec.min is None or value >= spec.min) and (spec.max is None or value <= spec.max)


def _selected(
    definition: Definition,
    fields: Mapping[str, object],
    said: RecordVerdict,
    scored_at: datetime,
    version: str,
) -> Selected | None:
    if said.rule is None or said.withheld is not None:
        return None
    action = definition.actions[said.action]
    assign = fields.get(str(action.assign)) if action.assign in definition.fields else None
    value = definition.outcome.value if definition.outcome else None
    facts = {name: fields.get(name) for name in definition.columns}
    return Selected(
        subject=str(_subject(definition, fields)),
        score=_number(fields.get(definition.signal.score)),
        scored_at=scored_at,
        model_version=version,
        rule=said.rule,
        action=said.action,
        assign=None if assign is None else str(assign),
        facts=_plain(facts | {definition.signal.scored_at: scored_at}),
        priority=said.priority,
        value=_number(fields.get(value)) if value else None,
    )


def _withheld(
    definition: Definition, fields: Mapping[str, object], said: RecordVerdict
) -> tuple[Withheld, ...]:
    if said.withheld is None:
        return ()
    named = {each.because: each.to for each in definition.withhold}
    to = named.get(said.withheld, "technical")
    return (Withheld(said.withheld, to, 1, (str(_subject(definition, fields)),)),)


def _told(
    definition: Definition, fields: Mapping[str, object], said: RecordVerdict, run: Run
) -> DecidedRecord:
    counts = run.counts
    verdict, reason = "not_met", None
    if said.withheld is not None:
        verdict, reason = "withheld", said.withheld
    elif suppressed := counts.get("suppressed"):
        verdict, reason = "suppressed", next(iter(suppressed))
    elif said.rule is not None:
        verdict = "held_out" if counts.get("held_out") else "opened"
    return DecidedRecord(
        run=run.id,
        decision=definition.decision,
        subject=str(_subject(definition, fields)),
        verdict=verdict,
        reason=reason,
        rule=said.rule,
        action=said.action,
    )


def _subject(definition: Definition, fields: Mapping[str, object]) -> str | None:
    subject = fields.get(definition.signal.subject)
    return None if subject is None else str(subject)


def _number(value: object) -> float | None:
    return float(str(value)) if value is not None else None


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    """Return values as JSON can say them."""
    plain = (str, int, float, bool, type(None))
    return {
        name: value if isinstance(value, plain) else str(value) for name, value in values.items()
    }

"""Why something happened to a subject, or did not: from ledger, archive and the version of then."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from decisions.deciding import limits
from decisions.deciding.explanation import Explanation, explained
from decisions.definition import Definition
from decisions.errors import LedgerError
from decisions.ledger.records import Case, Run
from decisions.ledger.versions import pinned
from flows.wiring import Layer

MOST_SEARCHED = 50
"""Earlier runs that are looked through for a subject that a run does not know."""


class Explained(BaseModel):
    """What one run said of one subject, and why.

    Attributes:
        decision: The decision.
        subject: The subject.
        run: The number of the run; None where there was none by then.
        as_of: The run's instant.
        version: Running number of the definition's version.
        definition: SHA-256 of that version.
        verdict: What the run said; None where it said nothing of this subject.
        reason: The reason of a suppression or withholding, as recorded.
        because: The reason in words.
        rule: The rule that decided; None where the subject was withheld, as no rule did.
        action: The action it leads to; None likewise.
        arm: treatment or control; None where no arm was drawn.
        assignee: Who got the case, or would have.
        model: Name of the model.
        model_version: Which version scored the subject.
        score: The model's score.
        scored_at: When it was scored.
        inputs: The fields the verdict turned on.
        rules: What each rule says of them, with its conditions.
        boundary: What each line of the operating boundary says.
        case: Key of the case in question, if there is one.
        notes: What could not be looked up, and what that means.
    """

    decision: str
    subject: str
    run: int | None = None
    as_of: datetime | None = None
    version: int | None = None
    definition: str | None = None
    verdict: str | None = None
    reason: str | None = None
    because: str
    rule: str | None = None
    action: str | None = None
    arm: str | None = None
    assignee: str | None = None
    model: str | None = None
    model_version: str | None = None
    score: float | None = None
    scored_at: datetime | None = None
    inputs: dict[str, Any] = {}
    rules: list[dict[str, Any]] = []
    boundary: list[dict[str, Any]] = []
    case: str | None = None
    notes: list[str] = []


def explain(layer: Layer, decision: str, subject: str, *, at: datetime) -> Explained:
    """Return why something happened to a subject, or did not.

    Args:
        layer: What everything is wired to.
        decision: The decision.
        subject: The subject.
        at: The run in force at this instant is explained (timezone-aware).

    Raises:
        NotUnderstood: Neither the workspace nor the ledger knows the decision.
    """
    cases = layer.ledger.cases.about(decision, subject)
    opening = {case.run_id for case in cases}
    run = layer.ledger.runs.in_force(decision, at, opening=opening)
    if run is None:
        return _never_asked(layer, decision, subject, at)
    version = layer.ledger.version_of(run)
    definition = pinned(version)
    about = Explained(
        decision=decision,
        subject=subject,
        run=run.id,
        as_of=run.as_of,
        version=version.number,
        definition=version.sha256,
        model=definition.signal.model.name,
        because="",
    )
    opened = next((case for case in cases if case.run_id == run.id), None)
    try:
        row = _row(layer, run, subject)
    except LedgerError as error:
        return _without_archive(about, run, opened, str(error))
    if row is None:
        return _not_in_batch(layer, about, definition, run)
    earlier = next((case for case in cases if case.run_id < run.id), None)
    case = opened or (earlier if row["verdict"] == "suppressed" else None)
    return _with_reasons(about, definition, run, row, case, opened)


def rulings(found: Explanation) -> dict[str, list[dict[str, Any]]]:
    """Return the rules and the boundary of an explanation as plain values."""
    return {
        "rules": [asdict(each) for each in found.rules],
        "boundary": [asdict(each) for each in found.boundary],
    }


def _never_asked(layer: Layer, decision: str, subject: str, at: datetime) -> Explained:
    latest = layer.ledger.runs.latest(decision, most=1)
    if not latest:
        layer.definition(decision)
        because = f"{decision} was never asked; `followthrough run {decision}` does"
    else:
        because = (
            f"{decision} was not asked before {at:%Y-%m-%d %H:%M} UTC; "
            f"`followthrough runs {decision}` lists when it was"
        )
    return Explained(decision=decision, subject=subject, because=because)


def _row(layer: Layer, run: Run, subject: str) -> dict[str, Any] | None:
    if run.archive_sha256 is None:
        raise LedgerError(f"run {run.id} has no archive")
    return layer.archive.verdict_on(run.decision, run.id, subject)


def _without_archive(about: Explained, run: Run, opened: Case | None, fault: str) -> Explained:
    if opened is not None:
        because = f"rule {opened.rule!r} selected it, and {opened.key} was opened"
        found = {"verdict": "held_out" if opened.arm == "control" else "opened"}
        return about.model_copy(
            update=found
            | {"rule": opened.rule, "action": opened.action, "arm": opened.arm}
            | {"inputs": opened.facts, "case": opened.key, "notes": [fault], "because": because}
        )
    if run.faults:
        because = f"the whole batch was withheld: {'; '.join(run.faults)}"
        return about.model_copy(
            update={"verdict": "withheld", "because": because, "notes": [fault]}
        )
    because = (
        f"it opened no case in run {run.id}; whether it was suppressed, not met or not in the "
        "batch cannot be told without the archive"
    )
    return about.model_copy(update={"because": because, "notes": [fault]})


def _not_in_batch(layer: Layer, about: Explained, definition: Definition, run: Run) -> Explained:
    if (run.archive_rows or 0) < run.evaluated:
        because = (
            f"no rule selected it, or it was not in the batch: from the warehouse "
            f"{definition.signal.connection!r} only what a rule selects leaves"
        )
        return about.model_copy(update={"because": because})
    because = f"it was not among the {run.evaluated:,} subjects of run {run.id}"
    seen = _last_seen(layer, about.decision, about.subject, run)
    return about.model_copy(
        update={
            "because": because,
            "notes": [
                f"it was last in the batch of run {seen.id}, {seen.as_of:%Y-%m-%d %H:%M} UTC; "
                f"--at {seen.as_of:%Y-%m-%d} explains that"
                if seen
                else "no earlier run knew it either; a subject is spelled as in the signal's "
                f"{definition.signal.subject!r}"
            ],
        }
    )


def _last_seen(layer: Layer, decision: str, subject: str, before: Run) -> Run | None:
    for run in layer.ledger.runs.latest(decision, most=MOST_SEARCHED):
        try:
            if run.id < before.id and _row(layer, run, subject) is not None:
                return run
        except LedgerError:
            continue
    return None


def _with_reasons(
    about: Explained,
    definition: Definition,
    run: Run,
    row: Mapping[str, Any],
    case: Case | None,
    opened: Case | None,
) -> Explained:
    inputs = {definition.signal.score: row["score"]} | dict(row["inputs"] or {})
    record = inputs | {definition.signal.subject: about.subject}
    found = explained(definition, (opened.facts if opened else {}) | record, as_of=run.as_of)
    scored_at, is_withheld = row["scored_at"], row["verdict"] == "withheld"
    return about.model_copy(
        update={
            "verdict": row["verdict"],
            "reason": row["reason"],
            "because": _because(definition, run, row, found, case),
            "rule": None if is_withheld else row["rule"] or found.rule,
            "action": None if is_withheld else row["action"] or found.action,
            "arm": row["arm"],
            "assignee": row["assignee"],
            "model_version": row["model_version"],
            "score": row["score"],
            "scored_at": scored_at.astimezone(UTC) if scored_at else None,
            "inputs": inputs,
            "case": case.key if case else None,
        }
        | rulings(found)
    )


def _because(
    definition: Definition,
    run: Run,
    row: Mapping[str, Any],
    found: Explanation,
    case: Case | None,
) -> str:
    """Return why a subject got its verdict, in words."""
    selected = f"rule {row['rule']!r} selected it"
    match row["verdict"]:
        case "opened":
            return f"{selected}, and nothing spoke against it"
        case "held_out":
            share = f" ({definition.holdout.share} are)" if definition.holdout else ""
            return f"{selected}; it is left alone on purpose, to compare with{share}"
        case "suppressed":
            return f"{selected}, but {_suppressed(definition, row, case)}"
        case "withheld" if run.faults:
            return f"the whole batch was withheld: {'; '.join(run.faults)}"
        case "withheld":
            return f"it was left to a person: {row['reason']}"
        case _:
            return f"no rule holds; {found.rule} leads to {found.action}"


def _suppressed(definition: Definition, row: Mapping[str, Any], case: Case | None) -> str:
    bounds = definition.limits
    first = f"others came first by {bounds.prefer or definition.signal.score}"
    words = {
        limits.ALREADY_OPEN: f"{case.key if case else 'a case'} of it was open",
        limits.ALREADY_DECIDED: "this score, or a later one, had been decided on before",
        limits.PER_SUBJECT: f"its limit of {bounds.per_subject} a subject was reached",
        limits.PER_ASSIGNEE: f"{row['assignee']} may get {bounds.per_assignee}, and {first}",
        limits.RAMP: f"its version acts on a share of subjects so far ({row['reason']})",
        limits.PER_RUN: f"a run may open {bounds.per_run}, and {first}",
        limits.COST: f"its cases may cost {bounds.cost and bounds.cost.at_most}, and {first}",
    }
    return words.get(limits.kind(row["reason"]), f"a limit left it out: {row['reason']}")

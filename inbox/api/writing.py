"""What programs hand in: records to decide, answers, proofs, outcomes."""

from dataclasses import asdict
from typing import Annotated

import pyarrow as pa
from fastapi import APIRouter, Depends, Header
from starlette.requests import Request

from decisions import columnar
from decisions.desk import Author, Reply
from decisions.errors import NotUnderstood
from decisions.lifecycle import Move
from decisions.permission import Act
from flows.single import decide_one
from inbox.api.bearer import VIA, Asking, Program
from inbox.api.problem import Refused, documented
from inbox.api.reading import dossier_of, known_case, known_decision
from inbox.api.shape import (
    AnswerSent,
    AnswerTaken,
    InterventionSent,
    InterventionTaken,
    OutcomeSent,
    OutcomesSent,
    OutcomesTaken,
    Record,
    RecordTold,
)

LARGEST_BODY = 4 * 1024 * 1024
"""Bytes; 10,000 outcomes take about one of them."""


def _fits(request: Request) -> None:
    """See that a request is no larger than anything sensible.

    Raises:
        Refused: It is, or does not say how large it is.
    """
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > LARGEST_BODY:
        raise Refused(413, f"send at most {LARGEST_BODY:,} bytes, and say how many they are")


router = APIRouter(
    dependencies=[Depends(_fits)],
    responses=documented(400, 401, 403, 404, 409, 413, 422, 429, 503),
)

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9._:-]{1,100}$",
        description="Names the request: sent again under the same key it counts once.",
    ),
]
_OUTCOME = {"line": "BIGINT", "case": "VARCHAR", "subject": "VARCHAR", "value": "DOUBLE",
            "at": "TIMESTAMPTZ", "censored": "VARCHAR"}  # fmt: skip


@router.post("/decisions/{decision}/records")
def decide(asking: Asking, decision: str, record: Record, key: Key) -> RecordTold:
    """Decide one record by the version that acts, and record what follows from it."""
    asking.admit(Act.DECIDE, decision, known_decision(asking.layer, decision))
    found = decide_one(asking.layer, decision, record, key=f"{asking.person}:{key}")
    return RecordTold.model_validate(found.model_dump())


@router.post("/cases/{key}/answers")
def answer(asking: Asking, key: str, sent: AnswerSent, idempotency_key: Key) -> AnswerTaken:
    """Answer a case in the name of the token's person; the first answer wins."""
    asking.hold_to_scope(Act.ANSWER, key)
    known_case(asking, key)
    name = f"{VIA}:{asking.person}:{idempotency_key}"
    reply = _answered(asking, key, sent, Author(asking.person, VIA, name))
    return AnswerTaken.model_validate(asdict(reply))


@router.post("/interventions")
def intervene(asking: Asking, sent: InterventionSent) -> InterventionTaken:
    """Hand in proof that something was done for a case; the first proof stands."""
    asking.hold_to_scope(Act.RECORD, sent.case)
    # Held out or not is not asked: of the one left alone it has to be known as well.
    asking.admit(Act.RECORD, sent.case, dossier_of(asking, sent.case).definition)
    recorded = asking.layer.ledger.receipts.vouch(
        sent.case, asking.witness, acted_at=sent.acted_at, what=sent.what
    )
    return InterventionTaken(recorded=recorded)


@router.post("/outcomes")
def observe(asking: Asking, sent: OutcomesSent) -> OutcomesTaken:
    """Hand in outcomes; a value that differs from the one known is a correction."""
    definition = known_decision(asking.layer, sent.decision)
    asking.admit(Act.RECORD, sent.decision, definition)
    faults = [text for n, each in enumerate(sent.outcomes, 1) for text in _faults(asking, n, each)]
    if faults:
        raise NotUnderstood("; ".join(faults[:20]))
    found = asking.layer.ledger.results.correct(
        _rows(sent), decision=sent.decision, source=sent.source, by=asking.witness
    )
    return OutcomesTaken.model_validate(asdict(found))


def _answered(asking: Program, key: str, sent: AnswerSent, author: Author) -> Reply:
    desk = asking.layer.desk
    match sent.move:
        case Move.ACKNOWLEDGE:
            return desk.acknowledge(key, author)
        case Move.DONE:
            return desk.done(key, author, what=sent.note or "", acted_at=sent.acted_at)
        case Move.OVERRIDE:
            return desk.override(key, author, reason=sent.reason or "", note=sent.note or "")
        case Move.REASSIGN:
            return desk.reassign(key, author, to=sent.to or "", note=sent.note or "")
        case Move.SNOOZE:
            if sent.until is None:
                raise NotUnderstood("until is missing; say until when")
            return desk.snooze(key, author, until=sent.until)


def _faults(asking: Program, line: int, each: OutcomeSent) -> list[str]:
    faults = []
    if each.case is None and each.subject is None:
        faults.append(f"outcome {line} names no case and no subject")
    if (each.value is None) == (each.censored is None):
        faults.append(f"outcome {line} has a value, or says why there is none: one of both")
    if each.at is not None and each.at > asking.layer.clock():
        faults.append(f"outcome {line} is dated {each.at:%Y-%m-%d %H:%M %Z}, still to come")
    return faults


def _rows(sent: OutcomesSent) -> pa.Table:
    rows = [
        (line, each.case, each.subject, each.value, each.at, each.censored)
        for line, each in enumerate(sent.outcomes, 1)
    ]
    return columnar.table(rows, **_OUTCOME)

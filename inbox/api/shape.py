"""What programs send and read: every form the API knows."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
)

from decisions.ledger import Dossier
from decisions.ledger.columns import storable
from decisions.ledger.records import Case
from decisions.lifecycle import Move

Text = Annotated[str, AfterValidator(storable), Field(min_length=1, max_length=2_000)]
"""A text; what no database takes is left out of it."""


class Sent(BaseModel):
    """What a program sends: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class CaseListed(BaseModel):
    """One case in a list."""

    key: str
    decision: str
    subject: str
    state: str
    title: str
    """The ask in one sentence."""
    assignee: str | None
    rule: str
    action: str
    score: float
    priority: float | None
    value: float | None
    """What one success is worth, in the unit of the outcome's value field."""
    opened_at: datetime
    respond_by: datetime | None
    complete_by: datetime | None
    snoozed_until: datetime | None
    closed_at: datetime | None


class CasePage(BaseModel):
    """Cases, newest first."""

    cases: list[CaseListed]
    next: str | None
    """What to send as ``cursor`` for those after them; null at the end."""


class AnswerTold(BaseModel):
    """What a person said to a case."""

    move: str
    by: str
    in_place_of: str | None
    at: datetime
    via: str
    reason: str | None
    note: str | None
    accepted: bool
    """False for a late or refused one, which is kept all the same."""
    told: str | None


class InterventionTold(BaseModel):
    """What was done for a case."""

    source: str
    """reported by a person, or proven by another system."""
    by: str | None
    what: str
    acted_at: datetime


class OutcomeTold(BaseModel):
    """What came of a case."""

    state: str
    value: float | None
    reason: str | None
    observed_at: datetime | None
    recorded_at: datetime


class MessageTold(BaseModel):
    """A message about a case, and how far it got."""

    kind: str
    to: str
    state: str
    channel: str | None
    sent_at: datetime | None


class CaseTold(CaseListed):
    """One case with everything that happened to it."""

    why: str
    """The rule's reason."""
    version: int
    definition: str
    """SHA-256 of the version it was opened under."""
    facts: dict[str, Any]
    """What was known when it opened."""
    answers: list[AnswerTold]
    interventions: list[InterventionTold]
    outcomes: list[OutcomeTold]
    """Later ones correct earlier ones: the last counts."""
    messages: list[MessageTold]


class AnswerSent(Sent):
    """An answer to a case. What a move does not need is left out."""

    move: Move
    note: Text | None = None
    """What was done, or why: for done, override and reassign."""
    reason: Text | None = None
    """One of the reasons the decision lists: for override."""
    until: AwareDatetime | None = None
    """For snooze."""
    to: Text | None = None
    """Key of a person: for reassign."""
    acted_at: AwareDatetime | None = None
    """When it was done, if not now: for done."""


class AnswerTaken(BaseModel):
    """What became of an answer."""

    case: str
    state: str
    text: str
    repeated: bool
    """Whether the same Idempotency-Key had been recorded before."""


class RecordTold(BaseModel):
    """What became of one record."""

    run: int
    decision: str
    subject: str
    verdict: Literal["opened", "held_out", "suppressed", "withheld", "not_met"]
    reason: str | None
    rule: str | None
    action: str


class OutcomeSent(Sent):
    """One outcome, of a case or of a subject's case."""

    case: Text | None = None
    subject: Text | None = None
    value: FiniteFloat | None = None
    at: AwareDatetime | None = None
    censored: Text | None = None
    """Why it can never be known."""


class OutcomesSent(Sent):
    """Outcomes of one decision."""

    decision: Text
    source: Annotated[Text, Field(max_length=200)]
    """Where they come from, for the history."""
    outcomes: Annotated[list[OutcomeSent], Field(min_length=1, max_length=10_000)]


class OutcomesTaken(BaseModel):
    """What became of outcomes that were handed in, by how many."""

    new: int
    corrected: int
    unchanged: int
    early: int
    """The window or lag of the case has not passed."""
    unknown: int
    """No case fits."""
    twice: int
    """Two outcomes of one case."""
    lines: dict[str, list[int]]
    """The first of the last three, counted from 1."""


class InterventionSent(Sent):
    """Proof from another system that something was done for a case."""

    case: Text
    acted_at: AwareDatetime
    what: Annotated[Text, Field(max_length=500)]
    """What proves it, such as the other system's name and number."""


class InterventionTaken(BaseModel):
    """What became of a proof."""

    recorded: bool
    """False where the case had one already, which stands."""


class DecisionListed(BaseModel):
    """One decision."""

    decision: str
    question: str
    business: str
    technical: str
    halted: bool
    waiting: int
    """Cases that wait for somebody."""


class HealthTold(BaseModel):
    """Whether all is well."""

    ok: bool
    ledger: str
    late: list[str] = []
    due: dict[str, int] = {}
    oldest_due_seconds: dict[str, int] = {}


def _plain(value: object) -> object:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("no number of a record is that large")
    return value


Value = Annotated[bool | int | FiniteFloat | Text | Literal[""] | None, BeforeValidator(_plain)]
Record = Annotated[dict[str, Value], Field(min_length=1, max_length=500)]
"""The subject, the fields of the signal and of the context, and when it was scored."""


def listed(case: Case, title: str) -> CaseListed:
    """Return a case as lists show it."""
    return CaseListed.model_validate(dict(case) | {"title": title})


def told(dossier: Dossier, title: str, why: str) -> CaseTold:
    """Return a case with everything that happened to it."""
    case = dossier.case
    return CaseTold(
        **listed(case, title).model_dump(),
        why=why,
        version=dossier.version.number,
        definition=dossier.version.sha256,
        facts=case.facts,
        answers=[
            AnswerTold.model_validate(dict(each) | {"move": each.kind}) for each in dossier.answers
        ],
        interventions=[
            InterventionTold.model_validate(dict(each)) for each in dossier.interventions
        ],
        outcomes=[OutcomeTold.model_validate(dict(each)) for each in dossier.outcomes],
        messages=[
            MessageTold.model_validate(dict(each) | {"to": each.recipient})
            for each in dossier.notifications
        ],
    )

"""The ledger's tables.

Rows are written by this package alone and in bulk through SQLAlchemy Core; the classes are the
schema and the shape in which single rows are read. Instants are stored in UTC.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from decisions.ledger.columns import Id, identity, instant, json_value, reference


class Record(SQLModel):
    """A row of the ledger; table names are plural, constraint names follow one convention."""

    __table__: ClassVar[Table]
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Arm(StrEnum):
    """As allocated: acted on, or left alone on purpose."""

    TREATMENT = "treatment"
    CONTROL = "control"


class CaseState(StrEnum):
    """Where a case stands; the allowed moves are in ``decisions.lifecycle``."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    COMPLETED = "completed"
    OVERRIDDEN = "overridden"
    UNANSWERED = "unanswered"
    SUPERSEDED = "superseded"
    HELD_OUT = "held_out"
    """Left alone on purpose and hidden from assignees, until its outcome window has closed."""
    RELEASED = "released"
    """Held out until its outcome window closed."""


UNFINISHED = (CaseState.OPEN, CaseState.ACKNOWLEDGED, CaseState.HELD_OUT)
_UNFINISHED_SQL = "state IN ('open', 'acknowledged', 'held_out')"


class NotificationState(StrEnum):
    """How far one message got."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"
    DEAD = "dead"
    SUPERSEDED = "superseded"


class Version(Record, table=True):
    """One exact content of a definition, numbered per decision."""

    __tablename__ = "versions"
    __table_args__ = (
        UniqueConstraint("decision", "number"),
        UniqueConstraint("decision", "sha256"),
    )

    id: int = identity()
    decision: str
    number: int
    sha256: str
    definition: dict[str, Any] = json_value()
    recorded_at: datetime = instant()
    released_at: datetime | None = instant(nullable=True)
    """When it was put before its owners; None for one that ran without a sign-off."""
    released_by: str | None = None
    """Its author: whoever released it."""
    because: str | None = None
    """Why it was released, in the author's words."""
    signed_at: datetime | None = instant(nullable=True)
    """When the last signature it needed was given."""
    starts: str | None = None
    """The stage it takes by its last signature, such as ``ramp 25%``."""

    @property
    def name(self) -> str:
        """What people call it: ``churn-save-call/v3``."""
        return f"{self.decision}/v{self.number}"


class Signature(Record, table=True):
    """One person's agreement to the exact content of a version."""

    __tablename__ = "signatures"

    id: int = identity()
    version_id: int = reference("versions.id", index=True)
    person: str
    roles: list[str] = json_value()
    """As whom they signed: names of ``sign_off.by``."""
    at: datetime = instant()
    via: str


class Standing(Record, table=True):
    """How a decision stands from an instant on: its last row is how it stands now."""

    __tablename__ = "standings"
    __table_args__ = (Index(None, "decision", "id"),)

    id: int = identity()
    decision: str
    act: str
    """What made it so: ran, signed, staged, advanced, halted, resumed or rolled back."""
    version_id: int | None = reference("versions.id", nullable=True)
    """The version that acts; None while none may."""
    share: float = 1.0
    """The share of subjects it may act on: below 1 while it ramps."""
    shadow_id: int | None = reference("versions.id", nullable=True)
    """The version that is judged beside it and acts on nobody."""
    halted: bool = False
    by: str
    via: str
    because: str | None = None
    at: datetime = instant()


class Run(Record, table=True):
    """One evaluation of one version over one batch of signals."""

    __tablename__ = "runs"
    __table_args__ = (Index(None, "decision", "id"), Index(None, "decision", "batch"))

    id: int = identity()
    decision: str
    version_id: int = reference("versions.id")
    as_of: datetime = instant()
    recorded_at: datetime = instant()
    state: str
    """recorded, shadow where nobody was acted on, or withheld by the gate."""
    batch: str
    """Fingerprint of the batch."""
    evaluated: int
    counts: dict[str, Any] = json_value()
    """Subjects by verdict; suppressed and withheld ones by reason."""
    faults: list[str] = json_value()
    """What the gate found; empty when it passed."""
    withheld: list[dict[str, Any]] = json_value()
    """Whom the operating boundary kept back: reason, to, told, count and examples."""
    archive_sha256: str | None = None
    """Hash of the file with every subject's verdict; None where none could be written."""
    archive_rows: int | None = None
    """Subjects in that file; fewer than evaluated where only matches leave the warehouse."""
    cost: float = 0.0
    """What its cases cost, by the field of ``limits.cost``; 0 without such a limit."""
    cost_unit: str | None = None
    """In what; None without a limit on the cost."""
    warnings: list[dict[str, Any]] = json_value()
    """What its owners should know: ``about``, ``text`` and who is ``told`` of it now."""
    examples: list[dict[str, Any]] = json_value()
    """Keys of rows at fault: ``fault`` (place among the faults), ``subject``, ``value``."""


class Period(Record, table=True):
    """One measurement of one decision, under one declaration."""

    __tablename__ = "periods"
    __table_args__ = (UniqueConstraint("decision", "name"),)

    id: int = identity()
    decision: str
    name: str
    """The holdout's salt; with a running number where that was used before."""
    version_id: int = reference("versions.id")
    """The version under which it began."""
    declaration: dict[str, Any] = json_value()
    sha256: str
    """Hash of the declaration."""
    began_at: datetime = instant()
    closed_at: datetime | None = instant(nullable=True)
    closed_because: str | None = None


class Look(Record, table=True):
    """What was published when a measurement was read on schedule; never changed afterwards."""

    __tablename__ = "looks"
    __table_args__ = (UniqueConstraint("period_id", "label"),)

    id: int = identity()
    period_id: int = reference("periods.id")
    label: str
    """The month that had ended, as 2027-03; of an extra look its day, as 2027-03-17."""
    as_of: datetime = instant()
    taken_at: datetime = instant()
    information: float
    """Share of the planned held-out subjects whose outcome was known, 0 to 1."""
    spent: float | None = None
    """Alpha spent by this and all earlier looks; None where no interval could be read."""
    critical: float | None = None
    """Standard errors to either side of the estimate that the interval reached."""
    effect: dict[str, Any] | None = json_value(nullable=True)
    """The estimate, as the report shows it."""
    verdict: str
    sentences: str
    recommendation: str


class ModelAccuracy(Record, table=True):
    """How right a model was on one run's batch, judged once its outcomes were final."""

    __tablename__ = "accuracies"

    run_id: int = Field(
        sa_column=Column(Id, ForeignKey("runs.id"), primary_key=True, autoincrement=False)
    )
    recorded_at: datetime = instant()
    found: dict[str, Any] | None = json_value(nullable=True)
    """The figures; None where nobody can say."""
    missing: str | None = None
    """Why not."""


class DriftReference(Record, table=True):
    """How a field's values were distributed in the batch that later ones are held against."""

    __tablename__ = "drift_references"
    __table_args__ = (Index(None, "decision", "id"),)

    id: int = identity()
    decision: str
    field: str
    edges: list[float] = json_value()
    """Upper ends of a number's bins, inclusive; empty for a text."""
    values: list[str] = json_value()
    """A text's bins; empty for a number."""
    counts: list[int] = json_value()
    """Rows by bin: one more than edges or values, then NULL."""
    batch: str
    """Fingerprint of the batch."""
    set_at: datetime = instant()
    set_by: str
    """A person, or followthrough where it was the first batch."""


class FieldDrift(Record, table=True):
    """How far a field of one run's batch had moved from its reference."""

    __tablename__ = "drifts"

    run_id: int = Field(
        sa_column=Column(Id, ForeignKey("runs.id"), primary_key=True, autoincrement=False)
    )
    field: str = Field(primary_key=True)
    reference_id: int = reference("drift_references.id")
    psi: float
    """Population stability index against the reference."""
    bound: float
    """What the index may be before somebody is told."""


class Allocation(Record, table=True):
    """The arm of one subject in one measurement period; drawn once, never redrawn."""

    __tablename__ = "allocations"

    decision: str = Field(primary_key=True)
    period: str = Field(primary_key=True)
    """The measurement period's name."""
    subject: str = Field(primary_key=True)
    arm: Arm = Field(sa_column=Column(Text, nullable=False))
    run_id: int = reference("runs.id")
    declaration: str
    """SHA-256 of what was declared about holdout and outcome when the arm was drawn."""


class Case(Record, table=True):
    """One subject for which one decision has to be taken."""

    __tablename__ = "cases"
    __table_args__ = (
        # The last guard against a second open case, whatever the code above it believes.
        Index(
            "uq_cases_unfinished_subject",
            "decision",
            "subject",
            unique=True,
            sqlite_where=text(_UNFINISHED_SQL),
            postgresql_where=text(_UNFINISHED_SQL),
        ),
        UniqueConstraint("prefix", "number"),
        Index(None, "decision", "id"),
        Index(None, "decision", "subject", "opened_at"),
        Index(None, "decision", "assignee", "opened_at"),
        Index(
            "ix_cases_due",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index(
            "ix_cases_queue",
            "assignee",
            "due_at",
            sqlite_where=text("state IN ('open', 'acknowledged')"),
            postgresql_where=text("state IN ('open', 'acknowledged')"),
        ),
        Index(
            "ix_cases_outcome_due",
            "outcome_due_at",
            sqlite_where=text("outcome_due_at IS NOT NULL"),
            postgresql_where=text("outcome_due_at IS NOT NULL"),
        ),
        CheckConstraint("(arm = 'control') = (state IN ('held_out', 'released'))", name="arm"),
    )

    id: int = identity()
    key: str = Field(sa_column=Column(Text, unique=True, nullable=False))
    decision: str
    prefix: str
    number: int
    """Counts per prefix, so that a decision that is renamed goes on counting."""
    version_id: int = reference("versions.id")
    run_id: int = reference("runs.id")
    subject: str
    arm: Arm = Field(sa_column=Column(Text, nullable=False))
    period: str
    rule: str
    action: str
    score: float
    scored_at: datetime = instant()
    model_name: str
    model_version: str
    facts: dict[str, Any] = json_value()
    """Signal and context fields, frozen at opening."""
    priority: float | None = None
    """The value of ``limits.prefer``."""
    value: float | None = None
    """What one success is worth, in the unit of the outcome's value field."""
    state: CaseState = Field(sa_column=Column(Text, nullable=False))
    assignee: str | None = None
    """Who holds the case now; of a held-out case, who would: limits treat both arms alike."""
    opened_at: datetime = instant()
    respond_by: datetime | None = instant(nullable=True)
    answered_at: datetime | None = instant(nullable=True)
    complete_by: datetime | None = instant(nullable=True)
    closed_at: datetime | None = instant(nullable=True)
    snoozed_until: datetime | None = instant(nullable=True)
    cycle: int = 0
    """Counts how often the asking began anew: reassigned, snoozed, acknowledged."""
    step: int = 0
    """Steps taken in this cycle."""
    due_at: datetime | None = instant(nullable=True)
    """When the next step falls due; None while a message is on its way or nothing is due."""
    outcome_due_at: datetime | None = instant(nullable=True)
    """When the outcome window and its lag have passed; None once looked up or not declared."""
    revision: int = 0
    """Grows with every change; answers compare and set it."""


class LaterSignal(Record, table=True):
    """What a later run knew of the subject of an unfinished case; beside what people wrote."""

    __tablename__ = "later_signals"

    case_id: int = Field(
        sa_column=Column(Id, ForeignKey("cases.id"), primary_key=True, autoincrement=False)
    )
    run_id: int = Field(
        sa_column=Column(
            Id, ForeignKey("runs.id"), primary_key=True, autoincrement=False, index=True
        )
    )
    rule: str
    """The rule that would have opened a case."""
    score: float
    scored_at: datetime = instant()
    model_version: str
    facts: dict[str, Any] = json_value()
    priority: float | None = None


class Assignment(Record, table=True):
    """Who was made to hold a case, when, by whom and why."""

    __tablename__ = "assignments"

    id: int = identity()
    case_id: int = reference("cases.id", index=True)
    assignee: str
    in_place_of: str | None = None
    """Who would have held it, were they not away."""
    by: str
    at: datetime = instant()
    because: str


class Notification(Record, table=True):
    """One message to one person, from queued to sent."""

    __tablename__ = "notifications"
    __table_args__ = (
        Index(
            "ix_notifications_due",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
        Index(
            "ix_notifications_stale",
            "stale_at",
            sqlite_where=text("stale_at IS NOT NULL"),
            postgresql_where=text("stale_at IS NOT NULL"),
        ),
        Index(None, "recipient", "sent_at"),
    )

    id: int = identity()
    key: str = Field(sa_column=Column(Text, unique=True, nullable=False))
    """case:cycle:step:recipient:kind"""
    case_id: int | None = reference("cases.id", index=True, nullable=True)
    run_id: int | None = reference("runs.id", nullable=True)
    standing_id: int | None = reference("standings.id", nullable=True)
    """The standing it tells of, where it tells of a halt."""
    kind: str
    recipient: str
    because: str
    """Why this person: their role on the policy, or for whom they stand in."""
    state: NotificationState = Field(sa_column=Column(Text, nullable=False))
    attempts: int = 0
    next_at: datetime | None = instant(nullable=True)
    """When it may be claimed; None once nothing more is to be done."""
    lease: str | None = None
    """Who has claimed it; a sender whose lease was taken over writes nothing."""
    created_at: datetime = instant()
    sent_at: datetime | None = instant(nullable=True)
    channel: str | None = None
    """The connection that took it, or was tried last."""
    reference: str | None = None
    failure: str | None = None
    """What the channel said last."""
    message: dict[str, Any] | None = json_value(nullable=True)
    """What was handed over, exactly."""
    stale_at: datetime | None = instant(nullable=True)
    """Since when it says less than is known, or when to try again to amend it."""


class Answer(Record, table=True):
    """What a person said to a case, whether or not it came first."""

    __tablename__ = "answers"
    __table_args__ = (Index(None, "case_id", "id"),)

    id: int = identity()
    interaction: str = Field(sa_column=Column(Text, unique=True, nullable=False))
    """Names the click or the command; the same one counts once."""
    case_id: int = reference("cases.id")
    kind: str
    by: str
    in_place_of: str | None = None
    at: datetime = instant()
    respond_by: datetime | None = instant(nullable=True)
    """The case's deadline when it was given; that of the case itself may move on."""
    worked: int | None = None
    """Seconds of the assignee's working time since they were told of the question."""
    via: str
    """Where it was given: slack, inbox, command line or api."""
    reason: str | None = None
    note: str | None = None
    until: datetime | None = instant(nullable=True)
    to: str | None = None
    """To whom it was reassigned."""
    accepted: bool
    """Whether it changed the case; a late or refused one is kept all the same."""
    told: str | None = None
    """What its author was told when it was not accepted."""


class Intervention(Record, table=True):
    """What was done for a case: as somebody reported it, or as another system proves it."""

    __tablename__ = "interventions"
    __table_args__ = (UniqueConstraint("case_id", "source"),)

    id: int = identity()
    case_id: int = reference("cases.id")
    source: str
    """reported, or proven."""
    by: str | None = None
    what: str
    acted_at: datetime = instant()
    recorded_at: datetime = instant()


class Outcome(Record, table=True):
    """What came of a case; a later look appends a correction, the last row counts."""

    __tablename__ = "outcomes"
    __table_args__ = (Index(None, "case_id", "id"),)

    id: int = identity()
    case_id: int = reference("cases.id")
    state: str
    """observed; missing: window and lag have passed and no row was found; censored: it can never
    be known."""
    value: float | None = None
    reason: str | None = None
    """Why it can never be known."""
    source: str | None = None
    """Where it was read, if it was handed in as a file."""
    observed_at: datetime | None = instant(nullable=True)
    recorded_at: datetime = instant()


class Import(Record, table=True):
    """A finished trial or earlier decisions, brought in from a file as one measurement period."""

    __tablename__ = "imports"
    __table_args__ = (UniqueConstraint("decision", "period"),)

    id: int = identity()
    decision: str
    period: str
    file: str
    """Name of the file it came from."""
    sha256: str
    """Hash of its rows and its declaration."""
    definition: dict[str, Any] = json_value()
    """The decision as it was declared for this period."""
    share_declared: bool
    """Whether somebody said which share was to be left alone; else the share found stands."""
    subjects: int
    by: str
    """Who brought it in."""
    imported_at: datetime = instant()


class ImportedSubject(Record, table=True):
    """One subject of an imported measurement period."""

    __tablename__ = "imported_subjects"

    import_id: int = Field(
        sa_column=Column(Id, ForeignKey("imports.id"), primary_key=True, autoincrement=False)
    )
    subject: str = Field(primary_key=True)
    arm: Arm = Field(sa_column=Column(Text, nullable=False))
    decided_at: datetime = instant()
    acted: bool | None = None
    """Whether the subject was in fact acted on; NULL where the file does not say."""
    outcome: float | None = None
    """The measure's value; NULL where it is not known."""
    value: float | None = None
    """What one success is worth."""


class Entry(Record, table=True):
    """One line of the append-only history."""

    __tablename__ = "entries"
    __table_args__ = (Index(None, "object", "id"),)

    id: int = identity()
    seal: int = reference("seals.id", index=True)
    """The seal that covers it."""
    at: datetime = instant()
    actor: str
    in_place_of: str | None = None
    act: str
    object: str
    """What it is about: a case's key, ``decision/version`` or ``run N``."""
    body: str = Field(sa_column=Column(Text, nullable=False))
    """Canonical JSON of what changed."""
    sha256: str


class Seal(Record, table=True):
    """Closes the entries of one transaction: their Merkle root, chained to the seal before."""

    __tablename__ = "seals"

    id: int = Field(sa_column=Column(Id, primary_key=True, autoincrement=False))
    """Position in the chain, from 1 without gaps."""
    at: datetime = instant()
    count: int
    """Entries covered."""
    root: str
    previous: str
    sha256: str

"""The models of a decision: what one definition file may say, key by key.

The same models are the Python API. What a single value cannot show (does the person exist, is the
column declared) is checked where the whole workspace is known, in ``decisions.workspace``.
"""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from decisions.canonical import canonical_json, sha256
from decisions.quantities import (
    Amount,
    Budget,
    Difference,
    ElapsedSpan,
    Nulls,
    Rate,
    RowBound,
    Share,
    Span,
)
from decisions.spelling import (
    Cron,
    Day,
    Expression,
    FieldName,
    Part,
    Prefix,
    Reason,
    Slug,
    Template,
    Text,
    Value,
    ZoneName,
)

NOTHING: Literal["nothing"] = "nothing"
"""The action of a rule table that does not apply: no case is opened."""
WITHHELD: Literal["withheld"] = "withheld"
"""What an example expects of a record beyond the operating boundary."""
OWNER_ROLES = ("business", "technical", "backup")
"""What a decision calls its owners, wherever a person may be named."""


class Purpose(Part):
    """Why the decision exists, in the words of the people it serves."""

    question: Text
    """The question each case asks."""
    today: Text | None = None
    """How it is decided without this."""
    change: Text | None = None
    """What will be done differently."""
    metric: Text
    """The figure that should move."""
    baseline: Text | None = None
    """Where that figure stands today."""


class Owners(Part):
    """The named people who answer for the decision; keys of ``people.yaml`` or roles."""

    business: str
    """Accountable: their numbers move when the decision is wrong."""
    technical: str
    """Answers for the model, its data and its running."""
    backup: str | None = None
    """Stands in for either owner who is away without cover."""


class Schedule(Part):
    """When the decision is asked."""

    cron: Cron
    """Five cron fields."""
    zone: ZoneName = "UTC"
    """IANA time zone in which the cron fields are read."""


class FieldSpec(Part):
    """A column a definition relies on, and what its values must satisfy."""

    type: Literal["float", "integer", "decimal", "string", "boolean", "date", "timestamp"]
    unit: str | None = None
    """A currency code such as USD, or any other unit; shown with the value."""
    label: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    """What people call it; else the column's name with spaces."""
    min: float | None = None
    """Smallest allowed value; numbers only."""
    max: float | None = None
    """Largest allowed value; numbers only."""
    allowed: Annotated[tuple[Value, ...], Field(min_length=1, max_length=200)] | None = None
    """The only values it may have, besides NULL."""
    nulls: Nulls | None = None
    """The share of rows in which it may be missing, or 'allowed'; signal fields default to 0%."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        whole = handler.resolve_ref_schema(handler(schema))
        short = {"enum": whole["properties"]["type"]["enum"], "description": "The type alone."}
        return {"anyOf": [short, whole], "description": whole.get("description", "")}

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"type": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _bounds_fit(self) -> Self:
        if self.type not in {"float", "integer", "decimal"} and (self.min, self.max) != (
            None,
            None,
        ):
            raise ValueError(f"min and max are for numbers; this is a {self.type}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self

    @model_validator(mode="after")
    def _allowed_stands_alone(self) -> Self:
        if self.allowed is not None and (self.min, self.max) != (None, None):
            raise ValueError("give the allowed values, or min and max; both say the same twice")
        if self.allowed is not None and self.type == "timestamp":
            raise ValueError("a timestamp takes no list of allowed values")
        return self


class Relation(Part):
    """Where rows come from: a connection and one of table, query or path."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": [key]} for key in ("table", "query", "path")]}
    )

    connection: str = Field(alias="from")
    """A warehouse named in ``connections.yaml``."""
    table: str | None = None
    query: str | None = None
    """One SELECT, in the warehouse's own dialect."""
    path: str | None = None
    """A Parquet or CSV file, looked up in the connection's folder; ``*`` matches several."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [key for key in ("table", "query", "path") if getattr(self, key) is not None]
        if len(given) != 1:
            found = " and ".join(given) if given else "none"
            raise ValueError(f"give exactly one of table, query or path; found {found}")
        return self


class Model(Part):
    """Which model made the scores."""

    name: str
    version: str
    """A column of the signal, or a literal in single quotes inside the YAML string."""


class RowRange(Part):
    """How many rows a batch may have."""

    min: RowBound | None = None
    max: RowBound | None = None


class Drift(Part):
    """How far a field may move from its reference before somebody is told."""

    psi: Annotated[float, Field(gt=0)] = 0.1
    """Population stability index; small batches get the larger bound that chance asks for."""


class Gate(Part):
    """What must hold of a whole batch before any of it is decided on."""

    max_age: ElapsedSpan | None = None
    """The newest score may be at most this old."""
    max_future: ElapsedSpan = Span(10, "minute")
    """No score may be dated further ahead than this."""
    rows: RowRange = RowRange()
    unique: FieldName | None = None
    """A column with no value twice; the subject always is one."""
    drift: dict[FieldName, Drift] = Field(default_factory=dict)
    """Fields whose distribution is held against a reference; informs, never withholds."""


class Signal(Relation):
    """The model's output: one row a subject."""

    subject: FieldName
    """Column that names the subject; text or whole number."""
    score: FieldName
    """The declared field that is the model's score."""
    scored_at: FieldName
    """Column with the instant of scoring."""
    model: Model
    fields: Annotated[dict[FieldName, FieldSpec], Field(min_length=1)]
    gate: Gate = Gate()


class Context(Relation):
    """Facts about the subject, joined when a case opens and frozen with it."""

    on: FieldName
    """Column that holds the subject; at most one row each."""
    fields: Annotated[dict[FieldName, FieldSpec], Field(min_length=1)]


class Rule(Part):
    """When the expression holds, do the action; the first rule that holds decides."""

    name: Slug
    when: Expression
    do: str
    because: Template
    """The reason, told to the assignee."""


class Withhold(Part):
    """Where the operating boundary runs: whom the expression holds for is left to a person."""

    when: Expression
    because: Annotated[str, Field(min_length=1, max_length=200)]
    """The reason, told to that person and counted in the run."""
    to: str
    """A person, a role or an owner (business, technical, backup), told once a run."""


class Step(Part):
    """One step of the escalation policy."""

    after: Span
    """How long the person told before has had; counted from when their message was sent."""
    to: str
    """A person, a role, an owner (business, technical, backup) or assignee.manager."""


class Action(Part):
    """What is asked of a person, and what happens while they do not answer."""

    autonomy: Literal["notify"]
    """notify: a person acts."""
    assign: str | None = None
    """A field holding a person's key, a role, a person or an owner; else the business owner."""
    through: Annotated[tuple[str, ...], Field(min_length=1)]
    """Channels, the first that works."""
    title: Template
    show: tuple[FieldName, ...] = ()
    respond_within: Span
    """How long an answer may take."""
    complete_within: Span | None = None
    """How long the work may take once acknowledged."""
    escalate: tuple[Step, ...] = ()
    unanswered: Literal["close", "keep open"] = "close"
    """What happens when everybody was told and nobody answered; never consent."""
    override_reasons: Annotated[tuple[Reason, ...], Field(min_length=1, max_length=20)]
    """The reasons to choose from for deciding otherwise."""

    @model_validator(mode="after")
    def _reasons_differ(self) -> Self:
        if len(set(self.override_reasons)) < len(self.override_reasons):
            raise ValueError("two override_reasons are the same; each is chosen by its text")
        return self


class Cost(Part):
    """How much the cases of a calendar month may cost together."""

    of: FieldName
    """The signal's field that says what a subject's case costs; never missing, never below 0."""
    at_most: Budget
    """In the field's unit; beyond, nobody is taken on until the next month."""
    warn_at: Share = Share(0.8)
    """The part of it from which the owners are warned, once a month."""


class Limits(Part):
    """How much may happen at most; what is over is recorded as suppressed, never simply absent."""

    per_subject: Rate | None = None
    per_assignee: Rate | None = None
    """Per calendar day of the assignee's zone."""
    per_run: Annotated[int, Field(ge=1)] | None = None
    cost: Cost | None = None
    """Per calendar month of the schedule's zone; of UTC without a schedule."""
    prefer: Expression | None = None
    """Who comes first when not all may: the highest value."""

    @model_validator(mode="after")
    def _per_day(self) -> Self:
        if self.per_assignee and self.per_assignee.per != Span(1, "day"):
            raise ValueError("per_assignee is counted per day, like '8 per day'")
        return self


class Holdout(Part):
    """The share left alone on purpose, so that the effect can be measured."""

    share: Share
    salt: Annotated[str, Field(min_length=1, max_length=100)]
    """Names the draw; a new salt begins a new measurement period."""

    @model_validator(mode="after")
    def _leaves_both_arms(self) -> Self:
        if not 0 < self.share.of_one < 1:
            raise ValueError("a holdout leaves somebody in both arms: more than 0%, less than 100%")
        return self


class Proof(Relation):
    """Rows of another system that show an intervention happened."""

    on: FieldName
    """Column that holds the subject."""
    at: FieldName
    """Column with the instant at which it happened."""


class Intervention(Part):
    """How it is known that something was done."""

    proof: Proof


class Outcome(Relation):
    """The figure that says whether it helped, and where it is read."""

    measure: FieldName
    """Column with the outcome: boolean, 0/1 or a number."""
    on: FieldName
    """Column that holds the subject."""
    at: FieldName | None = None
    """Column with the instant of the outcome; without it the subject's one row counts as is."""
    window: ElapsedSpan
    """How long after opening an outcome counts."""
    lag: ElapsedSpan | None = None
    """How long after the window the data may still arrive."""
    better: Literal["higher", "lower"]
    value: FieldName | None = None
    """The field that says what one more success is worth."""
    cost: Amount | None = None
    """What acting on one subject costs, in the value's unit."""
    worthwhile: Difference | None = None
    """The smallest effect worth having; left out, the break-even of cost and value."""
    planned: Annotated[int, Field(ge=100)] = 1_000
    """Held-out subjects whose outcome must be known for the measurement to be complete."""
    looks: Annotated[int, Field(ge=1, le=120)] = 12
    """How often it is to be read until then, once a month."""
    alpha: Share = Share(0.05)
    """How often all these readings together may claim an effect where there is none."""
    predicts: Literal["higher", "lower"] | None = None
    """Which direction of the measure a high score foretells; left out, the bad one."""
    hypothesis: Text | None = None

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        if not 0 < self.alpha.of_one <= 0.2:
            raise ValueError(f"alpha is {self.alpha}; write more than 0% and at most 20%")
        if self.cost and not self.value:
            raise ValueError("a cost is set against what a success is worth; give a value as well")
        return self

    @property
    def foretold(self) -> Literal["higher", "lower"]:
        """The direction of the measure that a high score foretells."""
        bad: Literal["higher", "lower"] = "lower" if self.better == "higher" else "higher"
        return self.predicts or bad

    @property
    def matures_after(self) -> timedelta:
        """How long after its opening a case's outcome is final: the window and the data's lag."""
        wait = self.window.elapsed
        return wait + self.lag.elapsed if self.lag else wait


class SignOff(Part):
    """Who agrees to the exact content before it decides anything; without it nobody has to."""

    by: Annotated[tuple[str, ...], Field(min_length=1, max_length=10)]
    """Owners (business, technical, backup), roles or people; each of them signs."""
    not_: Literal["author"] | None = Field(default=None, alias="not")
    """author: who released a version signs none of it. Without it they sign, but never alone."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if len(set(self.by)) < len(self.by):
            raise ValueError("by names somebody twice; each signs once")
        return self


class Reporting(Part):
    """Who hears of the monthly report."""

    to: tuple[str, ...] = ()
    """People, roles or owners beside the two owners and their managers, who always do."""


class Example(Part):
    """A record and the action it must lead to; run by ``check`` like a unit test."""

    given: dict[FieldName, Value]
    """The fields of the record; one that is left out is NULL."""
    expect: str
    """nothing, an action, or withheld."""
    as_of: Day | None = None
    """The date that today() stands for."""


class Definition(Part):
    """One decision: a standing question, its owners, and everything done about it."""

    decision: Slug
    case_prefix: Prefix | None = None
    """Starts the keys of its cases, as in CSC-2417; else the initials of the decision's name."""
    purpose: Purpose
    owners: Owners
    review_by: Day
    """The date by which the owners must confirm that this is still right."""
    schedule: Schedule | None = None
    signal: Signal
    context: tuple[Context, ...] = ()
    match: Literal["first", "unique"]
    """first: the first rule that holds decides; unique: two that hold are a fault."""
    rules: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=100)]
    otherwise: str
    """What the rest gets: nothing, or an action."""
    withhold: Annotated[tuple[Withhold, ...], Field(max_length=20)] = ()
    """The operating boundary, looked at before the rules; the first that holds gives the reason."""
    actions: Annotated[dict[Slug, Action], Field(min_length=1)]
    limits: Limits = Limits()
    holdout: Holdout | None = None
    intervention: Intervention | None = None
    outcome: Outcome | None = None
    sign_off: SignOff | None = None
    report: Reporting = Reporting()
    examples: tuple[Example, ...] = ()

    @property
    def prefix(self) -> str:
        """What the keys of its cases start with."""
        words = self.decision.split("-")
        initials = "".join(word[0] for word in words if word[:1].isalpha())[:6]
        return self.case_prefix or (initials if len(initials) > 1 else self.decision[:3]).upper()

    @property
    def fields(self) -> dict[str, FieldSpec]:
        """Every declared field, the signal's first; names are unique across a definition."""
        return self.signal.fields | {
            name: spec for context in self.context for name, spec in context.fields.items()
        }

    @property
    def columns(self) -> dict[str, FieldSpec]:
        """What an expression may name: the declared fields, and the subject as a string."""
        return self.fields | {self.signal.subject: FieldSpec(type="string")}

    @property
    def nameable(self) -> dict[str, FieldSpec]:
        """What a template may name or an action show: the columns and the instant of scoring."""
        return self.columns | {self.signal.scored_at: FieldSpec(type="timestamp")}

    @property
    def canonical(self) -> str:
        """The content as canonical JSON: comments, order of keys and spelling do not matter.

        Defaults are written out, so that a release that changes one changes the content too.
        """
        return canonical_json(self.model_dump(mode="json", by_alias=True))

    @property
    def sha256(self) -> str:
        """The version's name: SHA-256 of the canonical content, hexadecimal."""
        return sha256(self.canonical)

"""One definition, whole."""

from typing import Annotated, Literal

from pydantic import Field

from decisions.canonical import canonical_json, sha256
from decisions.definition.accountability import Owners, Purpose, Reporting, SignOff
from decisions.definition.action import Action
from decisions.definition.limit import Limits
from decisions.definition.measurement import Holdout, Intervention, Outcome
from decisions.definition.relation import Context, FieldSpec
from decisions.definition.rule import Example, Rule, Withhold
from decisions.definition.scoring import Signal
from decisions.spelling import Cron, Day, Part, Prefix, Slug, ZoneName


class Schedule(Part):
    """When the decision is asked."""

    cron: Cron
    """Five cron fields."""
    zone: ZoneName = "UTC"
    """IANA time zone in which the cron fields are read."""


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

"""What is asked of a person, and who is told while they do not answer."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from decisions.quantities import Span
from decisions.spelling import FieldName, Part, Reason, Template


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

"""How much may happen at most."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from decisions.quantities import Budget, Rate, Share, Span
from decisions.spelling import Expression, FieldName, Part


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

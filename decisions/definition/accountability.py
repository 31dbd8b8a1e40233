"""Why a decision exists, who answers for it, and who hears of it."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from decisions.spelling import FieldName, Part, Text

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


class Slice(Part):
    """A field by which the report parts the subjects, said before anything is known."""

    by: FieldName
    """The field, as it was when the subject's first case opened."""
    at: Annotated[tuple[float, ...], Field(max_length=5)] = ()
    """Where a number is parted, smallest first; each begins a part of its own."""

    @model_validator(mode="after")
    def _parts_in_order(self) -> Self:
        if any(one >= next_ for one, next_ in pairwise(self.at)):
            raise ValueError("at is not in order; write each number once, smallest first")
        return self


class Reporting(Part):
    """Who hears of the monthly report, and what it looks at apart."""

    to: tuple[str, ...] = ()
    """People, roles or owners beside the two owners and their managers, who always do."""
    slices: Annotated[tuple[Slice, ...], Field(max_length=5)] = ()
    """Parts of the subjects whose effect is shown apart: ideas, never verdicts."""

    @model_validator(mode="after")
    def _slices_differ(self) -> Self:
        fields = [each.by for each in self.slices]
        if len(set(fields)) < len(fields):
            raise ValueError("slices name a field twice; each is looked at once")
        return self

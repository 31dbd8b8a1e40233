"""Whom a decision is about: rules, the operating boundary, and worked examples."""

from typing import Annotated, Literal

from pydantic import Field

from decisions.spelling import Day, Expression, FieldName, Part, Slug, Template, Value

NOTHING: Literal["nothing"] = "nothing"
"""The action of a rule table that does not apply: no case is opened."""
WITHHELD: Literal["withheld"] = "withheld"
"""What an example expects of a record beyond the operating boundary."""


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


class Example(Part):
    """A record and the action it must lead to; run by ``check`` like a unit test."""

    given: dict[FieldName, Value]
    """The fields of the record; one that is left out is NULL."""
    expect: str
    """nothing, an action, or withheld."""
    as_of: Day | None = None
    """The date that today() stands for."""

"""The model's output, and what must hold of a whole batch of it."""

from typing import Annotated

from pydantic import Field

from decisions.definition.relation import FieldSpec, Relation
from decisions.quantities import ElapsedSpan, RowBound, Span
from decisions.spelling import FieldName, Part


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

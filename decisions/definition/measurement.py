"""How it is known whether something was done, and whether it helped."""

from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from decisions.definition.relation import Relation
from decisions.quantities import Amount, Difference, ElapsedSpan, Share
from decisions.spelling import FieldName, Part, Text


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
    """How it is known that something was done: by rows, by receipts, or by both."""

    proof: Proof | None = None
    receipts: str | None = None
    """A connection whose receipts are proof."""

    @model_validator(mode="after")
    def _says_how(self) -> Self:
        if self.proof is None and self.receipts is None:
            raise ValueError("say how it is known: proof, receipts or both")
        return self

    @model_serializer(mode="wrap")
    def _written(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Without what is not said, so that a version keeps the name it had before receipts.
        return {name: value for name, value in written(self).items() if value is not None}


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

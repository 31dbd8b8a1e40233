"""What came of cases that were overridden, beside those that were followed: a description.

Owners choose whom they override, so no difference here is an effect of overriding: they may be
right about the hopeless ones, and leave the easy ones to the recommendation.
"""

from decisions.ports import Frozen

FEWEST = 5
"""With fewer known outcomes a mean says more about persons than about the reason."""


class AnswerOutcome(Frozen):
    """What came of the mature cases that were answered alike; as treated, never as an effect.

    Attributes:
        reason: Why they were overridden; None for those acknowledged or done.
        cases: Mature cases answered so.
        known: Of these, with a known outcome.
        mean: Their mean outcome, in the measure's unit; a share where all are 0 or 1. None where
            fewer than 5 are known.
    """

    reason: str | None
    cases: int
    known: int
    mean: float | None


def answer_outcome(reason: str | None, *, cases: int, known: int, total: float) -> AnswerOutcome:
    """Return what came of cases, without a mean where too few outcomes are known.

    Args:
        reason: Why they were overridden; None for those acknowledged or done.
        cases: Mature cases answered so.
        known: Of these, with a known outcome.
        total: Sum of the known outcomes, in the measure's unit.
    """
    mean = total / known if known >= FEWEST else None
    return AnswerOutcome(reason=reason, cases=cases, known=known, mean=mean)

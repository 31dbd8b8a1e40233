"""The one thing a report leads with: the steps of the ladder, and what one of them says."""

from enum import StrEnum

from decisions.ports import Frozen


class VerdictKind(StrEnum):
    """The steps of the ladder, in the order in which they are tried."""

    NO_CLAIM = "no effect can be claimed"
    CANNOT_BE_JUDGED = "cannot be judged"
    TOO_EARLY = "too early"
    HARMFUL = "harmful"
    WORKS = "works"
    NO_WORTHWHILE_EFFECT = "no worthwhile effect"
    CANNOT_TELL = "cannot tell at this size"
    NO_EVIDENCE_YET = "no evidence yet"
    INCONCLUSIVE = "inconclusive"


class Verdict(Frozen):
    """What may be said, and what to do now.

    Attributes:
        kind: The step of the ladder.
        sentences: Why; no percentage without what it is a percentage of.
        recommendation: One thing to do.
    """

    kind: VerdictKind
    sentences: str
    recommendation: str

"""What was published when a measurement was read on schedule."""

from datetime import datetime

from decisions.effectiveness.effect import Effect
from decisions.ports import Frozen


class Look(Frozen):
    """A published reading; it never changes, whatever becomes known later.

    Attributes:
        period: The measurement period's name.
        label: The month that had ended, such as 2027-03, or the day of an extra look, 2027-03-17.
        as_of: The instant it knew of (timezone-aware).
        information: Share of the planned held-out subjects whose outcome was known, 0 to 1.
        spent: Alpha spent by it and all looks before; None where no interval could be read.
        critical: Standard errors to either side that its interval reached; None as above.
        effect: The estimate with that interval; None as above.
        verdict: The verdict, a ``VerdictKind``.
        sentences: Its words.
        recommendation: What it recommended.
    """

    period: str
    label: str
    as_of: datetime
    information: float
    spent: float | None = None
    critical: float | None = None
    effect: Effect | None = None
    verdict: str
    sentences: str
    recommendation: str

"""How well scores foretold what came of those whom nobody acted on."""

from datetime import datetime

from decisions.effectiveness.effect import Interval
from decisions.ports import Frozen


class Bin(Frozen):
    """A tenth of the subjects, by score.

    Attributes:
        subjects: Subjects whose outcome is known.
        score: Their mean score, weighted.
        rate: Share of them that came out as foretold, weighted, 0 to 1.
        lower: Lower end of its 95% interval, after Wilson, on as many subjects as the weighted are
            worth.
        upper: Upper end.
    """

    subjects: int
    score: float
    rate: float
    lower: float
    upper: float


class Accuracy(Frozen):
    """How well scores foretold outcomes that nobody acted on.

    Attributes:
        subjects: Subjects whose outcome is known, each counted once.
        weight: What they stand for together: a held-out subject for 1 / share.
        events: Subjects that came out as foretold.
        auc: Chance that a subject with the event scored higher than one without, ties half.
        brier: Mean squared distance of score and outcome, 0 to 1; None where scores are no rates.
        slope: Slope of the outcome's log odds over the score's; 1 where scores are right, below 1
            where they are too extreme; None where scores are no rates.
        intercept: Log odds where the score says one half; 0 where scores are right; None as above.
        bins: Tenths of the subjects by score, lowest first.
        precision: Share of the selected, untreated subjects that came out as foretold, with
            Wilson's 95% interval; None where none is known.
        selected: Selected subjects whose outcome is known without action: the held-out ones.
    """

    subjects: int
    weight: float
    events: int
    auc: float
    brier: float | None
    slope: float | None
    intercept: float | None
    bins: tuple[Bin, ...]
    precision: Interval | None
    selected: int


class Judgement(Frozen):
    """One batch's scores, judged once their outcomes were final.

    Attributes:
        run: The run that decided on the batch.
        scored_at: When (timezone-aware).
        accuracy: How right the scores were; None where nobody can say.
        missing: Why not.
    """

    run: int
    scored_at: datetime
    accuracy: Accuracy | None
    missing: str | None

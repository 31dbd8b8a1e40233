"""What the ledger has to count before a report can be made.

One subject counts once per measurement period, by its first case; a case is mature once its
outcome window and lag have passed. Arms are as allocated, whatever was done in the end.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self

from decisions.effectiveness.adoption import Adoption
from decisions.effectiveness.arm import ArmOutcomes
from decisions.effectiveness.judgement import Judgement
from decisions.effectiveness.look import Look
from decisions.effectiveness.overriding import AnswerOutcome
from decisions.effectiveness.parts import Sliced
from decisions.ports import Frozen

ENOUGH_SUBJECTS = 100
"""Subjects of each arm whose outcome must be known before an effect is read."""


class FollowUp(Frozen):
    """How far cases that were put to somebody got, whichever subject they are about.

    Attributes:
        opened: Cases put to an assignee.
        told: Cases whose assignee was sent the question.
        answered: Cases acknowledged, overridden or done.
        in_time: Answered by the deadline.
        overridden: Decided otherwise than recommended.
        reported: Somebody reported what was done.
        proven: Another system shows that it was done.
        untraced: Answered and not overridden, yet neither reported nor proven.
        unproven: Answered and not overridden, yet not proven.
        mature: Cases whose outcome window and lag have passed.
        observed: Cases whose outcome is known.
        unobserved: Mature cases whose outcome is not known.
    """

    opened: int = 0
    told: int = 0
    answered: int = 0
    in_time: int = 0
    overridden: int = 0
    reported: int = 0
    proven: int = 0
    untraced: int = 0
    unproven: int = 0
    mature: int = 0
    observed: int = 0
    unobserved: int = 0

    def __add__(self, other: Self) -> Self:
        mine, theirs = self.model_dump(), other.model_dump()
        return type(self)(**{name: mine[name] + theirs[name] for name in mine})


class RunCounts(Frozen):
    """What the runs of a decision said, summed.

    Attributes:
        runs: Runs recorded, withheld ones included.
        withheld_runs: Runs the gate let nothing through of.
        evaluated: Subjects judged, once per run.
        verdicts: Subjects by verdict, once per run; suppressed ones in one sum.
        suppressed: Suppressed subjects by reason, once per run.
        withheld: Withheld subjects by reason, once per run.
    """

    runs: int = 0
    withheld_runs: int = 0
    evaluated: int = 0
    verdicts: Mapping[str, int] = {}
    suppressed: Mapping[str, int] = {}
    withheld: Mapping[str, int] = {}


class FieldMoved(Frozen):
    """How far a watched field's values moved from their reference, over the reporting span.

    Attributes:
        field: The field.
        runs: Runs it was measured in.
        flagged: Runs in which it had moved further than it may.
        most: The largest population stability index.
        last_at: When it was flagged last (timezone-aware); None if never.
    """

    field: str
    runs: int
    flagged: int
    most: float
    last_at: datetime | None


class Imported(Frozen):
    """Where a measurement period came from, if not from the ledger's own cases.

    Attributes:
        period: Its name.
        file: The file it was read from.
        sha256: Hash of its rows and declaration.
        imported_at: When it was brought in (timezone-aware).
        by: Who brought it in.
        subjects: How many it holds.
        share_declared: Whether somebody said which share was to be left alone; if not, the share
            found stands for it and says nothing about how arms were drawn.
        acted_known: Subjects put forward of whom the file says whether they were acted on.
        acted: How many of these were.
    """

    period: str
    file: str
    sha256: str
    imported_at: datetime
    by: str
    subjects: int
    share_declared: bool
    acted_known: int
    acted: int

    def named(self, names: Mapping[str, str]) -> Self:
        """Return it with whoever brought it in called by their name."""
        return self.model_copy(update={"by": names.get(self.by, self.by)})


class Measurement(Frozen):
    """The measurement period that is reported on.

    Attributes:
        period: Its name; begins with the holdout's salt.
        began_at: When its declaration was stored, before its first arm (timezone-aware).
        closed_at: When it ended; None while it runs.
        closed_because: Why it ended.
        changes: Keys of the declaration that say otherwise now, such as ``outcome.window``.
    """

    period: str
    began_at: datetime
    closed_at: datetime | None = None
    closed_because: str | None = None
    changes: tuple[str, ...] = ()


class Evidence(Frozen):
    """Everything the ledger knew at one instant that a report needs.

    Arms cover the whole measurement period, because a single month rarely decides anything; what
    was done about cases covers ``since`` to ``until``; open loops cover everything.

    Attributes:
        as_of: The instant it was known at (timezone-aware); later rows do not count.
        since: Start of the reporting span, inclusive; None for the beginning.
        until: End of the reporting span, exclusive; None for ``as_of``.
        version: Number of the definition's version; None if no run has recorded it.
        declaration: Hash of what the definition says about holdout and outcome.
        declarations: Different declarations under which arms of this period were drawn.
        measurement: The period; None where none has begun, and for an imported one.
        control: Subjects deliberately left alone.
        treatment: Subjects put forward for action.
        look: The look that this is, a month that has ended or the day of an extra one; None for a
            report between looks.
        looks: What was published before, of all periods, first one first.
        by_answer: What came of mature cases by how they were answered; a description, no effect.
        judgements: How right the model was, on one batch a month, oldest first.
        matures_after: How long after opening an outcome is final; None without one.
        enough_at: When the outcomes of enough held-out subjects are final; None once enough are
            known, and while there are too few cases to tell.
        runs: What the runs said within the reporting span.
        followed: What was done about cases opened within the reporting span.
        held_out: Cases held out within the reporting span.
        overrides: Cases overridden within the reporting span, by reason.
        assignees: What was done about all cases, by who holds them.
        slices: What became of the subjects in the declared parts of them.
        adoption: How people dealt with cases, called by their keys.
        drift: How far the watched fields moved within the reporting span.
        imported: Where the period came from, if it was imported.
        queries: The SQL of each count, ready to run, by what it counts.
        answers: The rows that each gave.
    """

    as_of: datetime
    since: datetime | None = None
    until: datetime | None = None
    version: int | None = None
    declaration: str = ""
    declarations: int = 0
    measurement: Measurement | None = None
    control: ArmOutcomes = ArmOutcomes()
    treatment: ArmOutcomes = ArmOutcomes()
    look: str | None = None
    looks: tuple[Look, ...] = ()
    by_answer: tuple[AnswerOutcome, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    matures_after: timedelta | None = None
    enough_at: datetime | None = None
    runs: RunCounts = RunCounts()
    followed: FollowUp = FollowUp()
    held_out: int = 0
    overrides: Mapping[str, int] = {}
    assignees: Mapping[str, FollowUp] = {}
    slices: tuple[Sliced, ...] = ()
    adoption: Adoption = Adoption()
    drift: tuple[FieldMoved, ...] = ()
    imported: Imported | None = None
    queries: Mapping[str, str] = {}
    answers: Mapping[str, tuple[Mapping[str, Any], ...]] = {}

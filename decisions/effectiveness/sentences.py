"""The words of each verdict, with its numbers filled in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from decisions.effectiveness import written
from decisions.effectiveness.about import About, Measure
from decisions.effectiveness.arm import ArmOutcomes
from decisions.effectiveness.benefit import Benefit
from decisions.effectiveness.effect import Effect
from decisions.effectiveness.evidence import Evidence
from decisions.effectiveness.look import Look
from decisions.effectiveness.power import Base, Design, visible_difference
from decisions.effectiveness.reading import Reading, following_look
from decisions.effectiveness.verdict import Verdict, VerdictKind
from decisions.effectiveness.written import capitalised

SUGGESTED_SHARE = 0.1
"""The holdout that a report on a decision without one reckons with."""

_WAIT = "Wait, and change neither holdout nor outcome meanwhile: a change starts from zero."


@dataclass(frozen=True, slots=True)
class WaysOut:
    """How a measurement that is too small could be made to tell.

    Attributes:
        share: The share held out now, 0 to 1.
        needed: The share that would do with as many subjects; None where none would.
        planned: Held-out subjects it would take at the present share.
        until: When that many would be mature (timezone-aware); None where nobody can say.
        visible: The smallest effect that the present design notices; None where none.
    """

    share: float
    needed: float | None
    planned: int
    until: datetime | None
    visible: float | None


def no_outcome() -> Verdict:
    """Say what can be said without an outcome."""
    return Verdict(
        kind=VerdictKind.NO_CLAIM,
        sentences="No outcome is declared, so nobody can know whether it helped. What people did "
        "about the cases is below.",
        recommendation="Declare an outcome: what should come out differently, where that is read, "
        "and how long it may take.",
    )


def no_holdout(measure: Measure, treatment: ArmOutcomes) -> Verdict:
    """Say what can be said where nobody was left alone."""
    sentences = (
        "Nobody was left alone, so there is nothing to compare with: this report shows how the "
        "decision is used and what came after it, not what it caused."
    )
    advice = (
        "Declare a holdout: leave a share of the subjects, such as "
        f"{written.share(SUGGESTED_SHARE)}, alone on purpose."
    )
    known, happened = treatment.observed, treatment.total
    if known and treatment.zero_or_one == known:
        sentences += (
            f" '{measure.name}' afterwards: {written.percent(happened / known)} of the subjects "
            f"put forward ({written.count(happened)} of {written.count(known)})."
        )
        held_out = round(SUGGESTED_SHARE * known)
        visible = visible_difference(
            Base(rate=happened / known),
            Design(held_out=held_out, treated=known - held_out, alpha=measure.alpha),
            sign=1 if happened / known < 0.5 else -1,
        )
        if visible is not None:
            advice += (
                f" With {written.count(held_out)} of these {written.count(known)} subjects left "
                f"alone, a difference of {written.size(visible)} points would have been noticed "
                "four times out of five."
            )
    return Verdict(kind=VerdictKind.NO_CLAIM, sentences=sentences, recommendation=advice)


def cannot_be_judged(faults: Sequence[str], finder: str) -> Verdict:
    """Say why the numbers mean nothing."""
    first, *others = faults
    # One broken stage usually breaks those after it: the table of checks shows them all.
    fail = "fails" if len(others) == 1 else "fail"
    also = f" {len(others)} of the other checks below {fail} as well." if others else ""
    return Verdict(
        kind=VerdictKind.CANNOT_BE_JUDGED,
        sentences=f"{capitalised(first)}.{also} The numbers below are for diagnosis only.",
        recommendation=f"Rely on none of these numbers. {finder} finds out why; a new measurement "
        "period, with a new salt, then starts clean.",
    )


def too_early(evidence: Evidence, missing: Sequence[str]) -> Verdict:
    """Say what is missing, and when there will be enough."""
    if evidence.control.subjects + evidence.treatment.subjects == 0:
        advice = "Let it run: the first case begins the measurement."
    else:
        advice = _WAIT
    if evidence.enough_at is not None and evidence.enough_at > evidence.as_of:
        # A month is read once it has ended; what is final on its last instant counts in it.
        first = following_look(evidence.enough_at - timedelta(microseconds=1))
        advice += f" First look about {written.day(first)}."
    return Verdict(
        kind=VerdictKind.TOO_EARLY,
        sentences=" ".join(f"{capitalised(each)}." for each in missing),
        recommendation=advice,
    )


def not_read_yet(evidence: Evidence, reading: Reading) -> Verdict:
    """Say that the first look is still to come although there would be enough to read."""
    return Verdict(
        kind=VerdictKind.TOO_EARLY,
        sentences=f"No look has been taken yet. {reading.progress} The interval below may be "
        "read, but a verdict is given at a look only.",
        recommendation=f"{_WAIT} First look about {written.day(following_look(evidence.as_of))}.",
    )


def as_published(look: Look, *, since: bool | None = None) -> Verdict:
    """Repeat what a look said.

    Args:
        look: The look.
        since: Whether this report is a later look that knows nothing more; False between looks;
            None for the look's own report.
    """
    called = written.look(look.label)
    also = {
        None: "",
        True: f" Nothing more is known than at the look of {called}.",
        False: f" This is the verdict of the look of {called}; it stands until the next.",
    }
    return Verdict(
        kind=VerdictKind(look.verdict),
        sentences=f"{look.sentences}{also[since]}",
        recommendation=look.recommendation,
    )


@dataclass(frozen=True, slots=True)
class Told:
    """An effect in words.

    Attributes:
        about: The decision as declared.
        measure: Its outcome.
        reading: Where the plan stands.
        effect: The estimate.
        benefit: What it comes to.
    """

    about: About
    measure: Measure
    reading: Reading
    effect: Effect
    benefit: Benefit | None

    @property
    def _found(self) -> str:
        many = "" if self.reading.looks == 1 else f", valid for {self.reading.looks} looks"
        coverage = written.share(1 - self.reading.alpha)
        ends = written.interval(self.effect)
        return f"{written.difference(self.effect)} ({coverage} interval {ends}{many})"

    @property
    def _compared(self) -> str:
        effect = self.effect
        acted = written.outcome(effect, effect.treatment, "the subjects put forward")
        left = written.outcome(
            effect, effect.control, "comparable subjects deliberately left alone"
        )
        return f"{acted}, against {left}"

    @property
    def _measured(self) -> str:
        return f"Measured by '{self.measure.name}'; {self.measure.better} is better."

    def _size(self, difference: float) -> str:
        if self.effect.scale == "rate":
            return f"{written.size(difference)} points"
        return written.number(difference)

    def harmful(self) -> Verdict:
        """Say that the interval lies wholly on the bad side."""
        business, technical = self.about.owner("business"), self.about.owner("technical")
        return Verdict(
            kind=VerdictKind.HARMFUL,
            sentences=f"{self._compared}: {self._found}. {self._measured}",
            recommendation=f"Halt it. {business} decides; {technical} finds the cause before it "
            "runs again.",
        )

    def works(self) -> Verdict:
        """Say that the interval lies wholly on the good side, and whether it pays."""
        said = f"{self._compared}: {self._found}. {self._measured}"
        advice = "Keep it running, and keep the holdout: what works today can stop working."
        money = self.benefit.money if self.benefit else None
        if money and money.net and money.cost is not None:
            net, unit = money.net, money.unit
            ends = f"{written.amount(net.lower, unit)} to {written.amount(net.upper, unit)}"
            said += (
                f" Worth {written.amount(net.estimate, unit)} net of "
                f"{written.amount(money.cost, unit)} cost ({ends})"
            )
            said += ": it pays for itself." if money.pays else "."
            if not money.pays:
                advice = (
                    "Keep it running, and make it cheaper or more selective: it works, but it may "
                    "cost more than it brings."
                )
        return Verdict(kind=VerdictKind.WORKS, sentences=said, recommendation=advice)

    def no_worthwhile_effect(self, small: float) -> Verdict:
        """Say that an effect worth having is ruled out."""
        return Verdict(
            kind=VerdictKind.NO_WORTHWHILE_EFFECT,
            sentences=f"{self._compared}: {self._found}. {self._measured} An effect as large as "
            f"{self._size(small)} either way is ruled out.",
            recommendation="Stop it or redesign it: as it is, it is not worth acting for.",
        )

    def cannot_tell(self, small: float, power: float, out: WaysOut) -> Verdict:
        """Say that the design is too small, and what would make it large enough."""
        times = f"{written.count(power * 100)} times out of 100"
        ways = []
        if out.needed is not None and out.needed > out.share:
            ways.append(
                f"raise the holdout from {written.rounded(out.share)} to "
                f"{written.rounded(out.needed, up=True)} of the subjects"
            )
        if out.until is not None:
            ways.append(
                f"plan {written.count(out.planned)} held-out subjects and run until "
                f"{written.day(out.until)}"
            )
        if out.visible is not None:
            ways.append(f"accept {self._size(out.visible)} as the smallest visible effect")
        last = f", or {ways.pop()}" if len(ways) > 1 else ""
        advice = f"{', '.join(ways)}{last}" if ways else "stop measuring: no design would do"
        return Verdict(
            kind=VerdictKind.CANNOT_TELL,
            sentences=f"So far {self._found}. {self._compared}. {self._measured} Even if it "
            f"achieved the {self._size(small)} worth having, this design would notice {times}.",
            recommendation=f"{capitalised(advice)}. Each begins a new measurement period.",
        )

    def no_evidence_yet(self, until: datetime | None) -> Verdict:
        """Say that zero is inside the interval and more is to come."""
        rest = f"; the rest about {written.day(until)}" if until else ""
        matured = f"{written.count(self.reading.known)} of {written.count(self.reading.planned)}"
        return Verdict(
            kind=VerdictKind.NO_EVIDENCE_YET,
            sentences=f"So far {self._found}, which still includes zero. {self._compared}. "
            f"{self._measured} This is not evidence that it does not work. {matured} planned "
            f"held-out subjects have matured{rest}.",
            recommendation="Let it run as declared: the interval narrows with every outcome that "
            "matures.",
        )

    def inconclusive(self) -> Verdict:
        """Say that the plan is complete and zero still inside."""
        return Verdict(
            kind=VerdictKind.INCONCLUSIVE,
            sentences=f"{self._compared}: {self._found}. {self._measured} The planned sample is "
            "complete and zero is still inside the interval.",
            recommendation="Decide whether an effect this small would be worth it; if so, plan a "
            "larger measurement before acting further.",
        )

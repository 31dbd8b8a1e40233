"""Can the comparison be trusted: are the arms as they were drawn, and did they stay comparable?

Tests are exact, because the first counts are small: at 60 subjects and a holdout of 5% the usual
chi-square raises a false alarm almost three times as often as its level promises.
"""

from collections.abc import Sequence

from scipy import stats

from decisions.effectiveness.about import About
from decisions.effectiveness.arm import ArmOutcomes
from decisions.effectiveness.evidence import Evidence
from decisions.effectiveness.written import count, out_of, probability
from decisions.effectiveness.written import share as share_text
from decisions.ports import Frozen

ALARM = 0.001
"""Chance below which a deviation is no longer put down to chance."""

MOST_CONTAMINATED = 0.2
"""Share of held-out subjects who may have been acted on all the same."""

FEWEST_CONTAMINATED = 5
"""Below so many subjects that share is not judged; a case or two can be anything."""


class Check(Frozen):
    """One thing that must hold before a difference means anything.

    Attributes:
        name: What is checked.
        expected: What was expected, in words.
        found: What was found, in words.
        passed: Whether it holds; None where it cannot be checked.
        p: Chance of a deviation at least this large if all is well; None without a test.
        fault: What is wrong, as a sentence without a full stop; None unless it does not hold.
    """

    name: str
    expected: str
    found: str
    passed: bool | None
    p: float | None = None
    fault: str | None = None


def checks(about: About, evidence: Evidence) -> tuple[Check, ...]:
    """Return every check of a measurement; none where nothing is compared.

    Args:
        about: The decision as declared.
        evidence: What the ledger counted.
    """
    if about.share is None or about.measure is None:
        return ()
    control, treatment = evidence.control, evidence.treatment
    stages = (
        ("Arms as drawn", control.allocated, treatment.allocated, "held out"),
        ("Arms among cases", control.subjects, treatment.subjects, "held out among the cases"),
        (
            "Arms among known outcomes",
            control.observed,
            treatment.observed,
            "held out among the known outcomes",
        ),
    )
    imported = evidence.imported
    share = about.share if imported is None or imported.share_declared else None
    return (
        *(
            share_check(name, held_out, held_out + others, share=share, what=what)
            for name, held_out, others, what in stages
        ),
        missing_check(control, treatment),
        contamination_check(control, has_proof=about.has_proof or _says_who_acted(evidence)),
        declaration_check(
            evidence.declarations, evidence.measurement.changes if evidence.measurement else ()
        ),
    )


def _says_who_acted(evidence: Evidence) -> bool:
    return evidence.imported is not None and evidence.imported.acted_known > 0


def share_check(name: str, held_out: int, total: int, *, share: float | None, what: str) -> Check:
    """Check that the held-out share is the declared one; exact binomial test, two-sided.

    Args:
        name: The stage at which it is checked.
        held_out: Subjects held out.
        total: Subjects of both arms.
        share: The declared share, 0 to 1; None where nobody declared one.
        what: How the sentence about a fault names the held-out ones.
    """
    if share is None:
        found = f"{out_of(held_out, total)} held out"
        return Check(name=name, expected="no share was declared", found=found, passed=None)
    expected = f"{share_text(share)} held out"
    if total == 0:
        return Check(name=name, expected=expected, found="no subjects yet", passed=None)
    p = float(stats.binomtest(held_out, total, share).pvalue)
    should = f"{count(share * total)} of {count(total)}"
    return _judged(
        name,
        expected=f"{expected}: about {should}",
        found=out_of(held_out, total),
        p=p,
        fault=f"{count(held_out)} subjects are {what} where about {should} were expected",
    )


def missing_check(control: ArmOutcomes, treatment: ArmOutcomes) -> Check:
    """Check that outcomes are missing alike in both arms; Fisher's exact test, two-sided."""
    name, expected = "Outcomes missing alike", "the same share missing in both arms"
    if not control.mature or not treatment.mature:
        return Check(name=name, expected=expected, found="no mature subjects yet", passed=None)
    table = [[arm.mature - arm.observed, arm.observed] for arm in (control, treatment)]
    found = " and ".join(
        f"{out_of(arm.mature - arm.observed, arm.mature)} {label}"
        for arm, label in ((control, "left alone"), (treatment, "put forward"))
    )
    return _judged(
        name,
        expected=expected,
        found=found,
        p=float(stats.fisher_exact(table).pvalue),
        fault=f"outcomes are missing unequally: {found}",
    )


def contamination_check(control: ArmOutcomes, *, has_proof: bool) -> Check:
    """Check that held-out subjects were left alone."""
    name = "Held-out subjects left alone"
    expected = f"at most {share_text(MOST_CONTAMINATED)} acted on all the same"
    if not has_proof:
        return Check(
            name=name, expected=expected, found="no proof of interventions declared", passed=None
        )
    if not control.mature:
        return Check(name=name, expected=expected, found="no mature subjects yet", passed=None)
    found = out_of(control.proven, control.mature)
    passed = (
        control.proven < FEWEST_CONTAMINATED or control.proven <= MOST_CONTAMINATED * control.mature
    )
    fault = f"{found} held-out subjects were acted on all the same"
    return Check(
        name=name, expected=expected, found=found, passed=passed, fault=None if passed else fault
    )


def declaration_check(declarations: int, changes: Sequence[str] = ()) -> Check:
    """Check that nothing about the measurement was changed after arms were drawn.

    Args:
        declarations: Different declarations under which arms were drawn.
        changes: Keys that are declared otherwise now.
    """
    name, expected = "One declaration throughout", "1 declaration of holdout and outcome"
    if declarations == 0 and not changes:
        return Check(name=name, expected=expected, found="nobody drawn yet", passed=None)
    found, fault = f"{declarations}", None
    if declarations > 1:
        fault = f"holdout or outcome were declared in {declarations} ways within one period"
    elif changes:
        found = f"changed since: {', '.join(changes)}"
        fault = (
            f"the declaration was changed after arms had been drawn ({', '.join(changes)}); "
            "the next run begins a new measurement period"
        )
    return Check(name=name, expected=expected, found=found, passed=fault is None, fault=fault)


def _judged(name: str, *, expected: str, found: str, p: float, fault: str) -> Check:
    passed = p >= ALARM
    return Check(
        name=name,
        expected=expected,
        found=found,
        passed=passed,
        p=p,
        fault=None if passed else f"{fault} ({probability(p)})",
    )

"""The effect of being put forward for action, with its interval.

Which confidence is asked for is the caller's: reading the same measurement again and again needs
a wider interval than reading it once. What computes intervals is imported where one is computed:
the ledger knows these shapes, and a run must not wait for it.
"""

from math import sqrt
from typing import Literal

from decisions.effectiveness.arm import ArmOutcomes
from decisions.errors import InsufficientData
from decisions.ports import Frozen

Better = Literal["higher", "lower"]


class Interval(Frozen):
    """An estimate between the ends of its confidence interval, all in one unit."""

    estimate: float
    lower: float
    upper: float

    def scaled(self, factor: float) -> "Interval":
        """Return it times a factor that is not itself uncertain; a negative one swaps the ends."""
        ends = sorted((self.lower * factor, self.upper * factor))
        return Interval(estimate=self.estimate * factor, lower=ends[0], upper=ends[1])

    def shifted(self, by: float) -> "Interval":
        """Return it plus an amount that is not itself uncertain."""
        return Interval(estimate=self.estimate + by, lower=self.lower + by, upper=self.upper + by)


class ArmEstimate(Interval):
    """The mean outcome of one arm.

    Attributes:
        count: Subjects it is the mean of: mature, outcome known.
        total: Sum of their outcomes; the number of successes where all are 0 or 1.
    """

    count: int
    total: float


class Effect(Frozen):
    """Mean outcome of treatment minus control, as allocated.

    Attributes:
        scale: ``rate`` where every outcome is 0 or 1 (then all figures are shares, 0 to 1);
            ``mean`` otherwise (then all are in the measure's unit).
        better: Which direction of the measure is the good one.
        confidence: Coverage of the arms' own intervals, 0 to 1, two-sided; of the difference's over
            all looks together.
        critical: Standard errors to either side that the difference's interval reaches; more than
            for a single reading while further looks are to come.
        difference: Treatment minus control.
    """

    scale: Literal["rate", "mean"]
    better: Better
    confidence: float
    critical: float
    control: ArmEstimate
    treatment: ArmEstimate
    difference: Interval

    @property
    def gain(self) -> Interval:
        """The difference turned so that more is better."""
        return self.difference.scaled(1 if self.better == "higher" else -1)


def estimate_effect(
    control: ArmOutcomes,
    treatment: ArmOutcomes,
    *,
    better: Better,
    confidence: float = 0.95,
    critical: float | None = None,
) -> Effect:
    """Estimate the effect of allocation to treatment on the mean outcome.

    Arms are compared as allocated (intention to treat): a subject whose assignee declined stays in
    the treatment arm, and a held-out subject who was helped all the same stays held out. Outcomes
    that are all 0 or 1 are compared as rates, others as means.

    Args:
        control: Subjects who were held out.
        treatment: Subjects who were put forward for action.
        better: Which direction of the measure is the good one.
        confidence: Coverage of the two-sided intervals, between 0 and 1 exclusive.
        critical: Standard errors to either side that the difference's interval is to reach; those
            of one reading if left out.

    Raises:
        InsufficientData: An arm has too few known outcomes, or no outcome differs from another.
    """
    from scipy import stats

    arms = (control, treatment)
    rates = all(arm.zero_or_one == arm.observed for arm in arms)
    for name, arm in (("held-out", control), ("put-forward", treatment)):
        needed = 1 if rates else 2
        if arm.observed < needed:
            raise InsufficientData(
                f"the outcome is known for {arm.observed} {name} subject(s); "
                f"an effect needs {needed}"
            )
    one, difference = (_rate, _newcombe) if rates else (_mean, _welch)
    if critical is None:
        critical = float(stats.norm.isf((1 - confidence) / 2))
    alpha = float(2 * stats.norm.sf(critical))
    return Effect(
        scale="rate" if rates else "mean",
        better=better,
        confidence=confidence,
        critical=critical,
        control=one(control, confidence),
        treatment=one(treatment, confidence),
        difference=difference(control, treatment, alpha),
    )


def _rate(arm: ArmOutcomes, confidence: float) -> ArmEstimate:
    """Return the share of successes with Wilson's interval, of which Newcombe's is built.

    Sources:
        Wilson (1927), Journal of the American Statistical Association 22, 209-212.
    """
    from statsmodels.stats.proportion import proportion_confint

    lower, upper = proportion_confint(
        arm.total, arm.observed, alpha=1 - confidence, method="wilson"
    )
    return ArmEstimate(
        estimate=arm.mean,
        lower=float(lower),
        upper=float(upper),
        count=arm.observed,
        total=arm.total,
    )


def _newcombe(control: ArmOutcomes, treatment: ArmOutcomes, alpha: float) -> Interval:
    """Return the difference of two rates with Newcombe's hybrid-score interval.

    Not Wald's, which covers 89 of 95 in small holdouts, and not that function's ``score`` method,
    which fails on an arm without successes (statsmodels issue 10269).

    Sources:
        Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
    """
    from statsmodels.stats.proportion import confint_proportions_2indep

    lower, upper = confint_proportions_2indep(
        treatment.total,
        treatment.observed,
        control.total,
        control.observed,
        method="newcomb",
        alpha=alpha,
    )
    return Interval(estimate=treatment.mean - control.mean, lower=float(lower), upper=float(upper))


def _mean(arm: ArmOutcomes, confidence: float) -> ArmEstimate:
    from scipy import stats

    error = sqrt(arm.variance / arm.observed)
    margin = float(stats.t.ppf((1 + confidence) / 2, arm.observed - 1)) * error
    return ArmEstimate(
        estimate=arm.mean,
        lower=arm.mean - margin,
        upper=arm.mean + margin,
        count=arm.observed,
        total=arm.total,
    )


def _welch(control: ArmOutcomes, treatment: ArmOutcomes, alpha: float) -> Interval:
    """Return the difference of two means; the variances are not assumed equal.

    Raises:
        InsufficientData: Neither arm varies.

    Sources:
        Welch (1947), Biometrika 34, 28-35; degrees of freedom after Satterthwaite (1946).
    """
    from scipy import stats

    a, b = control.variance / control.observed, treatment.variance / treatment.observed
    if a + b == 0:
        raise InsufficientData("every known outcome within an arm is the same; no interval exists")
    freedom = (a + b) ** 2 / (a**2 / (control.observed - 1) + b**2 / (treatment.observed - 1))
    margin = float(stats.t.isf(alpha / 2, freedom)) * sqrt(a + b)
    estimate = treatment.mean - control.mean
    return Interval(estimate=estimate, lower=estimate - margin, upper=estimate + margin)

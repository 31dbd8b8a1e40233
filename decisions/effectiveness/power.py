"""What a measurement of a given size can see, and the size it takes to see a given effect."""

from functools import partial
from math import ceil, sqrt

from scipy import optimize, stats
from statsmodels.stats.power import normal_power_het, normal_sample_size_one_tail

from decisions.effectiveness.sequential import crossing, needed_drift, planned_bounds
from decisions.ports import Frozen

ENOUGH_POWER = 0.8
"""How often a design should notice an effect that is there."""

ENOUGH_CHANCE = 0.9
"""How often the planned number of held-out subjects should be reached by the date that is told."""

LEAST_SHARE, MOST_SHARE = 0.05, 0.5
"""Between these a holdout is computed: below, nothing is ever seen; above, more is not better."""


class Base(Frozen):
    """How the outcome behaves among subjects who are left alone.

    Attributes:
        rate: Share of successes, 0 to 1; None for an outcome that is an amount.
        deviation: Standard deviation of an amount, in the measure's unit; None for a rate.
    """

    rate: float | None = None
    deviation: float | None = None

    def with_effect(self, difference: float) -> float | None:
        """Return the rate under an effect; None where no rate can be that high or low."""
        if self.rate is None or not 0 < self.rate + difference < 1:
            return None
        return self.rate + difference


class Design(Frozen):
    """How large a measurement is, and how often it is read.

    Attributes:
        held_out: Subjects left alone whose outcome will be known in the end.
        treated: Subjects put forward whose outcome will be known.
        looks: Readings until then, equally spaced.
        alpha: Chance that any of them excludes zero where there is no effect, two-sided.
    """

    held_out: float
    treated: float
    looks: int = 1
    alpha: float = 0.05


def power(base: Base, difference: float, design: Design) -> float:
    """Return how often a measurement excludes zero at one of its looks.

    Args:
        base: The outcome without action.
        difference: The true effect, in shares or in the measure's unit; its sign matters for rates.
        design: Size and looks.
    """
    if not difference or min(design.held_out, design.treated) <= 0:
        return design.alpha
    null, alternative = _deviations(base, difference, design.treated / design.held_out)
    once = normal_power_het(
        abs(difference), design.held_out, design.alpha / 2, null, alternative, alternative="larger"
    )
    if design.looks == 1:
        return float(once)
    drift = stats.norm.ppf(min(once, 1 - 1e-15)) + stats.norm.isf(design.alpha / 2)
    return crossing(planned_bounds(design.looks, design.alpha), float(drift))


def sample_size(
    base: Base,
    difference: float,
    *,
    share: float,
    looks: int = 1,
    alpha: float = 0.05,
    wanted: float = ENOUGH_POWER,
) -> int:
    """Return how many subjects, of both arms together, notice an effect often enough.

    Args:
        base: The outcome without action.
        difference: The effect to be noticed.
        share: Share of the subjects held out, between 0 and 1 exclusive.
        looks: Readings, equally spaced.
        alpha: Chance of a false finding over all of them, two-sided.
        wanted: How often it is to be noticed.
    """
    null, alternative = _deviations(base, difference, (1 - share) / share)
    drift = needed_drift(looks, alpha, wanted)
    once = float(stats.norm.sf(stats.norm.isf(alpha / 2) - drift))
    held_out = normal_sample_size_one_tail(abs(difference), once, alpha / 2, null, alternative)
    whole: int = ceil(held_out / share - 1e-9)
    return whole


def subjects_for(held_out: int, share: float, *, chance: float = ENOUGH_CHANCE) -> int:
    """Return how many subjects must come for so many to be held out with a given chance.

    Each is drawn by itself: after ``held_out / share`` of them, only every other measurement has
    its planned number, and what it finds by then falls short of the power it was planned with.

    Args:
        held_out: Subjects wanted in the holdout, at least 1.
        share: Share held out, above 0, to 1.
        chance: How often the number is to be reached, between 0 and 1 exclusive.

    Sources:
        The number of draws until the last of so many successes is negative binomial.
    """
    return held_out + int(stats.nbinom.ppf(chance, held_out, share))


def needed_share(
    base: Base, difference: float, *, cases: float, looks: int = 1, alpha: float = 0.05
) -> float | None:
    """Return the smallest share to hold out of so many cases that notices an effect.

    Returns:
        The share, from 5 to 50%; None where even half of the cases would not do.
    """

    def missing(share: float) -> float:
        design = Design(
            held_out=share * cases, treated=(1 - share) * cases, looks=looks, alpha=alpha
        )
        return power(base, difference, design) - ENOUGH_POWER

    if missing(MOST_SHARE) < 0:
        return None
    if missing(LEAST_SHARE) >= 0:
        return LEAST_SHARE
    return float(optimize.brentq(missing, LEAST_SHARE, MOST_SHARE, xtol=1e-4))


def visible_difference(
    base: Base, design: Design, *, sign: int = 1, wanted: float = ENOUGH_POWER
) -> float | None:
    """Return the smallest effect, without its sign, that is noticed often enough.

    Args:
        base: The outcome without action.
        design: Size and looks.
        sign: 1 for an effect that raises the measure, -1 for one that lowers it.
        wanted: How often it is to be noticed.

    Returns:
        The difference, in shares or in the measure's unit; None where none is possible.
    """
    if min(design.held_out, design.treated) < 1:
        return None
    if base.rate is None:
        most = 20 * (base.deviation or 0) * sqrt(1 / design.held_out + 1 / design.treated)
    else:
        most = (1 - base.rate if sign > 0 else base.rate) * 0.999
    excess = partial(_excess, base, design, sign, wanted)
    if not most or excess(most) < 0:
        return None
    return float(optimize.brentq(excess, most * 1e-6, most))


def _excess(base: Base, design: Design, sign: int, wanted: float, difference: float) -> float:
    return power(base, sign * difference, design) - wanted


def _deviations(base: Base, difference: float, ratio: float) -> tuple[float, float]:
    """Return the spread of the difference for one held-out subject: with no effect, and with it.

    Args:
        base: The outcome without action.
        difference: The effect.
        ratio: Subjects put forward for each held out.

    Sources:
        Fleiss, Levin & Paik (2003), Statistical Methods for Rates and Proportions, 3rd edition,
        chapter 4, without the correction for continuity.
    """
    if base.rate is None:
        spread = (base.deviation or 0.0) * sqrt(1 + 1 / ratio)
        return spread, spread
    # An effect that the rate leaves no room for is reckoned with at the edge of what there is.
    acted = min(max(base.rate + difference, 1e-9), 1 - 1e-9)
    pooled = (base.rate + ratio * acted) / (1 + ratio)
    null = pooled * (1 - pooled) * (1 + 1 / ratio)
    alternative = base.rate * (1 - base.rate) + acted * (1 - acted) / ratio
    return sqrt(null), sqrt(alternative)
